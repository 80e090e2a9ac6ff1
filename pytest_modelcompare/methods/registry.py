"""Every method by its key. The engines behind them load their libraries when they work."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.methods.base import ContestantSpec, Method
from pytest_modelcompare.methods.fine_tune import FineTune
from pytest_modelcompare.methods.later import Cascade, Distill, Lora
from pytest_modelcompare.methods.linear_probe import LinearProbe
from pytest_modelcompare.methods.local import LocalMethod
from pytest_modelcompare.methods.local_prompt import LocalPrompt
from pytest_modelcompare.methods.predictions import Recorded
from pytest_modelcompare.methods.prompt import Prompt
from pytest_modelcompare.methods.published import Published
from pytest_modelcompare.methods.tfidf import Tfidf
from pytest_modelcompare.methods.zero_shot import ZeroShot
from pytest_modelcompare.records.traits import Traits

BUILT_IN: tuple[Method, ...] = (
    FineTune(),
    Lora(),
    LinearProbe(),
    Tfidf(),
    ZeroShot(),
    Prompt(),
    Distill(),
    Cascade(),
    Recorded(),
    Published(),
)
NAME = re.compile(r"[a-z][a-z0-9_]*")

_by_key: dict[str, Method] = {method.key: method for method in BUILT_IN}
METHODS: Mapping[str, Method] = MappingProxyType(_by_key)
"""The methods that a suite may name, those too that a conftest.py added."""

_engines: dict[str, Method] = {LocalPrompt.key: LocalPrompt()}
"""Methods that others hand the work to."""


def method_of(spec: ContestantSpec) -> Method:
    """The method that does a contestant's work."""
    return _engines.get(spec.method) or _by_key[spec.method]


def local_method_of(spec: ContestantSpec) -> LocalMethod | None:
    """The same, of a contestant that computes on this machine; None of others."""
    method = method_of(spec)
    return method if isinstance(method, LocalMethod) else None


def traits_of(key: str) -> Traits:
    """Of a method by its key, as reports name it; of one that is not known here, no traits but rows."""
    method = _engines.get(key) or _by_key.get(key)
    return Traits() if method is None else method.traits


def libraries_of(spec: ContestantSpec) -> tuple[str, ...]:
    """What a contestant is trained or asked with, of the libraries that extras install; replaying takes none."""
    return method_of(spec).libraries(spec.settings)


def register(method: Method) -> Callable[[], None]:
    """Make a method known in this process.

    Returns:
        what makes it unknown again.

    Raises:
        ModelCompareError: its key is no name or is taken.
    """
    if not NAME.fullmatch(method.key):
        fix = "lower case letters, digits and _, a letter first"
        raise ModelCompareError(f"`{method.key}` is no name for a method", fix=fix)
    taken = _by_key.get(method.key)
    if taken in BUILT_IN:
        raise ModelCompareError(f"the method `{method.key}` is built in", fix="give yours another name")
    _by_key[method.key] = method

    def forget() -> None:
        if _by_key.get(method.key) is method:
            del _by_key[method.key]

    return forget
