# Everything from a fresh clone, with nothing but Python 3.11+, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test torture lint schema lock clean

$(VENV)/.installed: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

# Everything, with a demo account; VETRINA_DATA and VETRINA_PORT are honoured. Ctrl-C ends it.
run: $(VENV)/.installed
	$(BIN)/vetrina up --demo

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2 -q

# Kills at random times under load, VETRINA_TORTURE_KILLS of them (200).
torture: $(VENV)/.installed
	$(BIN)/python -m pytest -q -s -m torture

lint: $(VENV)/.installed
	$(BIN)/ruff check src tests scripts bench
	$(BIN)/pyright
	$(BIN)/lint-imports

# schema.sql, from the migrations; a test fails while it is out of date.
schema: $(VENV)/.installed
	$(BIN)/python -m scripts.schema

lock:
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements-dev.lock
