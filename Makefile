# Every target sets itself up: Python 3.11, make and a package index are all it needs.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test check bench bench-study bench-profile bench-overhead case-studies chaos dev clean

demo: $(VENV)/.product
	$(BIN)/regtune demo $(ARGS)

# Two workers at once; what trains on both of Keras' backends; last the promises, whose table one process prints.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile
test: check
	$(PYTEST) --ignore=tests/chaos --ignore=tests/contracts/test_ledger_machine.py $(ARGS)
	KERAS_BACKEND=jax $(PYTEST) tests/trials/engine tests/trials/layers tests/contracts/test_regularizers.py $(ARGS)
	$(BIN)/python -m tests.chaos --short

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# The engine against `fit`; a whole study against other tools (minutes; installs them); the service's own cost.
bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.engine $(ARGS)

bench-study: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --constraint constraints.txt '.[bench]'
	$(BIN)/python -m benchmarks.study $(ARGS)

bench-profile: $(VENV)/.dev
	$(BIN)/python -m benchmarks.profile $(ARGS)

bench-overhead: $(VENV)/.dev
	$(BIN)/python -m benchmarks.overhead $(ARGS)

# Runs the case studies that have no export yet (minutes to hours), and writes docs/case-studies.md.
case-studies: $(VENV)/.dev
	$(BIN)/python -m benchmarks.case_studies $(ARGS)

# The service's promises under fire, in the long form.
chaos: $(VENV)/.dev
	$(BIN)/python -m tests.chaos $(ARGS)

dev: $(VENV)/.dev

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.product: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[cpu]'
	touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.product

clean:
	rm -rf $(VENV) .regtune .mypy_cache .ruff_cache .pytest_cache
