"""Reports: from records to the terminal and to JSON. All print numbers through one module."""
