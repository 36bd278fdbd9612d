# Everything runs in $(VENV), which is made on first use; Python 3.11 or newer, make and the network suffice.
# Another interpreter needs another environment: make test PYTHON=python3.13 VENV=.venv313

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# An installed copy does not know its commit, so it is told; "-dirty" where files differ, nothing outside a checkout.
COMMIT = $(shell git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null)

# PyTorch for tests against it. On Linux the default build brings CUDA; the smaller one for CPUs only:
# make test LIVE=1 TORCH="torch --index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch==2.13.0

# What the installed package is made of. Folders are listed too: one is newer when a file in it has gone.
SOURCES := pyproject.toml hatch_build.py README.md LICENSE $(shell find gdbench datasets -name __pycache__ -prune -o -print)

.PHONY: help report gallery peers test test-lowest test-newest test-parity faults lint docs test-docs dist clean clean-history asv asv-machine asv-compare asv-history \
	asv-publish

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# The environment, in three steps that are each done again only when something they depend on has changed -------------

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gdbench needs Python 3.11 or newer; name one: make PYTHON=python3.13")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

# A copy from a wheel, as a user gets it, not a link to the checkout. pip always installs a local project anew.
$(VENV)/.installed: $(SOURCES) | $(VENV)/.made
	@echo "Installing gdbench and what it needs into $(VENV); the first time this takes a minute or two."
	$(PIP) install .
	@touch $@

$(VENV)/.tools: pyproject.toml | $(VENV)/.installed
	$(PIP) install '.[test]'
	@touch $@

$(VENV)/.parity: pyproject.toml | $(VENV)/.tools
	$(PIP) install $(TORCH)
	$(PIP) install '.[optax,keras,oracles]'
	@touch $@

$(VENV)/.release: pyproject.toml | $(VENV)/.made
	$(PIP) install $$(sed -nE 's/^release = \[(.*)\]/\1/p' pyproject.toml | tr -d '",')
	@touch $@

$(VENV)/.docs: pyproject.toml | $(VENV)/.tools
	$(PIP) install '.[docs]'
	@touch $@

# The product ---------------------------------------------------------------------------------------------------------

report: $(VENV)/.installed ## run the quickstart suite and write reports/quickstart/report.html
	GDBENCH_COMMIT=$(COMMIT) $(BIN)/gdbench run quickstart --jobs 2 --out reports/quickstart

