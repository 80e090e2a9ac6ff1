"""The how-to pages whose blocks make a whole are run: their files written, their commands run, in order."""

from __future__ import annotations

import shutil

import pytest

from tests.docs.blocks import ROOT, Page, blocks
from tests.llm.anthropic_server import KEY, serving
from tests.pytest_plugin.conftest import Project, small_project

HOW_TO = ROOT / "docs" / "how-to"
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    return small_project(pytester)


@pytest.mark.parametrize(
    "name", [pytest.param("first-gate", marks=pytest.mark.slow), "own-metric", "own-method", "own-provider"]
)
def test_a_page_does_what_it_shows(project: Project, name: str):
    Page(project.pytester.path, ONE_THREAD).run(blocks(HOW_TO / f"{name}.md"))


@pytest.mark.slow
def test_a_recording_replays_without_key_store_and_service(project: Project):
    suite, with_key, without, nightly = [one for one in blocks(HOW_TO / "ci-without-a-key.md") if one.language]
    folder = project.pytester.path
    with serving(lambda text, _: "spam" if "free" in text or "win" in text else "ham") as service:
        keyed = Page(folder, {**ONE_THREAD, "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": service.url})
        keyed.run([suite, with_key])
        asked, address = service.calls, service.url
    shutil.rmtree(folder / ".modelcompare")
    bare = Page(folder, {**ONE_THREAD, "ANTHROPIC_API_KEY": "", "ANTHROPIC_BASE_URL": address})
    bare.run([without])
    assert asked == 200
    assert "1 passed" in bare.printed
    assert "--modelcompare-llm=refresh" in nightly.code


def test_every_page_with_files_is_run():
    run = {"first-gate.md", "own-metric.md", "own-method.md", "own-provider.md", "ci-without-a-key.md", "tutorial.md"}
    with_files = {page.name for page in (ROOT / "docs").rglob("*.md") if any(one.title for one in blocks(page))}
    assert with_files == run
