"""The law book decided by durable-rules, a rule engine that someone else wrote: a second opinion on the same rule files."""
