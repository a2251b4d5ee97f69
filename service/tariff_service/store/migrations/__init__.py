"""The steps by which the tables of the store came to be, oldest first; Alembic runs them when a store is opened."""
