"""The audit store: an append-only, hash-chained log of every assessment, with all that is needed to make each of them again."""
