# Every command a person or CI runs. Each target does its own set-up; `make help` explains them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.set-up
MEMBERS := shared sandbox $(wildcard services/*)
# A client that hangs is a failed test, not a night of waiting.
PYTEST := $(BIN)/pytest --timeout=600
# Whole files to one process a core; each has a PostgreSQL and a Kafka of its own where a test wants them.
SHARED_OUT := -n auto --maxprocesses 4 --dist loadfile

# uv asks the index that pip is told of, and trusts the certificates of the machine.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
export UV_SYSTEM_CERTS ?= 1
export UV_PROJECT_ENVIRONMENT := $(VENV)

.PHONY: help setup lock demo up down status check format clean bench bench-case bench-contributions verify \
	test test-unit test-contract test-integration test-e2e test-faults

help: ## explain every target
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  \1\t/' | expand -t 22

setup: $(READY) ## make the environment .venv from requirements.lock; the second time it is instant

$(READY): requirements.lock pyproject.toml $(addsuffix /pyproject.toml,$(MEMBERS))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Daozhang needs Python 3.11 or newer; $$($(PYTHON) --version 2>&1) was found. Try: make $(or $(MAKECMDGOALS),help) PYTHON=python3.11"; exit 1; }
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@# uv itself comes by pip, with the hash that the lock has for it.
	@$(BIN)/uv --version >/dev/null 2>&1 || { \
		echo "Making $(VENV) ..."; \
		awk '/^uv==/ {found=1} found {print} found && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.lock; \
		$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r $(VENV)/uv.lock; }
	@echo "Installing what requirements.lock names ..."
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-index --no-build-isolation $(addprefix -e ./,$(MEMBERS))
	@echo "Fetching Apache Kafka and checking it against its lock ..."
	@$(BIN)/python -m deploy.embedded fetch-jars
	@touch $@

lock: $(READY) ## renew requirements.lock and the lock of Kafka's jars
	@$(BIN)/uv lock
	@$(BIN)/uv export --quiet --no-emit-workspace --all-packages --all-groups -o requirements.lock
	@$(BIN)/python -m deploy.embedded lock-jars

demo: $(READY) ## play October 2024 on the real parts, from salary to record; ends with the table of cells
	@$(BIN)/python -m deploy.embedded demo

up: $(READY) ## start everything in the background, keep its data, print addresses and sign-ins
	@$(BIN)/python -m deploy.embedded up

down: $(READY) ## stop what `make up` started and leave no process; the data stays
	@$(BIN)/python -m deploy.embedded down

status: $(READY) ## show which parts run and are ready
	@$(BIN)/python -m deploy.embedded status

verify: $(READY) ## hold what `make up` runs against every invariant; prints what is broken
	@$(BIN)/python -m tests.support.invariants

check: $(READY) ## formatting, lint, types and import contracts
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY) ## format the code and repair what lint can
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

test: $(READY) ## all tests that every change must pass; those marked `long` have targets of their own
	@$(PYTEST) $(SHARED_OUT) -m "not long" tests/unit tests/contract tests/integration
	@$(PYTEST) -m "not long" tests/e2e $(wildcard tests/faults)

test-unit: $(READY) ## pure functions; no server
	@$(PYTEST) $(SHARED_OUT) tests/unit

test-contract: $(READY) ## events, schemas and OpenAPI against what is committed
	@$(PYTEST) $(SHARED_OUT) tests/contract

test-integration: $(READY) ## each service on real PostgreSQL and real Kafka
	@$(PYTEST) $(SHARED_OUT) tests/integration

test-e2e: $(READY) ## all processes, the case from end to end, its long variants too
	@$(PYTEST) tests/e2e

test-faults: $(READY) ## kills, pauses and cuts at their full length, with the invariants checked after
	@$(PYTEST) tests/faults

bench: $(READY) ## measure each figure that the docs quote
	@for script in $(wildcard bench/[a-z]*.py); do PYTHONPATH=. $(BIN)/python $$script; done

bench-case: $(READY) ## where the time of the October case goes: phases, events, CPU an event, memory
	@PYTHONPATH=. $(BIN)/python bench/case.py

bench-contributions: $(READY) ## contributions calculated: ours beside its peers, then the whole path beside bare COPY
	@PYTHONPATH=. $(BIN)/python bench/contributions.py

clean: ## stop everything and remove all that was made: data, caches, environment
	@if [ -e $(READY) ]; then $(BIN)/python -m deploy.embedded down; fi
	@rm -rf var .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
