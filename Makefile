# `make help` lists the targets. Everything a target needs is set up on the way.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast simulate chaos figures figures-velero bench bench-smoke mutation lint format docs screenshots lock real-apiserver tools kyverno e2e-kubelet e2e-velero sbom clean

help:  ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

$(STAMP): requirements/dev.txt pyproject.toml
	@echo "== setting up $(VENV) from the pinned requirements (about a minute the first time)"
	@$(PYTHON) -c 'import sys; sys.exit("node-slots needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(STAMP)  ## a virtual environment with everything that development needs

demo: $(STAMP)  ## the main job on an embedded API server, about 20 seconds (ARGS=--forever keeps it up)
	@$(BIN)/slot-coordinator demo $(ARGS)

real-apiserver: $(STAMP)  ## build kube-apiserver and etcd into the cache (or honour KUBEBUILDER_ASSETS)
	@$(BIN)/python -m tests.realserver.build

tools: $(STAMP)  ## build helm, kustomize and promtool into the cache, and fetch a Chromium
	@$(BIN)/python -m tests.tools.build

# Three on two cores: the tests on real servers mostly wait.
test: $(STAMP) real-apiserver tools  ## every test, the real API server among them
	@$(BIN)/pytest -n 3 --dist loadgroup $(ARGS)

test-fast: $(STAMP)  ## the tests that need no real API server, five minutes
	@$(BIN)/pytest -n 2 --dist loadgroup -m 'not real and not slow and not browser' $(ARGS)

kyverno: $(STAMP)  ## deploy/velero judged by Kyverno's own command line (builds it, 5 minutes)
	@$(BIN)/python -m tests.tools.build kyverno
	@$(BIN)/pytest -m kyverno tests/injection $(ARGS)

e2e-kubelet: $(STAMP)  ## the coordinator and its agents on two real kubelets, 5 minutes (root, cgroups)
	@$(BIN)/python -m tests.kubelet.build
	@$(BIN)/pytest -m kubelet tests/kubelet $(ARGS)

e2e-velero: $(STAMP)  ## a real, unmodified Velero under the coordinator, 10 minutes (root, cgroups)
	@$(BIN)/python -m tests.velero.build
	@$(BIN)/pytest -m velero tests/velero $(ARGS)

simulate: SEEDS ?= 200
simulate: FIRST_SEED ?= 0
simulate: $(STAMP)  ## the whole system in virtual time, a fault at every turn (SEEDS=N FIRST_SEED=K)
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first-seed $(FIRST_SEED) $(ARGS)

chaos: SECONDS ?= 120
chaos: $(STAMP) real-apiserver  ## real processes on the real API server, killed and stalled (SECONDS=N)
	@$(BIN)/python -m tests.chaos --seconds $(SECONDS) $(ARGS)

figures: $(STAMP) real-apiserver  ## how long failures last, as medians and worst (docs/reliability.md)
	@$(BIN)/python -m tests.chaos.figures $(ARGS)

figures-velero: $(STAMP)  ## Velero's own limiter and this one side by side, 10 minutes (docs/velero.md)
	@$(BIN)/python -m tests.velero.build
	@$(BIN)/python -m tests.velero.figures $(ARGS)

bench: $(STAMP) real-apiserver tools  ## against the API server's own speed and rivals, into docs/performance.md (ARGS="S1 S3")
	@$(BIN)/python -m tests.bench --write $(ARGS)

bench-smoke: $(STAMP) real-apiserver tools  ## the same, small and judged by looser ratios, under 3 minutes
	@$(BIN)/python -m tests.bench --smoke $(ARGS)

mutation: $(STAMP)  ## mutation tests of coordinator/core, a quarter of an hour and more
	@rm -rf mutants && CI=true nice $(BIN)/mutmut run --max-children 2 >mutmut.log 2>&1 || { tail -20 mutmut.log; exit 1; }
	@$(BIN)/python -m tests.core.mutation

lint: $(STAMP)  ## ruff, mypy, import layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP)  ## let ruff format and fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(STAMP)  ## write docs/reference from the code (a test says when it is not current)
	@$(BIN)/python -m tests.docs.reference.pages

screenshots: $(STAMP)  ## the pictures of docs/images, from the real program in a headless Chromium
	@$(BIN)/python -m tests.browser.chromium
	@$(BIN)/python -m tests.browser.screenshots

# The image's packages are locked apart, in the versions that the tests run with.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header
IMAGE_LOCK := $(LOCK) --no-annotate --constraint requirements/dev.txt

lock: $(STAMP)  ## pin every dependency again, by hash and without an index address
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(LOCK) --extra coordinator pyproject.toml requirements/dev.in -o requirements/dev.txt
	@$(IMAGE_LOCK) --extra coordinator pyproject.toml -o requirements/image.txt
	@$(IMAGE_LOCK) requirements/build.in -o requirements/build.txt
	@$(LOCK) --no-annotate requirements/s3.in -o requirements/s3.txt

SBOM ?= dist/node-slots.cdx.json
sbom: $(STAMP)  ## what the image is made of, as CycloneDX (SBOM=FILE)
	@mkdir -p $(dir $(SBOM))
	@$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application \
	  --output-reproducible -o $(SBOM) requirements/image.txt
	@echo "== $(SBOM)"

clean:  ## remove what this Makefile made (not the cached binaries)
	@rm -rf $(VENV) mutants mutmut.log .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
