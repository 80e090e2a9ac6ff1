"""TF-IDF of word n-grams: fitted, kept as JSON and npz, and applied without scikit-learn."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Ngrams:
    """Which runs of words are features, and how rare each is."""

    shortest: int
    longest: int
    vocabulary: dict[str, int]
    idf: NDArray[np.float64]
    """Shape (features,). ln((1 + texts) / (1 + texts that hold it)) + 1."""

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """Shape (n, features): (1 + ln count) · idf, rows of length 1 (all zero where nothing is known)."""
        from scipy.sparse import csr_matrix

        starts, columns, values = [0], [], []
        for text in texts:
            counts = Counter(ngrams(text, self.shortest, self.longest))
            known = sorted((self.vocabulary[gram], n) for gram, n in counts.items() if gram in self.vocabulary)
            index = [feature for feature, _ in known]
            weights = (1.0 + np.log([n for _, n in known])) * self.idf[index] if known else np.zeros(0)
            length = np.sqrt((weights**2).sum())
            columns.extend(index)
            values.append(weights / length if length else weights)
            starts.append(len(columns))
        return csr_matrix(
            (np.concatenate([np.zeros(0), *values]), columns, starts), shape=(len(texts), len(self.vocabulary))
        )

    def save(self, folder: Path) -> None:
        facts = {"shortest": self.shortest, "longest": self.longest, "features": list(self.vocabulary)}
        (folder / "ngrams.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
        np.savez(folder / "idf.npz", idf=self.idf)


def fit_ngrams(texts: Sequence[str], shortest: int, longest: int) -> Ngrams:
    """The n-grams of these texts, in sorted order."""
    seen: Counter[str] = Counter()
    for text in texts:
        seen.update(set(ngrams(text, shortest, longest)))
    features = sorted(seen)
    held_by = np.array([seen[gram] for gram in features], np.float64)
    idf = np.log((1 + len(texts)) / (1 + held_by)) + 1
    return Ngrams(shortest, longest, {gram: at for at, gram in enumerate(features)}, idf)


def load_ngrams(folder: Path) -> Ngrams:
    facts = json.loads((folder / "ngrams.json").read_text(encoding="utf-8"))
    with np.load(folder / "idf.npz", allow_pickle=False) as arrays:
        idf = arrays["idf"]
    return Ngrams(facts["shortest"], facts["longest"], {gram: at for at, gram in enumerate(facts["features"])}, idf)


def ngrams(text: str, shortest: int, longest: int) -> list[str]:
    """Runs of `shortest` to `longest` words, case-folded, e.g. ["my", "card", "my card"]."""
    words = WORD.findall(text.casefold())
    return [
        " ".join(words[at : at + size]) for size in range(shortest, longest + 1) for at in range(len(words) - size + 1)
    ]
