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

    def picked(self, rows: NDArray[np.int64]) -> Rows:
        """Some of the rows, by number."""
        at = rows.tolist()
        return Rows(
            tuple(self.texts[row] for row in at),
            self.labels[rows],
            tuple(self.ids[row] for row in at),
            None if self.groups is None else self.groups[rows],
            {name: tuple(cells[row] for row in at) for name, cells in self.columns.items()},
        )


@dataclass(frozen=True, slots=True)
class Dataset:
    """One suite's data, loaded, checked and encoded."""

    labels: tuple[str, ...]
    """Label names in the suite's order, else sorted."""

    descriptions: Mapping[str, str]
    """Label name → description for prompts; empty where the suite gives none."""

    train: Rows | None
    """Without the validation rows, where these are a share of them."""

    validation: Rows | None
    """What sweeps select on; None where no option of the suite needs them."""

    test: Rows
    digest: str
    """sha256 hex over labels, texts and label numbers of all splits: what a run's fingerprint holds."""

    leaked_rows: int = 0
    """Test rows whose text (case-folded, white space collapsed) also stands in train."""

    warnings: tuple[str, ...] = ()
    all_train: Rows | None = None
    """The training rows with those held out for validation; None where none were."""

    def label_number(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.labels)}
