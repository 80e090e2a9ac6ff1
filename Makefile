# Two commands for a new user: `make demo` and `make test`. Both make a virtual environment in .venv when there is none.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
FAST := -m "not slow and not gpu" -n 2 --dist loadfile

# Compiled modules are kept: the tests start some hundred processes, and pytest rewrites what they import.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo quick test test-all coverage lint types imports docs check changelog constraints clean

demo: $(VENV)/.demo
	$(PYTEST) --modelcompare example_suites/quickstart

# under half a minute: the tests nearest to what changed, as many as fit (tests/quick.py)
quick: $(VENV)/.test
	$(PYTEST) -q $(FAST) $$($(BIN)/python -m tests.quick)

test: $(VENV)/.test
	$(PYTEST) $(FAST) --durations=10

test-all: $(VENV)/.test
	$(PYTEST)

# lines and branches; fails below the floor of pyproject.toml
coverage: $(VENV)/.test
	$(PYTEST) -q $(FAST) --cov=pytest_modelcompare

# what a hosted repository reads is held against its schemas: it cannot be run here
lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff

types: $(VENV)/.test
	$(BIN)/mypy

imports: $(VENV)/.test
	$(BIN)/lint-imports

docs: $(VENV)/.test
	$(BIN)/python -m mkdocs build --strict --site-dir site

check: lint types imports docs

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[demo]'
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[demo,test]'
	touch $@ $(VENV)/.demo

# what the fragments in changelog.d/ would add to CHANGELOG.md
changelog: $(VENV)/.test
	$(BIN)/towncrier build --draft

# write constraints.txt anew from what is installed
constraints: $(VENV)/.test
	{ head -n 1 constraints.txt; $(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' | tr A-Z a-z; } > constraints.new
	mv constraints.new constraints.txt

clean:
	rm -rf $(VENV) .modelcompare site build dist *.egg-info
