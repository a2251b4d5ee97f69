"""The law book decided by durable-rules, a rule engine that someone else wrote: a second opinion on the same rule files.

`knowledge.DurableKnowledge` answers by it, `worker.Worker` is the process that it runs in, `decider.Decider` is what a worker holds. From the
rule files to a decision: `conditions` and `compile` write rulesets, `terms` tells them of a line, `session` talks to durable-rules, `rules` and
`decide` follow the stages, `charging` hands what stands to the arithmetic that all engines share. Only `session` loads durable-rules, which is
an extra (`durable`); what it decides and what is shared is in docs/decisions/0009-a-second-engine.md.
"""
