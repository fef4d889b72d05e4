# Needs python3 (3.11 or newer) and make. Each target makes its own .venv the first time, from the lock files.
#   make demo            make demo SERVE=1 PORT=8080   make test ARGS="-k merge"         make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# -qq: errors only, no warnings about a machine's own pip configuration.
PIP := $(PY) -m pip install -qq --disable-pip-version-check --no-input
UV := $(PY) -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test packages check bench sky-check soak fuzz trust screenshots messages reference docs matrix dist image lock clean
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

help:
	@echo "make demo         see a sample catalogue reconciled with a simulated Immich (SERVE=1 keeps its page up, PORT=8080 says where)"
	@echo "make test         run the tests (ARGS are pytest's)"
	@echo "make packages     build, install and run what is released: wheel, sdist, Debian package, container image"
	@echo "make check        lint, formatting, types, and the arrows between the rooms"
	@echo "make bench        measure requests, time and memory against the bound (ARGS=\"--server URL\": on a real Immich)"
	@echo "make sky-check    compare facts of 1,000 generated pictures with astropy (ARGS=\"200 --seed 7\")"
	@echo "make soak         let people, Skymmich, faults and kills act in any order, 2,000 times (ARGS=\"--examples 50 --seed 7\")"
	@echo "make fuzz         spoil answers of Immich by the thousand for 5 minutes (ARGS=\"--seconds 3600 --seed 7\")"
	@echo "make trust        inject each fault many times, and write what was lost into docs/trust.md"
	@echo "make screenshots  photograph the page, also for the README (needs Chromium; ARGS is a folder)"
	@echo "make messages     write the template of all translations anew from the source"
	@echo "make reference    write the reference of the documentation anew from the source"
	@echo "make docs         build the documentation as a site, strictly, into build/site"
	@echo "make matrix       run the quick rooms' tests on each Python from 3.11 to 3.14 that is here"
	@echo "make dist         build sdist, wheel and Debian package of the last commit, with checksums, into dist"
	@echo "make image        build the container image, with docker, podman or buildah"
	@echo "make lock         write the lock files anew from pyproject.toml"
	@echo "make clean        remove what these targets made"

demo: $(VENV)/.runtime
	@$(PY) -m reconciler demo $(if $(filter-out 0,$(SERVE)),--serve) $(if $(PORT),--port $(PORT)) $(ARGS)

# Five processes, each with whole files, on two cores, too: much of a test's time is waiting for a server to settle.
# In CI those of packages are among them, and what the tests of the quick rooms run is measured: it fails below the
# coverage that pyproject.toml asks for. Measuring the others would cost half of the suite's time again.
PYTEST := $(PY) -m pytest -n 5 --dist loadfile --no-loadscope-reorder
MEASURED := $(addprefix tests/,config core immich messages models notices openngc rendering simulator skymmich state)
# Bytecode is kept, whatever this machine says otherwise: the tests start hundreds of processes, and compiling what one
# imports takes longer than the imports.
test: export PYTHONDONTWRITEBYTECODE :=
test packages: export PACKAGES_STEPS := $(CURDIR)/build/packages-steps
test: $(VENV)/.dev
ifeq ($(CI)$(ARGS),true)
	@mkdir -p build && rm -f $(PACKAGES_STEPS)
	@failed=0; PACKAGES_UNTIL=$$(($$(date +%s) + 840)) $(PYTEST) -p tests.packages.steps \
		--cov --cov-report= --measured "$(MEASURED)" || failed=1; \
		$(PY) tests/coverage_by_room.py; exit $$failed
else
	@$(PYTEST) $(or $(ARGS),-m 'not packages')
endif

# What is released, built, installed and run; within four minutes, and what was not tested by then is said.
packages: $(VENV)/.dev
	@mkdir -p build && rm -f $(PACKAGES_STEPS)
	@PACKAGES_UNTIL=$${PACKAGES_UNTIL-$$(($$(date +%s) + 240))} $(PY) -m pytest -p tests.packages.steps -m packages \
		-n 3 --dist loadfile --no-loadscope-reorder tests/packages tests/systemd/test_deb.py $(ARGS)

check: $(VENV)/.dev
	@echo "Lint";       $(PY) -m ruff check --quiet
	@echo "Formatting"; $(PY) -m ruff format --quiet --check
	@echo "Types";      $(PY) -m mypy --strict --no-error-summary reconciler state
	@echo "Rooms";      $(VENV)/bin/lint-imports --no-logo

bench: $(VENV)/.dev
	@$(PY) tests/benchmarks/run.py $(ARGS)

sky-check: $(VENV)/.dev
	@$(PY) tests/benchmarks/sky_check.py $(ARGS)

soak: $(VENV)/.dev
	@$(PY) tests/model/soak.py $(ARGS)

fuzz: $(VENV)/.dev
	@$(PY) tests/fuzz/run.py $(ARGS)

trust: $(VENV)/.dev
	@$(PY) tests/model/trust.py --write docs/trust.md $(ARGS)

screenshots: $(VENV)/.dev
	@$(PY) tests/web/screenshots.py --pictures docs/pictures $(ARGS)

messages: $(VENV)/bin/python
	@$(PY) tests/messages/extract.py

reference: $(VENV)/.dev
	@$(PY) packages/site/reference.py

docs: export NO_MKDOCS_2_WARNING := 1
docs: $(VENV)/.dev
	@$(PY) -m mkdocs build --quiet --strict $(ARGS)
	@echo "build/site/index.html"

matrix: $(VENV)/.dev
	@$(PY) tests/matrix.py $(MEASURED) $(ARGS)

dist: $(VENV)/.dev
	@$(PY) packages/build.py $(ARGS)

image:
	@packages/image.sh $(ARGS)

lock: $(VENV)/bin/python
	@$(PY) -m uv --version >/dev/null 2>&1 || { echo "Installing uv"; $(PIP) uv; }
	@echo "Locking"
	@$(UV) -o requirements.lock
	@$(UV) --extra fleet -c requirements.lock -o requirements-fleet.lock
	@$(UV) --group dev -c requirements-fleet.lock -o requirements-dev.lock

clean:
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .schemathesis .coverage*
	@find reconciler state tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON) here. Install Python 3.11 or newer (Debian: apt install python3-venv)." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, and $(PYTHON) is $$($(PYTHON) -V 2>&1)." \
			"Name another one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make a virtual environment: apt install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) -V)"
	@$(PYTHON) -m venv --clear $(VENV)

# The packages run from the checkout: a .pth file leads to it, so nothing is built, and nothing that the lock
# files do not pin is downloaded.
define checkout
	@$(PY) -c 'import os, pathlib, sysconfig; \
		pathlib.Path(sysconfig.get_path("purelib"), "skymmich-reconciler.pth").write_text(os.getcwd() + "\n")'
	@printf '#!/bin/sh\nexec "%s/$(PY)" -m reconciler "$$@"\n' "$(CURDIR)" > $(VENV)/bin/skymmich-reconciler
	@chmod +x $(VENV)/bin/skymmich-reconciler
endef

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the program needs (once)"
	@$(PIP) --require-hashes -r requirements.lock
	$(checkout)
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the tests need (once)"
	@$(PIP) --require-hashes -r requirements-dev.lock
	$(checkout)
	@touch $@ $(VENV)/.runtime
