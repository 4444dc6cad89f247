PYTHON ?= python3
BIN    := .venv/bin
SUM     = $(shell cat $(1) pyproject.toml | cksum | cut -d' ' -f1)
RUN    := .venv/.run-$(call SUM,requirements.lock)
TEST   := .venv/.test-$(call SUM,requirements-test.lock)
ARGS   ?=

help: ## what can be made here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18
demo: $(RUN) ## a model monitored, going wrong, retrained and recovering (ARGS="--seconds 120 --json")
	@$(BIN)/inferwatch demo $(ARGS)
test: $(TEST) ## every test that this machine can run, a file at a time in two processes; linter and type checker first
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/pytest --numprocesses 2 --dist loadfile $(ARGS)
chaos: $(TEST) ## dozens of kills, rebalances and broker restarts; every window must be exact (needs Java and Maven)
	@$(BIN)/pytest -m chaos tests/chaos $(ARGS)
bench: $(TEST) ## CPU per event, side by side with stock Faust and with reading alone (needs Java and Maven)
	@$(BIN)/python -m bench $(ARGS)
bench-statistics: $(TEST) ## false alarms while nothing changes, and delays until a change is told, beside thresholds and river
	@$(BIN)/python -m bench.statistics $(ARGS)
lock: $(TEST) ## the newest versions that pyproject.toml allows, with their hashes
	@PATH="$$PATH:$(CURDIR)/$(BIN)"; \
	uv pip compile -q pyproject.toml --universal --generate-hashes --python-version 3.11 -o requirements.lock && \
	uv pip compile -q pyproject.toml --group test --universal --generate-hashes --python-version 3.11 -o requirements-test.lock
clean: ## removes what was installed and made
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis inferwatch-data

$(RUN): LOCK = requirements.lock
$(TEST): LOCK = requirements-test.lock
$(RUN) $(TEST):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	@command -v uv >/dev/null || $(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "python3-venv is missing: apt-get install python3-venv (or install uv)"; exit 1; }
	@echo "Setting up .venv from $(LOCK)"
	@if command -v uv >/dev/null; then uv venv -q --allow-existing --python $(PYTHON) .venv; \
	 else [ -x $(BIN)/uv ] || { $(PYTHON) -m venv .venv && $(BIN)/pip install -q --disable-pip-version-check 'uv>=0.13,<0.14'; }; fi
	@PATH="$$PATH:$(CURDIR)/$(BIN)"; uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r $(LOCK) && uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@
.PHONY: help demo test chaos bench bench-statistics lock clean
