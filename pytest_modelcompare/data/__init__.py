"""Data: from sources to checked, encoded rows. Nothing is ever unpickled, no remote code is run."""
