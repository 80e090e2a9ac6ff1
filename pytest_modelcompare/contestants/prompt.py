"""`prompt: PROVIDER:MODEL`: the settings of an LLM that is asked row by row."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from pytest_modelcompare.contestants.base import NotYet, Settings

PROVIDERS = ("anthropic", "openai", "local")


class PromptSettings(Settings):
    """Zero-shot, or with the first training rows as shots; the answer is restricted to the labels."""

    main: ClassVar[str] = "model"

    model: Annotated[str, Field(pattern=r"^[a-z]+:.+$")]
    """`anthropic:MODEL`. (`openai` and `local` are not available in this version.)"""

    instructions: str | None = None
    """The task in your words, or a .txt or .md file with them, relative to the suite. The label menu is added."""

    shots: Annotated[int, Field(ge=0)] = 0
    """How many training rows are shown with their labels. A row never sees itself or an equal text."""

    shots_by: Annotated[Literal["first", "random", "balanced", "nearest"], NotYet()] = "first"
    """Which training rows are shown."""

    scores: Annotated[Literal["none", "stated", "votes"], NotYet()] = "none"
    """Where a probability per label comes from."""

    max_output_tokens: Annotated[int, Field(ge=1)] = 256
    """An answer is cut here; thinking counts."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    """How hard the model thinks; by default the service's own."""

    max_concurrency: Annotated[int, Field(ge=1, le=200)] = 32
    """Requests in flight at once."""

    base_url: str | None = None
    """Another address that speaks the provider's protocol."""

    api_key_env: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")] = "ANTHROPIC_API_KEY"
    """The environment variable that holds the key. The key itself is never written anywhere."""

    batch: Annotated[bool, NotYet()] = False
    """Ask through the provider's batch API."""

    stop_when_decided: Annotated[bool, NotYet()] = False
    """Stop asking once every gate is decided."""

    recording: Annotated[str | None, NotYet()] = None
    """A file of answers beside the suite, to be committed."""

    optimise: Annotated[dict[str, int] | None, NotYet()] = None
    """Search instructions and shots on training rows."""

    @field_validator("model")
    @classmethod
    def known_provider(cls, model: str) -> str:
        provider = model.partition(":")[0]
        if provider not in PROVIDERS:
            raise ValueError(f"unknown provider `{provider}`: known are {', '.join(PROVIDERS)}")
        if provider != "anthropic":
            raise ValueError(f"the provider `{provider}` is not available in this version")
        return model
