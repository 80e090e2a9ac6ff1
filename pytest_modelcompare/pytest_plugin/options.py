"""pytest's options and ini values as the session's options."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any, get_args

import pytest

from pytest_modelcompare.execution.executors import BUILT_IN, installed_executors
from pytest_modelcompare.records.options import LLMMode, Options
from pytest_modelcompare.reports.formats import FORMATS

DEVICES = ("auto", "cpu", "cuda", "mps")


def session_options(config: pytest.Config) -> Options:
    """Read and check every option.

    Raises:
        pytest.UsageError: a value is unknown, or asks for what this version cannot do.
    """
    option = config.option
    refuse_unjudged_acceptance(config)
    refresh_in_ini = option.modelcompare_llm is None and config.getini("modelcompare_llm") == "refresh"
    if refresh_in_ini:
        raise pytest.UsageError(
            "modelcompare_llm = refresh asks and pays anew every time: give --modelcompare-llm=refresh for one run"
        )
    return Options(
        store=store_folder(config),
        session=session_id(config),
        device=one_of(config, "device", DEVICES),
        llm=one_of(config, "llm", get_args(LLMMode)),
        budget_usd=budget_usd(config),
        fresh=option.modelcompare_fresh,
        smoke=option.modelcompare_smoke,
        accept=option.modelcompare_accept,
        jobs_at_once=jobs_at_once(config),
        executor=executor(config),
    )


def valued(config: pytest.Config, name: str) -> Any:
    """The command line's value of an option, else its ini twin's."""
    given = getattr(config.option, f"modelcompare_{name}")
    return config.getini(f"modelcompare_{name}") if given is None else given


def one_of(config: pytest.Config, name: str, choices: tuple[str, ...]) -> Any:
    value = valued(config, name)
    if value not in choices:
        raise pytest.UsageError(f"--modelcompare-{name}={value}: choose one of {', '.join(choices)}")
    return value


def budget_usd(config: pytest.Config) -> float | None:
    text = valued(config, "budget")
    if text == "":
        return None
    try:
        usd = float(text)
    except ValueError:
        usd = -1.0
    if not 0 <= usd < float("inf"):
        raise pytest.UsageError(f"--modelcompare-budget={text}: give an amount in USD, for example 2.50")
    return usd


def jobs_at_once(config: pytest.Config) -> int | None:
    text = valued(config, "jobs")
    if text == "":
        return None
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise pytest.UsageError(f"--modelcompare-jobs={text}: give a whole number from 1 on")
    return int(text)


def store_folder(config: pytest.Config) -> Path:
    """The store: relative to where pytest was started if given there, to the rootdir if in the ini file."""
    if given := config.option.modelcompare_store:
        return Path(config.invocation_params.dir, given).resolve()
    return Path(config.rootpath, config.getini("modelcompare_store") or ".modelcompare").resolve()


def report_paths(config: pytest.Config) -> list[Path]:
    """Where to write reports, all of them known formats."""
    base = config.invocation_params.dir if config.option.modelcompare_report else config.rootpath
    paths = [Path(base, name) for name in valued(config, "report")]
    for path in paths:
        if path.suffix not in FORMATS:
            raise pytest.UsageError(
                f"--modelcompare-report={path.name}: the format is told by the suffix; give {', '.join(FORMATS)}"
            )
    return paths


def refuse_unjudged_acceptance(config: pytest.Config) -> None:
    if config.option.modelcompare_accept and (config.option.modelcompare_smoke or config.option.modelcompare_plan):
        raise pytest.UsageError("--modelcompare-accept needs a judged run: leave out --modelcompare-smoke and -plan")


def session_id(config: pytest.Config) -> str:
    """One name for the whole session: xdist's run id where there is one."""
    worker = getattr(config, "workerinput", None)
    return str(worker["testrunuid"]) if worker else uuid.uuid4().hex


def executor(config: pytest.Config) -> str:
    """Where trainings run; `local` is the former name of `here`."""
    name = valued(config, "executor")
    if name == "local":
        return "here"
    if name in ("auto", *BUILT_IN) or name in (installed := installed_executors()):  # these are asked for last
        return str(name)
    known = ", ".join(("auto", *installed))
    raise pytest.UsageError(f"--modelcompare-executor={name}: there is none of that name; installed are {known}")
