"""The rows that are trained on and judged on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled texts, in file order."""

    texts: tuple[str, ...]
    labels: NDArray[np.int64]
    """Shape (n,). Index into `Dataset.labels`."""

    ids: tuple[str, ...]
    """Row identity for pairing: the `id` column, else the position as text."""

    groups: NDArray[np.int64] | None = None
    """Shape (n,). Rows of one number belong together; None without `group`."""

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Every other column as text, by name: recorded answers may stand in the test file itself."""

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, slots=True)
class Dataset:
    """One suite's data, loaded, checked and encoded."""

    labels: tuple[str, ...]
    """Label names in the suite's order, else sorted."""

    descriptions: Mapping[str, str]
    """Label name → description for prompts; empty where the suite gives none."""

    train: Rows | None
    validation: Rows | None
    test: Rows
    digest: str
    """sha256 hex over labels, texts and label numbers of all splits: what a run's fingerprint holds."""

    leaked_rows: int = 0
    """Test rows whose text (case-folded, white space collapsed) also stands in train."""

    warnings: tuple[str, ...] = ()

    def label_number(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.labels)}
