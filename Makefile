# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later

SHELL := /bin/sh
PYTHON := $(shell sh tests/tools/newest_python.sh)
VENV := .venv
READY := $(VENV)/.ready
# Nothing outside the checkout and temporary folders is written, the package cache included.
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: demo playground tower report test pytest lint quality docs search bench release clean

demo: $(READY)
	@$(VENV)/bin/python tests/demo/demo.py

# A simulated Infisical to try things on, from a second terminal, until Ctrl-C. On a port of choice: PORT=8900
playground: $(READY)
	@$(VENV)/bin/python tests/demo/playground.py $(if $(PORT),--port $(PORT))

# Job templates as Tower runs them.
tower: $(READY)
	@$(VENV)/bin/python tests/demo/tower.py

report: $(READY)
	@$(VENV)/bin/python tests/demo/tower.py report

test: $(READY)
	@$(MAKE) --no-print-directory --jobs 2 lint pytest

# Each of pytest's workers reads all tests: compiled once, they take a third of the time.
pytest: $(READY)
	PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX="$(CURDIR)/.cache/pycache" $(VENV)/bin/python -m pytest

lint: $(READY)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/ansible-lint --profile production --offline --strict

# All of it, or the steps whose name holds a word of ONLY: make quality ONLY="mypy ruff". With LONG=1 also what takes
# too long for each change.
quality:
	@PYTHONPATH=tests $(PYTHON) -m quality $(ONLY)

# The documentation as a site, by the step of make quality that makes it.
docs:
	@rm -rf .cache/docs
	@PYTHONPATH=tests $(PYTHON) -m quality "antsibull-docs site"
	@ls $(CURDIR)/.cache/docs/html/index.html

# For a schedule of faults that breaks a promise, with new seeds: make search MINUTES=10. A find says its SEED.
search: $(READY)
	@PYTHONPATH=tests $(VENV)/bin/python -m unit.exactly_once.model_search $(if $(SEED),--seed $(SEED),--minutes $(or $(MINUTES),5))

# A minute or two with BENCH=--quick; all of it takes half an hour to an hour of an idle machine.
bench: $(READY)
	@PYTHONPATH=tests $(VENV)/bin/python -m bench $(BENCH)

# Changelog, tarball, commit and tag, or nothing at all: make release VERSION=1.2.3
release:
	@PYTHONPATH=tests $(PYTHON) -m release "$(VERSION)"

$(READY): tests/requirements.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet -r tests/requirements.txt
	$(VENV)/bin/python tests/tools/link_collection.py
	@touch $@

clean:
	rm -rf $(VENV) .venvs .cache .hypothesis .pytest_cache .mypy_cache .ruff_cache .ansible
