# make demo   sets up, then twins the built-in census sample into out/
# make test   sets up, then runs every test and check
# make lint   formatting, lint and types only
# make bench  measures us beside our peers (DATA=folder of data sets; takes hours)

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
BUILT_FROM := pyproject.toml setup.py constraints.txt $(wildcard src/kernel/*.[ch])

.PHONY: demo test lint bench clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.base
	$(BIN)/tuckpoint make src/tuckpoint/data/census.csv.gz --target income --output out --overwrite

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal
	$(MAKE) lint

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.dev
	@[ -n "$(DATA)" ] || { echo "say where the data sets are: make bench DATA=folder"; exit 1; }
	$(BIN)/python -m bench.tables.run $(DATA)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tuckpoint needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(BUILT_FROM) | $(BIN)/python
	$(PIP) install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(BUILT_FROM) | $(BIN)/python
	$(PIP) install --quiet -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.base

clean:
	rm -rf $(VENV) build out
