# What a person types. Everything runs in .venv, which `setup` makes; setting up twice costs nothing.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DAGSTER_HOME ?= $(CURDIR)

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo up install-services health-check log-summary verify-backup dashboard-update \
	dashboard-open check test test-long bench bench-volume eval chromium pictures lock clean

help: ## List these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 19

setup: $(VENV)/.setup ## Make .venv with everything a user needs

$(VENV)/.setup: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the packages of requirements.txt (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup-dev: $(VENV)/.setup-dev

$(VENV)/.setup-dev: requirements-dev.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the packages of requirements-dev.txt (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.setup

demo: setup ## The whole chain on a simulated fleet, in a home of its own
	@$(BIN)/rustbucket demo

up: setup ## Web UI and daemon on 127.0.0.1:3000, schedules running
	@$(BIN)/rustbucket up

install-services: setup ## Web UI, daemon and health checks as services of systemd; twice changes nothing
	@$(BIN)/rustbucket services install

health-check: setup ## How everything is, one line each
	@$(BIN)/rustbucket doctor

log-summary: setup ## Per job: how often it ran, how long it took, what failed
	@$(BIN)/rustbucket logs summary

verify-backup: setup ## Restore the newest backup beside the database, and compare
	@$(BIN)/rustbucket backup verify

dashboard-update: setup ## Write the dashboard's page anew
	@$(BIN)/rustbucket upkeep run dashboard

dashboard-open: setup ## Open the dashboard's page
	@$(BIN)/rustbucket dashboard open

check: setup-dev ## Style, types, import rules, definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/dg check defs

# One after the other: whole systems, whose seconds count, and what prints figures, which two at once would swallow.
TESTS := rustbucket_pipeline_tests
ONE_BY_ONE := $(addprefix $(TESTS)/,e2e control/cronrun chaos upkeep/test_outages.py events/test_session_day.py)
TWO_AT_ONCE := -n 2 --dist loadfile $(ONE_BY_ONE:%=--ignore %)

test: setup-dev chromium ## The tests
	$(BIN)/python -m pytest -m "not long" --durations=30 $(TWO_AT_ONCE)
	$(BIN)/python -m pytest -m "not long" --durations=10 $(ONE_BY_ONE)

test-long: setup-dev chromium ## The tests that take minutes, too
	$(BIN)/python -m pytest --durations=30 $(TWO_AT_ONCE)
	$(BIN)/python -m pytest --durations=10 $(ONE_BY_ONE)

bench: setup-dev ## Measure, and print the figures
	$(BIN)/python -m benchmarks

bench-volume: setup-dev ## Measure archiving at volume, against its goals
	$(BIN)/python -m benchmarks.volume

eval: setup-dev ## Print how good the analysis is: rules, grounding, injections, cost, recall (ARGS="--full")
	$(BIN)/python -m benchmarks.evaluation $(ARGS)

chromium:
	@test -x /usr/bin/chromium || { echo "installing Chromium, for what is tested in a browser"; \
	apt-get install -qq -y chromium >/dev/null || { apt-get update -qq && apt-get install -qq -y chromium >/dev/null; }; } || \
	echo "no Chromium: install it as /usr/bin/chromium, or the tests in a browser are left out"

pictures: setup-dev chromium ## Make the README's pictures again (in Chromium)
	$(BIN)/python -m docs.pictures

lock: ## Resolve the pinned requirements anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml --extra build --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q -c requirements.txt -o requirements-dev.txt

clean: ## Remove .venv and caches; homes with data stay
	rm -rf $(VENV) .ruff_cache .pytest_cache .hypothesis .import_linter_cache
