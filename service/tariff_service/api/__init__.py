"""The HTTP service: assessments with an audit trail, batches, the law book, and what operators need."""
