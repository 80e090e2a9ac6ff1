"""From a file to a checked suite; every problem of the file at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_modelcompare.errors import Problem, SuiteError
from pytest_modelcompare.methods.registry import method_of
from pytest_modelcompare.suite.contestants import contestant_specs
from pytest_modelcompare.suite.document import Document
from pytest_modelcompare.suite.gates import gate_specs
from pytest_modelcompare.suite.model import FORMAT, Suite, SuiteSettings
from pytest_modelcompare.suite.validate import unknown_key, validated
from pytest_modelcompare.suite.yaml_reader import read_document

NO_GATES = "name under `gates:` the claims that must hold; `gates: []` only shows what was measured"


def load_suite(path: Path, shown: str | None = None) -> Suite:
    """Read and check a suite file.

    Args:
        shown: what problems call the file; by default its path as given.

    Raises:
        SuiteError: carries every problem, each with its line and column.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SuiteError(shown or str(path), (Problem(f"cannot be read: {error.strerror}"),)) from error
    return suite_of(read_document(shown or str(path), content), path)


def suite_of(document: Document, path: Path) -> Suite:
    """A suite from its parsed file.

    Raises:
        SuiteError: carries every problem of the document.
    """
    data = dict(document.data) if isinstance(document.data, dict) else {}
    for key in [key for key in data if key not in SuiteSettings.model_fields]:
        unknown_key(str(key), (key,), document, SuiteSettings.model_fields)
        del data[key]
    if "modelcompare" in data and data["modelcompare"] != FORMAT:
        what = f"this suite is of format {data['modelcompare']!r}, and this version reads format {FORMAT}"
        document.add(what, document.place(("modelcompare",)), f"write `modelcompare: {FORMAT}`, or update this package")
        data["modelcompare"] = FORMAT
    if data.get("gates") is None:
        data["gates"] = []
        document.add("the suite has no gates", document.place(("gates",), key=True), NO_GATES)
    settings = validated(SuiteSettings, data, document, ())
    contestants, defaults = mapping_of(data, "contestants"), mapping_of(data, "defaults")
    specs = contestant_specs(contestants, defaults, document)
    gates = settings.gates if settings is not None else list_of(data, "gates")
    labels = settings.data.label_names if settings is not None else None
    found = gate_specs(gates, contestants, specs, labels, document)
    if settings is not None:
        require_training_rows(settings, specs, document)
    if document.problems or settings is None:
        # what several contestants inherit from `defaults:` is one problem
        raise SuiteError(document.path, tuple(dict.fromkeys(document.problems)), document.source)
    return Suite(
        path.resolve(),
        settings.name or path.name.split(".")[0],
        settings.data,
        specs,
        found,
        settings.compute,
        settings.budget,
        {model: price.as_prices() for model, price in settings.prices.items()},
        settings.confidence,
        settings.undecided,
        settings.min_coverage,
        settings.references,
    )


def mapping_of(data: dict[str, Any], key: str) -> dict[str, dict[str, Any]]:
    """A mapping of mappings, as far as it is one."""
    value = data.get(key)
    return (
        {str(name): part for name, part in value.items() if isinstance(part, dict)} if isinstance(value, dict) else {}
    )


def list_of(data: dict[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    return value if isinstance(value, list) else []


def require_training_rows(settings: SuiteSettings, specs: dict[str, Any], document: Document) -> None:
    """Data that cannot be put together, and trainings without rows to train on."""
    data = settings.data
    place = document.place(("data",), key=True)
    if data.split is not None and (data.test is not None or data.train is None):
        document.add("`split` makes the test rows out of `train`", place, "name `train` and leave `test` out")
    elif data.split is None and data.test is None:
        document.add("no test rows", place, "name `test:`, or `split: {test: 0.2}` to make them out of `train:`")
    trained = [name for name, spec in specs.items() if method_of(spec).traits.trains]
    if trained and data.train is None:
        document.add(f"`{trained[0]}` is trained, and the suite names no training rows", place, "name `train:`")
