"""The rule notation: strict YAML and CSV readers, the grammar as types, the loader and the checks of a whole rulebook."""
