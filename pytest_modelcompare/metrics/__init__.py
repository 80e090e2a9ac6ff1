"""Every metric, defined once: range, direction, needs, value and influence per row."""
