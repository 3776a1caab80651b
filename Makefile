# Two commands do everything from a clean clone: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo server test test-more test-long test-servers lint bench pictures clean

install: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Kho needs Python 3.11 or newer; '$(PYTHON)' is not one. Try: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
		|| { echo "'$(PYTHON)' has no venv module; install it first (on Debian: the package python3-venv)." >&2; exit 1; }
	@mkdir -p var 2>/dev/null && test -w . || { echo "This folder cannot be written to; clone Kho where you may write." >&2; exit 1; }
	@echo "Installing into $(VENV) (a minute or two the first time) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

demo: install
	@$(BIN)/kho demo $(ARGS)

server: install
	@$(BIN)/python -m tests.servers.whole $(ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

TESTING = env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

# Four processes on two cores: tests wait a third of their time, for disks, servers and processes that start.
# Whatever they start reads compiled what another has compiled.
test: lint
	$(TESTING) -m "not long and not more"

test-more: install
	$(TESTING) -m "more and not long"

test-long: install
	PYTEST_DEBUG_TEMPROOT="$${TMPDIR:-/tmp}" $(BIN)/python -m pytest -n 2 --dist loadfile -m long

test-servers: install
	$(BIN)/python -m pytest -n 2 --dist loadfile --rows=postgresql -m "not long" tests/contracts tests/flows tests/faults/test_several_processes.py
	$(BIN)/python -m pytest -n 2 --dist loadfile --parts=several -m "not long" tests/flows

pictures: install
	@$(BIN)/python -m tests.pages.pictures docs/pictures

bench: install
	@$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build *.egg-info
