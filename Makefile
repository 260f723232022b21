# Everything from a fresh clone, with nothing but Python 3.11+, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Some images of Python set it; then each of the processes that a run or a test starts compiles everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test coverage check quick torture bench lint schema reference landed messages lock

# The whole of Vetrina, with a demo account, until Ctrl-C. VETRINA_DATA and VETRINA_PORT say where. Its letters stay in
# its outbox (/outbox), unless VETRINA_DEVELOPMENT=0. ARGS=--with-fakes imitates Stripe and ZarinPal: one pays by card.
run: $(VENV)/.ready
	@echo "Starting PostgreSQL, the web site and a worker; the address and the passwords come last. Ctrl-C stops everything"
	@VETRINA_DEVELOPMENT=$${VETRINA_DEVELOPMENT:-1} $(BIN)/python -m vetrina up --demo $(ARGS)

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Vetrina needs Python 3.11 or newer, and $(PYTHON) is not. Name another one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Creating a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# What it takes to run.
$(VENV)/.ready: $(VENV)/.python requirements.lock pyproject.toml
	@echo "Installing $$(grep -c '^[a-z].*==' requirements.lock) packages to run Vetrina, once; this takes a minute or two"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@echo "Installed"
	@touch $@

# What it takes to test, too.
$(VENV)/.installed: $(VENV)/.python requirements-dev.lock pyproject.toml
	@echo "Installing $$(grep -c '^[a-z].*==' requirements-dev.lock) packages to test Vetrina, once; this takes a minute or two"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@echo "Installed"
	@touch $@ $(VENV)/.ready

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2 --dist worksteal -q

# The same, measuring which lines of src/ run, in the processes that tests start as well. Fails under the floor in pyproject.toml.
coverage: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2 --dist worksteal -q --cov --cov-report=term

# Within a minute, before a change is handed in: what lint says, the rules, and the quick tests of several modules.
check: $(VENV)/.installed
	@$(MAKE) --no-print-directory --jobs=2 lint quick

QUICK := rules web wallet accounts/sessions studio/test_start.py studio/test_batch.py payments/test_api.py stripe_mirror/test_webhook.py
quick: $(VENV)/.installed
	VETRINA_TEST_PROFILE=fast $(BIN)/python -m pytest -q $(addprefix tests/,$(QUICK))

# Kills at random times under load, VETRINA_TORTURE_KILLS of them (200); generated requests to every
# operation of the API as every kind of caller, VETRINA_TORTURE_CASES of them (100000).
torture: $(VENV)/.installed
	$(BIN)/python -m pytest -q -s -m torture

# How fast the hot paths are, as ratios against PostgreSQL's own limit in the same run; on a quiet machine.
bench: $(VENV)/.installed
	$(BIN)/python -m bench

lint: $(VENV)/.installed
	$(BIN)/ruff check src tests scripts bench
	$(BIN)/ruff format --check src tests scripts bench
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet src/vetrina
	$(BIN)/squawk migrations/[0-9]*.sql

# schema.sql, from the migrations; a test fails while it is out of date.
schema: $(VENV)/.installed
	$(BIN)/python -m scripts.schema

# Lists new migrations in migrations/landed.sha256, in the commit that lands them; from then on their files never change.
landed: $(VENV)/.installed
	$(BIN)/python -m scripts.landed

# The catalogues of messages, from templates and code; then translate what is empty in the .po files and run it again.
messages: $(VENV)/.installed
	$(BIN)/python -m scripts.messages

# docs/cli.md, docs/data-model.md, docs/decisions/README.md; a test fails while they are out of date.
reference: $(VENV)/.installed
	$(BIN)/python -m scripts.reference

lock:
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements-dev.lock
