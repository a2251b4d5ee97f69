"""The page: what a person asks, sees, understands and hands on, made on the server from the same answers that the API gives."""
