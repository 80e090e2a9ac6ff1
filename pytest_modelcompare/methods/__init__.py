"""Contestants: one file per method, with its settings, what it needs, and how it predicts."""
