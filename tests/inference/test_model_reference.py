from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.model_reference import hub_commit, local_folder, model_folder, weights_digest


@pytest.fixture
def folder(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    return model


def test_a_path_starts_at_the_suites_folder(folder, tmp_path):
    assert local_folder("model", tmp_path) == folder.resolve()
    assert local_folder("./model", tmp_path) == folder.resolve()


def test_a_name_that_is_no_folder_is_a_hub_id(tmp_path):
    assert local_folder("org/name@v1.0", tmp_path) is None


@pytest.mark.parametrize("reference", ["./nowhere", "/no/such/folder", "a b", "package:no_such_package_x/model"])
def test_what_is_not_there_is_an_error_that_says_where(reference, tmp_path):
    with pytest.raises(ModelError) as failure:
        local_folder(reference, tmp_path)
    assert failure.value.where == reference
    assert failure.value.fix


def test_a_package_is_found_without_importing_it(tmp_path):
    package = tmp_path / "weights_for_a_test"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    code = (
        "from pathlib import Path; from pytest_modelcompare.inference.model_reference import local_folder;"
        "print(local_folder('package:weights_for_a_test/model', Path()))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == (package / "model").resolve()


def test_a_path_that_leads_out_of_a_package_is_refused(tmp_path):
    with pytest.raises(ModelError, match="leads out of the package"):
        local_folder("package:numpy/../..", tmp_path)


def test_pickled_weights_are_refused_unless_the_suite_says_so(folder, tmp_path):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"no weights as safetensors\n.*weights: pickle"):
        model_folder("model", tmp_path)
    assert model_folder("model", tmp_path, weights="pickle") == folder.resolve()


def test_a_hub_ids_commit_is_read_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    ref = tmp_path / "models--org--name" / "refs" / "main"
    ref.parent.mkdir(parents=True)
    ref.write_text("c" * 40)
    assert hub_commit("org/name") == "c" * 40
    assert hub_commit("org/name@" + "d" * 40) == "d" * 40
    assert weights_digest("org/name", tmp_path) == "hub:org/name@" + "c" * 40


def test_the_digest_follows_contents_and_not_place_or_readme(folder, tmp_path):
    first = weights_digest("model", tmp_path)
    (folder / "README.md").write_text("hello")
    moved = folder.rename(tmp_path / "moved")
    assert weights_digest("moved", tmp_path) == first
    (moved / "model.safetensors").write_bytes(b"weightz")
    assert weights_digest("moved", tmp_path) != first


def test_the_digest_imports_no_torch(folder, tmp_path):
    code = (
        "import sys; from pathlib import Path; from pytest_modelcompare.methods.fine_tune import *;from pytest_modelcompare.methods.fitting import FineTuneSettings;import pytest_modelcompare.methods.registry;"
        f"FineTune().weights_digest(FineTuneSettings(model='model'), Path({str(tmp_path)!r}));"
        "assert not {'torch', 'transformers', 'sklearn', 'huggingface_hub', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_hub_out_of_reach_is_an_error_with_a_way_out(tmp_path):
    code = (
        "from pathlib import Path; from pytest_modelcompare.inference.model_reference import weights_digest;"
        "from pytest_modelcompare.errors import ModelError\n"
        "try: weights_digest('org/name', Path())\n"
        "except ModelError as error: print(error)"
    )
    environment = os.environ | {"HF_HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_CACHE": ""}
    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.startswith("org/name: it is no folder here, and the model hub does not give it")
    assert "package:MODULE/SUBPATH" in said.stdout