gallery: report ## the same, and copy the report to the committed gallery
	$(BIN)/gdbench report reports/quickstart --figures >/dev/null
	rm -rf reports/gallery/quickstart
	mkdir -p reports/gallery/quickstart/figures
	cd reports/quickstart && cp report.md machine.json ../gallery/quickstart/ && cp figures/*.svg figures/flights-convergence.png ../gallery/quickstart/figures/

peers: $(VENV)/.installed $(VENV)/.parity ## time other libraries beside gdbench, into reports/peers.md and the next report; installs PyTorch and optax
	mkdir -p reports/quickstart
	$(BIN)/python benchmarks/peers.py --json reports/quickstart/peers.json --table reports/peers.md $(ARGS)

# Checks --------------------------------------------------------------------------------------------------------------

# PYTHONSAFEPATH keeps the checkout off sys.path, in the processes that tests start too, so that what is tested is the
# installed package; tests/test_packaging.py checks that it is. The tests of a file share what they compile, so a file goes to
# one process. More arguments: make test ARGS="--slow -k adam"
PYTEST := GDBENCH_INSTALLED=1 PYTHONSAFEPATH=1 $(BIN)/python -m pytest -n 2 --dist loadfile

# LIVE=1 installs PyTorch, optax, Keras and two packages of PyTorch optimizers too (a large download), and lets no test be left out
# for want of them, nor for being thorough.
test: $(VENV)/.installed $(VENV)/.tools $(if $(LIVE),$(VENV)/.parity) ## install the package and run the tests against it; all but the slow ones: make test ARGS=--thorough
	$(if $(LIVE),GDBENCH_LIVE=1) $(PYTEST) $(ARGS)

# The environment is made anew each time: what is asked of pip, not what is there, decides on the versions.
LOWEST := .venv-lowest
test-lowest: ## the tests on the oldest releases that pyproject.toml admits
	rm -rf $(LOWEST) && mkdir $(LOWEST)
	grep -oE '"[a-z0-9-]+(\[[a-z,]+\])?>=[0-9.]+(,<[0-9.]+)?"' pyproject.toml | sed -E 's/"|\[.*\]|,<[0-9.]+//g; s/>=/==/' >$(LOWEST)/constraints.txt
	PIP_CONSTRAINT=$(CURDIR)/$(LOWEST)/constraints.txt $(MAKE) test VENV=$(LOWEST)

# In a copy in which the upper bounds are lifted; PRE=1 takes release candidates too.
PRE ?= 0
NEWEST := .venv-newest
test-newest: ## the tests on the newest releases, also those beyond pyproject.toml's upper bounds
	rm -rf $(NEWEST) && mkdir -p $(NEWEST)/source
	tar --exclude='./.venv*' --exclude=./.asv -cf - . | tar -xf - -C $(NEWEST)/source
	sed -E 's/"([a-z0-9-]+>=[0-9.]+),<[0-9.]+"/"\1"/' pyproject.toml >$(NEWEST)/source/pyproject.toml
	PIP_PRE=$(PRE) $(MAKE) -C $(NEWEST)/source test

test-parity: ## those that compare with other libraries, PyTorch, optax and Keras among them (a large download)
	$(MAKE) test LIVE=1 ARGS="-k parity $(ARGS)"

faults: $(VENV)/.tools ## plant faults in a copy, one by one: do the tests notice? A part: make faults ARGS="--shard 1/4"
	$(BIN)/python tests/faults/plant.py $(ARGS)

lint: $(VENV)/.tools ## formatting, style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# From nothing: what a former build made of the code would hide what is missing. The examples of the gallery are executed.
DOCS_MADE := docs/_build docs/generated docs/api/generated docs/gallery
docs: $(VENV)/.installed $(VENV)/.docs ## build the documentation into docs/_build/html; warnings are errors
	rm -rf $(DOCS_MADE)
	PYTHONSAFEPATH=1 $(BIN)/python -m sphinx -b html -W --keep-going -q docs docs/_build/html
	@echo "Look at it: docs/_build/html/index.html"

# The heavy blocks and commands of the pages, and the built site in a browser without a network.
test-docs: docs ## build the documentation and test all of it, the commands that take minutes too
	GDBENCH_SITE=$(CURDIR)/docs/_build/html $(PYTEST) --slow tests/test_pages.py tests/report/test_site.py $(ARGS)

# The wheel is built from the source distribution, so that this holds what a build needs. W002: __init__.py files that are empty.
dist: $(VENV)/.release ## build wheel and source distribution into dist/ and check them
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl

clean: ## remove environments, caches and builds; reports and the history of measurements stay
	rm -rf .venv* build dist $(DOCS_MADE) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-history: ## remove .asv: all that was measured of past commits
	rm -rf .asv

# Tracking over commits: only what is committed is measured -----------------------------------------------------------

BASE ?= HEAD~1
FACTOR ?= 1.2
N ?= 10
ASV := $(BIN)/python -m asv

# asv asks questions about a machine it doesn't know; a description edited by hand is kept.
asv-machine: $(VENV)/.tools
	@grep -qs "\"$$(uname -n)\"" ~/.asv-machine.json || $(ASV) machine --yes >/dev/null

asv: asv-machine ## measure the current commit; quicker: make asv ARGS=--quick ASV_ENV=existing
ifeq ($(ASV_ENV),existing)
	$(ASV) run --environment existing:$(BIN)/python --set-commit-hash $$(git rev-parse HEAD) --show-stderr $(ARGS)
else
	$(ASV) run --show-stderr $(ARGS) 'HEAD^!'
endif

# A busy machine slows a benchmark down now and then, so what seems worse is measured once more.
COMPARE = $(ASV) continuous --factor $(FACTOR) --show-stderr $(ARGS) $(BASE) HEAD

asv-compare: asv-machine ## measure BASE (HEAD~1) and the current commit; fails when one is worse by FACTOR (1.2), twice
	$(COMPARE) || { echo "Something is worse; measuring once more."; $(COMPARE); }

asv-history: asv-machine ## measure the last N (10) commits that have no results yet
	git rev-list --first-parent --max-count=$(N) HEAD | $(ASV) run --skip-existing-commits $(ARGS) HASHFILE:-

asv-publish: $(VENV)/.tools ## build the site of graphs from all results in .asv
	$(ASV) publish
	@echo "Look at it with: $(ASV) preview"
