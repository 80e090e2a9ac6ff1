"""The pictures of `docs/statistics.md`, from the package's own functions on small seeded examples.

`python docs/pictures/make.py` writes them beside this file (it needs matplotlib);
`python docs/pictures/make.py FOLDER png` writes PNG files elsewhere, to look at.
"""

from __future__ import annotations

import sys
from pathlib import Path

import gates
import one_model
import trainings
import two_models
from style import FOLDER, write

PICTURES = {
    "verdict": gates.verdict,
    "proportion": one_model.proportion,
    "paired": two_models.paired,
    "macro": one_model.macro,
    "auroc": one_model.auroc,
    "calibration": one_model.reliability_diagram,
    "seeds": trainings.seeds,
    "clusters": trainings.clusters,
    "latency": trainings.latency,
    "sequential": two_models.sequential,
    "joint": gates.joint,
    "regress": two_models.regress,
}


def main(folder: Path = FOLDER, kind: str = "svg") -> None:
    """Draw and write every picture."""
    for name, draw in PICTURES.items():
        write(name, draw(), folder, kind)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:2]), *sys.argv[2:3])
