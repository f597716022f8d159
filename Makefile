PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
export HOST PORT

.DEFAULT_GOAL := help
.PHONY: help setup run test bench faults format lock

help: ## This list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: ## Virtual environment, front-end files and a .env in demo mode
	@$(PYTHON) scripts/setup.py

run: setup ## Start everything with the demo organisation (HOST=, PORT=)
	@exec .venv/bin/python scripts/run.py

test: ## Set up and run every check and test on the real components (ARGS= goes to pytest)
	@$(PYTHON) scripts/setup.py --dev
	@.venv/bin/python scripts/test.py $(ARGS)

bench: ## Measure the engine and the pages, as ratios in one run
	@$(PYTHON) scripts/setup.py --dev
	@.venv/bin/python scripts/with_servers.py .venv/bin/python -m benchmarks

faults: ## Break the real servers under load, 200 times; nothing may be lost or done twice (SEED=, COUNT=; half an hour)
	@$(PYTHON) scripts/setup.py --dev
	@exec .venv/bin/python -m faults --count $(or $(COUNT),200) $(if $(SEED),--seed $(SEED))

format: ## Let ruff lay out the code
	@$(PYTHON) scripts/setup.py --dev
	@.venv/bin/python -m ruff check --fix --quiet . ; .venv/bin/python -m ruff format .

lock: ## Write the lock files anew from the .in files
	@for name in requirements requirements-dev requirements-node; do \
	  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate $$name.in --output-file $$name.txt; done
