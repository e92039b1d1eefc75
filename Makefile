# Everything runs in .venv, which is made and filled when first needed; nothing has to be activated.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true
export HF_HUB_OFFLINE := 1
# One thread each: the jobs are small, and two processes that take all the cores each slow one another down.
export OMP_NUM_THREADS := 1

.PHONY: help install demo ui test test-all lint bench bench-full clean

help:          ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*##/\t/' | expand -t 14

install: $(STAMP)  ## make .venv and install everything into it

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[onprem,dev]'
	touch $@

demo: $(STAMP)     ## a real server, four real jobs, a better model: about a minute
	$(BIN)/python -m experiments demo

ui: $(STAMP)       ## open what the jobs have shown
	$(BIN)/tracker ui

test: $(STAMP)     ## the tests that need no system package, under 10 minutes
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow and not browser and not postgres and not ray"

test-all: $(STAMP) ## all tests: browser, PostgreSQL, long ones
	$(BIN)/python -m pytest -q --timeout=1800  # long training, on a busy machine

lint: $(STAMP)     ## ruff's rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(STAMP)    ## the advisor against others, the tracker against the bare store, under 15 minutes
	$(BIN)/python -m experiments.benchmark
	$(BIN)/python -m experiments.benchmark.live
	$(BIN)/python -m experiments.benchmark.told
	$(BIN)/python -m experiments.benchmark.speed
	$(BIN)/python -m experiments.benchmark.tracking

bench-full: $(STAMP)  ## the same at full size
	$(BIN)/python -m experiments.benchmark --full
	$(BIN)/python -m experiments.benchmark.tracking --full

clean:         ## remove .venv and caches; mlruns/ stays
	rm -rf .venv .pytest_cache .ruff_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
