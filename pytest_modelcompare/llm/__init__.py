"""Asking LLMs: prompts, a provider's real SDK, pace, money, and every answer stored the moment it arrives."""
