"""The compiled evaluator: the rulebook as bit masks, resolved once per situation and then applied to lines by integer arithmetic."""
