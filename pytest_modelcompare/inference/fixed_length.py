"""Texts of one length in tokens, made of the words of the test rows."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.timing import Timed, drawn

SHORT_OF = 20
"""Words tried to fill the last tokens of a text."""


def texts_of_length(predictor: Timed, texts: Sequence[str], length: int, n: int = 48) -> list[str]:
    """Texts of `length` tokens each, special ones included, made of the words of the test rows in a fixed order.

    Words are added while they fit, so a text may lack a token or two where none of the next ones does. Without a
    tokenizer a word counts as a token.

    Raises:
        ModelError: the contestant reads fewer tokens than that.
    """
    words = [word for text in drawn(texts, len(texts)) for word in text.split()]

    def tokens(chosen: Sequence[str]) -> int:
        found = predictor.tokens([" ".join(chosen)])
        return len(chosen) if found is None else found

    if not words or tokens([words[at % len(words)] for at in range(4 * length)]) < length:
        raise ModelError(f"it does not read {length} tokens", fix="name a smaller length")
    found, at = [], 0
    for _ in range(n):
        chosen: list[str] = []
        step, misses = length, 0
        while tokens(chosen) < length and misses < SHORT_OF:
            more = [words[(at + k) % len(words)] for k in range(step)]
            at += step if tokens([*chosen, *more]) <= length or step == 1 else 0
            if tokens([*chosen, *more]) <= length:
                chosen += more
            elif step == 1:
                misses += 1
            step = max(1, step // 2)
        found.append(" ".join(chosen))
    return found
