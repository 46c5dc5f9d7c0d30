# Everything a newcomer needs; `make` prints this list.
PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin
QUICKSTART ?= quickstart
# One process per core, each with the tests of whole files, which share what they train.
WORKERS := -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help install dev quickstart test test-all lint format bench clean

help: ## Print what can be made
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## Make the environment with the embedded datasets
dev: $(VENV)/.developer ## Make the environment with the tools of a developer

quickstart: $(VENV)/.installed ## Train on real flights, write a synthetic dataset and a report (about 4 minutes)
	$(RUN)/genmodels train data=flights run=$(QUICKSTART)/run overwrite=true
	$(RUN)/genmodels sample run=$(QUICKSTART)/run n=30000 out=$(QUICKSTART)/synthetic overwrite=true
	$(RUN)/genmodels evaluate run=$(QUICKSTART)/run synthetic=$(QUICKSTART)/synthetic out=$(QUICKSTART)/report
	@echo
	@echo "Synthetic flights:  $(QUICKSTART)/synthetic/data/"
	@echo "Report:             $(QUICKSTART)/report/report.html"
	@echo "Training curves:    $(RUN)/tensorboard --logdir $(QUICKSTART)/run"

test: $(VENV)/.developer lint ## Lint, type-check and test (about 20 minutes on two cores)
	$(RUN)/python -m pytest -m "not slow" $(WORKERS)

test-all: $(VENV)/.developer lint ## The same with the slow tests
	$(RUN)/python -m pytest $(WORKERS)

lint: $(VENV)/.developer ## ruff and mypy
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy

format: $(VENV)/.developer ## Let ruff mend what it can
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .

bench: $(VENV)/.developer ## Measure against the reference implementations and renew RESULTS.md (two hours)
	$(RUN)/python scripts/benchmarks/all.py

clean: ## Remove the environment and everything that was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache $(QUICKSTART)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "genmodels needs Python 3.11 or newer; say which one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(RUN)/python -m pip install --disable-pip-version-check --editable '.[datasets]'
	@touch $@

$(VENV)/.developer: pyproject.toml | $(VENV)/bin/python
	$(RUN)/python -m pip install --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.installed
