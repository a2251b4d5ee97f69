"""The engine: reads the law, decides which duties reach a shipment line, computes them exactly, and says why, and why not."""

__version__ = "0.1.0"
