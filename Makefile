# Set-up, tests and the demonstration. `make help` lists the targets.
#
# Everything is installed into .venv from requirements/*.txt, where each file has its hash. A stamp file tells that an
# environment stands, so that a second call costs nothing.

SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin
ARGS ?=
# pip and uv trust the certificates of the machine; uv never fetches interpreters by itself
export UV_SYSTEM_CERTS := true
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# bytecode is written once, at installation; without it every process that is started compiles what it imports anew
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE

LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-emit-package mop-client --no-emit-package mop-utils --no-header --quiet

.PHONY: help demo up test test-second coverage test-all check lock package clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.runtime ## onboard the text sample for real and keep serving the portal (ARGS=--exit: end after the result)
	@sh scripts/system-packages.sh bubblewrap
	@$(BIN)/mop demo $(ARGS)

up: .venv/.runtime ## start portal, API and one worker (ARGS="--port 8080")
	@sh scripts/system-packages.sh bubblewrap
	@$(BIN)/mop up $(ARGS)

test: .venv/.dev ## run all suites but the second tier and the slow tests, with time budgets
	@sh scripts/system-packages.sh bubblewrap chromium postgresql
	@TIER=first sh scripts/run-tests.sh $(ARGS)

test-second: .venv/.dev ## run the second tier: what kills, fills, freezes, fuzzes or takes long; CI requires it too
	@sh scripts/system-packages.sh bubblewrap chromium postgresql
	@TIER=second sh scripts/run-tests.sh $(ARGS)

coverage: .venv/.dev ## run the suites of `make test` and measure what they cover; takes longer
	@COVERAGE=yes $(MAKE) --no-print-directory test

test-all: .venv/.dev ## run every test of both tiers, and the slow ones
	@sh scripts/system-packages.sh bubblewrap chromium postgresql
	@sh scripts/run-tests.sh $(ARGS)

check: .venv/.dev ## lint, format, types, import layers, words, migrations, production settings, lock file, advisories
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target check-types check-others

.PHONY: check-types check-others
check-types:
	$(BIN)/mypy

check-others:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	@$(BIN)/python scripts/check_words.py
	@sh scripts/check-migrations.sh
	@sh scripts/check-deployment.sh
	@sh scripts/check-lock.sh $(LOCK)
	@$(BIN)/python scripts/check_advisories.py requirements/runtime.txt requirements/dev.txt

lock: .venv/.base ## write requirements/*.txt anew from pyproject.toml (ARGS=--upgrade: take newer versions)
	$(BIN)/uv pip compile pyproject.toml --group dev $(LOCK) $(ARGS) -o requirements/dev.txt
	$(BIN)/uv pip compile pyproject.toml -c requirements/dev.txt $(LOCK) $(ARGS) -o requirements/runtime.txt

package: .venv/.runtime ## build the wheels of MOP and its SDK into dist/
	@MOP_HOME=$$(mktemp -d) $(BIN)/python -m mop.cli.static_files --for-package
	@$(BIN)/python -m mop.worker.prepared
	$(BIN)/uv build --quiet --wheel --out-dir dist .
	$(BIN)/uv build --quiet --wheel --out-dir dist packages/mop-utils

clean: ## remove .venv, caches and the demonstration's folder
	rm -rf .venv .mop dist src/mop/gathered_static src/mop/prepared_databases .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov

.venv/.base: scripts/make-venv.sh
	@sh scripts/make-venv.sh .venv requirements/runtime.txt
	@touch $@

.venv/.runtime: .venv/.base requirements/runtime.txt pyproject.toml packages/mop-client/pyproject.toml packages/mop-utils/pyproject.toml
	@if [ -e .venv/.dev ]; then $(MAKE) --no-print-directory .venv/.dev; else sh scripts/sync-venv.sh requirements/runtime.txt; fi
	@touch $@

.venv/.dev: .venv/.base requirements/dev.txt pyproject.toml packages/mop-client/pyproject.toml packages/mop-utils/pyproject.toml
	@sh scripts/sync-venv.sh requirements/dev.txt
	@touch .venv/.runtime $@
