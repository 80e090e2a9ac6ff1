"""Where, and on texts of which length, a time is measured: what stands in parentheses after a metric."""

from __future__ import annotations

from dataclasses import dataclass

DEVICES = ("cpu", "cuda", "mps")


@dataclass(frozen=True, slots=True)
class Place:
    """`(cpu)`, `(128)` or `(cpu, 128)`."""

    device: str | None = None
    """None: the session's own device."""

    length: int | None = None
    """Tokens per text; None: the test rows as they are."""


def place_of(argument: str) -> Place:
    """The place that an argument names.

    Raises:
        ValueError: carries the part that is neither a device nor a whole number above 0, or stands there twice.
    """
    device, length = None, None
    for part in argument.split(", "):
        if part in DEVICES and device is None:
            device = part
        elif part.isdecimal() and int(part) > 0 and length is None:
            length = int(part)
        else:
            raise ValueError(part)
    return Place(device, length)
