"""The engine: reads the law, decides which duties reach a shipment line, computes them exactly, and says why, and why not."""

import time

__version__ = "0.1.0"
LOADED = time.time()
"""When this process began to load the engine: a file of it that is younger is not the code that runs."""
