"""`prompt: PROVIDER:MODEL`: the settings of an LLM that is asked row by row."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from pytest_modelcompare.llm.providers import LOCAL, provider_kind, provider_names
from pytest_modelcompare.records.addresses import is_web_address
from pytest_modelcompare.settings import Settings

NOT_LOCAL = ("base_url", "api_key_env", "effort")
"""Options that a model in this process has no use for."""


class PromptSettings(Settings):
    """Zero-shot, or with training rows as shots; the answer is restricted to the labels."""

    main: ClassVar[str] = "model"

    model: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*:.+$")]
    """`anthropic:MODEL`, `openai:MODEL` (or whatever speaks its protocol at `base_url`), `local:MODEL` (a causal
    language model through transformers, named as in `fine_tune`), or the provider that a conftest.py adds."""

    instructions: str | None = None
    """The task in your words, or a .txt or .md file with them, relative to the suite. The label menu is added."""

    shots: Annotated[int, Field(ge=0)] = 0
    """How many training rows are shown with their labels. A row never sees itself or an equal text."""

    shots_by: Literal["first", "random", "balanced", "nearest"] = "first"
    """Which training rows are shown: the first, random ones, as many of each label, or those nearest to the row."""

    shots_tokens: Annotated[int, Field(ge=1)] | None = None
    """What all shots may take together, estimated by characters; with `shots` left out, as many as fit are shown."""

    shots_seed: Annotated[int, Field(ge=0)] = 0
    """Starts the order of `random` and `balanced`."""

    shots_encoder: Annotated[str, Field(min_length=1)] | None = None
    """The encoder that says what is `nearest`, named as in `linear_probe`; by default TF-IDF."""

    scores: Literal["none", "stated", "votes"] = "none"
    """Where a probability per label comes from: none, as the model states them, or shares of several answers. Asked
    apart from the answer itself, which stays what it is; what only the scores cost is shown apart."""

    votes: Annotated[int, Field(ge=2, le=100)] = 5
    """Answers per row with `scores: votes`, each with labels and shots in another order; the plain one counts."""

    max_output_tokens: Annotated[int, Field(ge=1)] = 256
    """An answer is cut here; thinking counts."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    """How hard the model thinks; by default the service's own."""

    max_concurrency: Annotated[int, Field(ge=1, le=200)] = 32
    """Requests in flight at once."""

    base_url: str | None = None
    """Another address that speaks the provider's protocol."""

    api_key_env: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")] | None = None
    """The environment variable that holds the key, by default the provider's own: ANTHROPIC_API_KEY, OPENAI_API_KEY
    (which a `base_url` of your own may do without). The key itself is never written anywhere."""

    service_tier: Literal["default", "flex", "priority"] | None = None
    """Of `openai`: the tier that serves, at its own price. Left out, OpenAI itself is asked for `default`, whatever the
    project is set to; a server at a `base_url` of your own is asked for none."""

    batch: bool = False
    """Ask through the provider's batch API: at half price, within a day. What is under way when a run ends is
    collected by the next one. Such answers have no latency."""

    stop_when_decided: bool = False
    """Ask rows in a random order drawn beforehand, look at planned numbers of rows, and stop asking once every gate is
    decided. Gates that need all rows have all asked; `--modelcompare-plan` says which."""

    recording: Annotated[str, Field(pattern=r"\.jsonl(\.gz)?$")] | None = None
    """A file of answers (.jsonl or .jsonl.gz), relative to the suite, to be committed: what the store does not hold is
    taken from there, without key, cost or network. `modelcompare answers export` writes it,
    `--modelcompare-llm=refresh` writes it anew."""

    optimise: OptimiseSettings | None = None
    """Search instructions and shots on training rows, `{trials: 10, rows: 100}`, and ask the test rows with the prompt
    that did best there. `instructions` and `shots` are where the search starts; with `shots_by: nearest` only
    instructions are searched."""

    @field_validator("model")
    @classmethod
    def known_provider(cls, model: str) -> str:
        provider = model.partition(":")[0]
        if provider not in provider_names():
            raise ValueError(
                f"unknown provider `{provider}`: known are {', '.join(provider_names())}, "
                "and what a conftest.py adds when pytest runs"
            )
        return model

    @model_validator(mode="after")
    def options_that_belong_together(self) -> Self:
        """An option without its partner would be ignored in silence."""
        if self.shots_encoder is not None and self.shots_by != "nearest":
            raise ValueError("`shots_encoder` says what is nearest: it needs `shots_by: nearest`")
        if "votes" in self.model_fields_set and self.scores != "votes":
            raise ValueError("`votes` needs `scores: votes`")
        kind = provider_kind(self.provider)
        if self.base_url is not None and kind.url_env is not None and not is_web_address(self.base_url):
            raise ValueError("`base_url` is http://HOST or https://HOST, with a port and a path where it has them")
        if self.batch and not kind.batches:
            raise ValueError(f"`{self.provider}` has no batches here: leave `batch` out")
        if self.service_tier is not None and self.provider != "openai":
            raise ValueError("`service_tier` belongs to `openai`: leave it out")
        if self.provider == LOCAL:
            useless = [name for name in NOT_LOCAL if getattr(self, name) is not None]
            if useless:
                raise ValueError(f"a model in this process has no `{useless[0]}`")
            if self.recording is not None or self.stop_when_decided:
                name = "stop_when_decided" if self.stop_when_decided else "recording"
                raise ValueError(f"a model in this process costs nothing to ask: leave `{name}` out")
            if self.optimise is not None:
                raise ValueError("a local model gives likelihoods and writes no instructions: leave `optimise` out")
            if self.scores != "none":
                raise ValueError("a local model's scores are the likelihoods of the labels: leave `scores` out")
        return self

    @property
    def provider(self) -> str:
        """The part of `model` before the colon."""
        return self.model.partition(":")[0]


class OptimiseSettings(Settings):
    """Tries prompts on training rows before a test row is asked, and keeps the best. Needs the extra `dspy`."""

    main: ClassVar[str] = ""

    trials: Annotated[int, Field(ge=2, le=200)]
    """How many prompts are tried, the one that the suite gives included."""

    rows: Annotated[int, Field(ge=2)]
    """So many training rows are held out, and every prompt is tried on them. Shots come from the others."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Starts what is drawn; with another seed the search is made anew."""
