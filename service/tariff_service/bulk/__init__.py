"""Millions of entry lines from a file: read in pieces, assessed by `tariff_engine.bulk`, written in parts that a later run goes on from."""
