"""How people and programs reach the engine: files in, answers out. The clock, the disk and the terminal belong here and nowhere else."""
