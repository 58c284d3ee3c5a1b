# Everything there is to do here, one line each. `make` alone lists it.
MAKEFLAGS += --no-print-directory
# What the type checker fetches stays in the project.
export PYRIGHT_PYTHON_CACHE_DIR := $(CURDIR)/.stillwater/cache/pyright
PYTHON := .venv/bin/python
SPEED ?= 1
PATIENTS ?= 2
.DEFAULT_GOAL := help
.PHONY: help setup run demo test bench faults fuzz down format

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv with everything in it: libraries, Postgres, Java, Kafka. Needs Python 3.11 alone
	@sh deploy/local/setup.sh

run: setup ## Start the clinic and stay. SPEED=600 runs its calendar fast, PATIENTS=0 keeps the sandbox's away
	@exec $(PYTHON) -m deploy.local run --speed $(SPEED) --patients $(PATIENTS)

demo: setup ## Take seven made-up patients through the whole clinic, check every step, leave nothing behind
	@exec $(PYTHON) -m deploy.local demo

test: setup ## Format, lint, types, import rules, then every test
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m pyright
	@.venv/bin/lint-imports
	@$(PYTHON) -m pytest $(TESTS)

bench: setup ## Measure one thing: make bench NAME=start. Without NAME, list what can be measured
	@exec $(PYTHON) -m benchmarks $(NAME)

faults: setup ## Break a clinic on purpose, from a seed: RUNS=5 SEED=1 ONLY=kafka, or ONLY=point:after_publish. AGAIN=1 starts over
	@exec $(PYTHON) -m tests.faults $(if $(RUNS),--runs $(RUNS)) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY)) $(if $(AGAIN),--again)

fuzz: setup ## Ask every address of every service what nobody would think of: REQUESTS=20000 SEED=1
	@exec $(PYTHON) -m tests.fuzz $(if $(REQUESTS),--requests $(REQUESTS)) $(if $(SEED),--seed $(SEED))

down: ## Stop a clinic that runs. CLEAN=1 deletes its data as well
	@if [ -x $(PYTHON) ]; then exec $(PYTHON) -m deploy.local down $(if $(CLEAN),--clean); else echo "Nothing is running."; fi

format: setup ## Put the code into shape
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .
