"""Small models against LLMs, as a regression gate in pytest."""
