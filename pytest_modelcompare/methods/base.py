"""What every method of contesting says of itself: settings, traits, the jobs that it needs, and what they show."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pytest_modelcompare.records.traits import Traits
from pytest_modelcompare.settings import Settings

if TYPE_CHECKING:
    from pytest_modelcompare.data.data_settings import DataSettings
    from pytest_modelcompare.data.subsets import Subset
    from pytest_modelcompare.llm.answers import Answered, LLMOptions, Stages
    from pytest_modelcompare.pricing.prices import PriceTable
    from pytest_modelcompare.records import Dataset, Evidence, Run
    from pytest_modelcompare.records.jobs import Job
    from pytest_modelcompare.records.options import Options
    from pytest_modelcompare.store.runs import RunStore
    from pytest_modelcompare.store.timings import Timing


@dataclass(frozen=True, slots=True)
class ContestantSpec:
    """One contestant as the suite names it."""

    name: str
    method: str
    settings: Settings
    seeds: tuple[int, ...] = (0,)
    line: int = 0
    column: int = 0
    """Where the suite names it, 1-based; 0 in suites made in Python."""

    subset: Subset | None = None
    """How much of the training rows it learns from; None: all."""

    members: tuple[str, ...] = ()
    """Of a sweep: its members' names. The plain name stands for the one best on validation."""

    member_of: str | None = None
    """The sweep's plain name, of a member."""

    @property
    def model(self) -> str | None:
        """The model that the settings name, where they name one."""
        return getattr(self.settings, "model", None)


@dataclass(frozen=True, slots=True)
class ContestantJobs:
    """What one contestant needs to be done."""

    jobs: tuple[Job[Any], ...] = ()
    """Every job, each after those that it needs."""

    results: tuple[Job[Any], ...] = ()
    """Those whose results, in this order, its evidence is made from."""


class Looks(Protocol):
    """Looking at an LLM's gates while it is asked, so that it may be asked in part."""

    after: tuple[Job[Any], ...]
    """What gives the answers that it is compared with."""

    parts: int
    """In how many parts it is asked at most; after each but the last there is a look."""

    def stages(self) -> Stages | None:
        """In which order rows are asked, and when to look; None: every row is asked. Called when all of `after` ended.

        Raises:
            GateError: whatever is asked, no gate could be judged.
        """

    def ended(self, answered: Answered) -> None:
        """Told how asking ended."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a method plans its jobs with."""

    dataset: Dataset
    data: DataSettings
    base: Path
    """The suite's folder: relative paths start here."""

    options: Options
    store: RunStore
    asking: Callable[[], LLMOptions]
    """How this session asks, with what may still be spent now."""

    jobs_of: Callable[[str], ContestantJobs]
    """The jobs of another contestant of the suite.

    Raises ModelCompareError: there is none of that name, they build on each other in a circle, or it cannot be run.
    """

    looks: Callable[[str], Looks | None] = lambda _: None
    """Of a contestant that may be asked in part."""


class MachinePrice(Protocol):
    """What the machine costs."""

    @property
    def utilisation(self) -> float:
        """Share of the paid hour in which it works."""

    def price_on(self, device: str) -> float | None:
        """USD per hour on a device; None where no price is known."""


@dataclass(frozen=True, slots=True)
class Known:
    """What evidence is made of beside a contestant's own results."""

    dataset: Dataset
    device_kind: str
    """The device that models predict on in this session."""

    prices: PriceTable | None = None
    """The suite's own."""

    machine_price: MachinePrice | None = None
    timing: Timing | None = None
    timings_at: Mapping[str, Timing | str] = field(default_factory=dict)
    """By what gates name in parentheses: a timing there, or why there is none."""

    trained: Sequence[Run] = ()
    """Every training that is paid for, where these are more than its own: of a sweep, all members'."""


class Method(ABC):
    """One way to answer the rows. A new one is one subclass."""

    key: ClassVar[str]
    """The method's key in a suite."""

    settings: ClassVar[type[Settings]]
    traits: ClassVar[Traits] = Traits()
    is_available: ClassVar[bool] = True
    """False: the format knows it, and this version refuses it."""

    def engine(self, settings: Any) -> Method:  # noqa: ARG002
        """The method that does the work with these settings; another one where they ask for that."""
        return self

    def builds_on(self, settings: Any) -> tuple[str, ...]:  # noqa: ARG002
        """The contestants whose results it works on."""
        return ()

    def figures(self, settings: Any) -> frozenset[str]:  # noqa: ARG002
        """The metrics whose values stand in the suite."""
        return frozenset()

    def may_stop(self, settings: Any) -> bool:  # noqa: ARG002
        """Whether the suite lets it answer in part, until its gates are decided."""
        return False

    def libraries(self, settings: Any) -> tuple[str, ...]:  # noqa: ARG002
        """What it works with, of the libraries that extras install; what is stored is replayed without them."""
        return ()

    @abstractmethod
    def jobs(self, spec: ContestantSpec, desk: Desk) -> ContestantJobs:
        """What must be done before there is evidence.

        Raises:
            ModelCompareError: it cannot be done, as far as that is known now.
        """

    @abstractmethod
    def evidence(self, spec: ContestantSpec, found: Sequence[Any], known: Known) -> Evidence | None:
        """What the results of `ContestantJobs.results` show; None: nothing, as nothing was to be done."""
