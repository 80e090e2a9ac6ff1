"""Suite files: YAML with positions, checked whole, and the same suites built in Python."""
