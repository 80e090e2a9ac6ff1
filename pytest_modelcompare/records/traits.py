"""What kind of contestant a method makes: what other rooms ask instead of a method's name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Traits:
    """What may be expected of a contestant."""

    trains: bool = False
    """Learns from the training rows; takes `train:` and `sweep:`."""

    runs_here: bool = False
    """Computes on this machine: is timed and has a size."""

    asks: bool = False
    """Asks a service that bills."""

    recorded: bool = False
    """Its answers were given elsewhere and are read."""

    has_rows: bool = True
    """Answers the test rows; False: only figures are known."""

    @property
    def is_answered_elsewhere(self) -> bool:
        """Whether its answers come from a service or a recording of one: nothing is trained, each has a price."""
        return self.asks or self.recorded
