"""The working half of the pytest plugin, loaded when a suite is asked for."""
