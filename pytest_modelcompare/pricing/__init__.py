"""Prices: of an LLM's answers, request by request, and of the machine that serves a small model."""
