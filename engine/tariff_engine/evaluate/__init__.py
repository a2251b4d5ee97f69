"""The two evaluators (the naive definition and the compiled one) and what they share: the derivation, the parts of the value, the money."""
