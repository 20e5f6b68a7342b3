# `make` alone lists the targets. Everything installs into .venv and node_modules, nothing outside this folder.
.DEFAULT_GOAL := help
SHELL := /bin/bash
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export JSII_RUNTIME_PACKAGE_CACHE_ROOT := $(CURDIR)/.venv/jsii

PORT ?= 3000
PYTHON ?= python3
COMPILE := uv pip compile --quiet --universal --generate-hashes --custom-compile-command 'make lock'
INSTALLED := .venv/.installed node_modules/.package-lock.json
TEST_TOOLS := $(INSTALLED) tests/node_modules/.package-lock.json

# What `release build` and `release boot` work with, what their tests make images with, and a browser.
DEBIAN_PACKAGES := bubblewrap buildah busybox-static chromium docker-registry fonts-noto-cjk skopeo umoci uidmap

.PHONY: help setup tools browser run test proofs incident lighthouse check format openapi snapshots screenshots \
        benchmark comparison lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 12

setup: $(INSTALLED) ## install what is needed into .venv and node_modules

tools: ## install the Debian packages that the tests, build and boot need (as root)
	apt-get update --quiet --quiet
	DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends $(DEBIAN_PACKAGES)

browser:
	@command -v chromium chromium-browser google-chrome > /dev/null || $(MAKE) tools

run: $(INSTALLED) ## deploy the whole system on this machine and serve it (PORT=3000)
	@python -m local --port $(PORT)

test: check browser ## run every check, and every test but the slow proofs
	python -m pytest -m "not proof"

proofs: $(INSTALLED) ## start hundreds of broken images: what `check` predicts is what happens
	python -m pytest -m proof

lighthouse: $(TEST_TOOLS) browser ## judge the page: accessibility, best practices
	@python -m tests.lighthouse

incident: $(INSTALLED) ## play the incident again: broken releases, a player, the emulated AWS
	@python -m tests.incident

check: $(TEST_TOOLS) ## lint, format check, types, of Python and of the page
	ruff check
	ruff format --check
	mypy
	tests/node_modules/.bin/biome check frontend
	tests/node_modules/.bin/tsc --project frontend

format: $(TEST_TOOLS) ## lint with fixes, format
	ruff check --fix
	ruff format
	tests/node_modules/.bin/biome check --write frontend

openapi: $(INSTALLED) ## write docs/openapi.json from the route table
	python -m docs.openapi

snapshots: $(INSTALLED) ## rewrite the template snapshots after a deliberate change
	python -m pytest tests/stacks --snapshot-update

screenshots: $(TEST_TOOLS) browser ## take the README's pictures of the page again
	@python -m tests.screenshots

benchmark: $(INSTALLED) ## measure release check: a large image twice, and a bomb
	python -m benchmarks.check

comparison: $(INSTALLED) ## ask other tools about broken images, into docs/incident.md
	pip install --quiet --require-hashes -r benchmarks/requirements.txt
	python -m benchmarks.other_tools

lock: $(INSTALLED) ## resolve the requirements*.in files and package.json again
	$(COMPILE) --python-version 3.11 requirements.in --output-file requirements.txt
	@{ sed -n '/^#/p' requirements.in; cat requirements.txt; } > .requirements && mv .requirements requirements.txt
	$(COMPILE) --python-version 3.11 requirements-dev.in --output-file requirements-dev.txt
	$(COMPILE) --python-version 3.13 lambda_src/requirements.in --output-file lambda_src/requirements.txt
	$(COMPILE) --python-version 3.11 benchmarks/requirements.in --output-file benchmarks/requirements.txt
	npm install --package-lock-only
	npm install --package-lock-only --prefix tests

clean: ## remove everything that was installed or generated
	rm -rf .venv node_modules tests/node_modules build cdk.out .local .mypy_cache .pytest_cache .ruff_cache .hypothesis

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
