"""The store: immutable runs, append-only answers, timings by machine, downloads, an index that can be rebuilt."""
