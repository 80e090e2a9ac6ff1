"""Intervals and tests of the verdicts: pure numpy and scipy. `docs/statistics.md` says which is used when."""
