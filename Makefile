# Every command of the project. `make` lists them; each makes .venv first, when it has to.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
READY := .venv/.complete
CACHES := .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# Each worker of pytest has servers of its own. What runs in one worker: tests/scheduling.py.
WORKERS ?= 2
TESTS := $(PYTHON) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

export ACCOUNT PERSON SCOPE
# Images of Python often set it. Then each process of the tests compiles all modules again.
unexport PYTHONDONTWRITEBYTECODE

# say,what: names the step that runs.
say = @printf '\n== %s\n' '$(1)'

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml uv.lock dev/bootstrap.sh
	@sh dev/bootstrap.sh

.PHONY: up
up: $(READY) ## start everything and show where it is; Ctrl-C stops it
	@$(PYTHON) -m dev.up

.PHONY: demo
demo: $(READY) ## start everything, send sample mails, show what became of them
	@$(PYTHON) -m dev.demo

.PHONY: monitor
monitor: $(READY) ## the demo with a Prometheus beside it, until Ctrl-C
	@$(PYTHON) -m dev.monitor

.PHONY: token
token: $(READY) ## print a token for the running stack: ACCOUNT=acme PERSON=u1 SCOPE="mail:write"
	@$(PYTHON) -m dev.sign_in --account "$$ACCOUNT" --person "$$PERSON" --scope "$$SCOPE"

.PHONY: check
check: lint ## lint, and unit and contract tests without those of cost: a minute and a half, no servers
	$(call say,unit and contract tests)
	@$(TESTS) -q -m 'not cost' tests/unit tests/contract

.PHONY: test
test: lint ## lint, and all tests with a real RabbitMQ and MongoDB: 14 to 20 minutes
	$(call say,all tests)
	@$(TESTS)

.PHONY: test-rabbitmq4
test-rabbitmq4: $(READY) ## tests of the broker, and the fault run, on RabbitMQ 4 in a chroot; as root
	@$(PYTHON) -m dev.rabbitmq4 $(ARGS)

.PHONY: test-full
test-full: lint ## the same with the large numbers and the long runs that the promises name
	$(call say,all tests in full)
	@$(TESTS) --full

LINTS := lint-types lint-pages lint-format lint-style lint-imports lint-audit

.PHONY: lint
lint: $(READY) ## format, style, types, import rules and known vulnerabilities, side by side
	@$(MAKE) --jobs=3 --output-sync=target $(LINTS)

.PHONY: $(LINTS)
lint-types:
	$(call say,types)
	@$(PYTHON) -m mypy
lint-pages:
	$(call say,pages)
	@$(PYTHON) -m dev.pages --check
lint-format:
	$(call say,format)
	@$(PYTHON) -m ruff format --check
lint-style:
	$(call say,style)
	@$(PYTHON) -m ruff check
lint-imports:
	$(call say,import rules)
	@.venv/bin/lint-imports --no-logo
lint-audit:
	$(call say,known vulnerabilities of dependencies)
	@$(PYTHON) -m dev.audit

.PHONY: hooks
hooks: $(READY) ## format, style and import rules: the part of lint that takes seconds, for a git hook
	@$(MAKE) --jobs=3 --output-sync=target lint-format lint-style lint-imports

.PHONY: format
format: $(READY) ## put all code into form
	@$(PYTHON) -m ruff check --fix-only
	@$(PYTHON) -m ruff format

.PHONY: schemas
schemas: $(READY) ## write the committed files that are generated from code
	@$(PYTHON) -m dev.generate

.PHONY: bench
bench: $(READY) ## measure the way of a mail, decisions, pages or crafted mails: ARGS="pages"
	@$(PYTHON) -m bench $(ARGS)

.PHONY: conformance
conformance: $(READY) ## send known mails to a running installation and check what becomes of them: ARGS="--origin https://..."
	@$(PYTHON) -m conformance $(ARGS)

.PHONY: screenshots
screenshots: $(READY) ## take pictures of every page and state into .satchel/screenshots: ARGS="--only setup"
	@$(PYTHON) -m dev.screenshots $(ARGS)

.PHONY: fuzz
fuzz: $(READY) ## read mutated mails, and say what goes wrong: ARGS="--mutations 1000000 --seed 1"
	@$(PYTHON) -m bench.fuzz $(ARGS)

.PHONY: mutate
mutate: $(READY) ## make small faults, and say which of them no unit test notices: ARGS="--sample 100"
	@$(PYTHON) -m dev.mutation $(ARGS)

.PHONY: chaos
chaos: $(READY) ## break things while mail comes in, and reconcile at the end: ARGS="--seed 2"
	@$(PYTHON) -m chaos.run $(ARGS)

.PHONY: drill
drill: $(READY) ## back up under load, wipe everything, restore, and reconcile: ARGS="..."
	@$(PYTHON) -m chaos.drill $(ARGS)

.PHONY: outage
outage: $(READY) ## take broker, database and blob store away for minutes: ARGS="--minutes 10 --of all"
	@$(PYTHON) -m chaos.outage $(ARGS)

.PHONY: pod-life
pod-life: $(READY) ## play a pod's whole life, as a cluster would, and reconcile: ARGS="--short"
	@$(PYTHON) -m chaos.pod_life $(ARGS)

.PHONY: env
env: ## write .env with random secrets for docker compose
	@python3 -m dev.env

.PHONY: compose
compose: ## the whole of Satchel in containers, with secrets of its own; needs Docker
	@docker compose version >/dev/null 2>&1 || { echo 'make compose: needs Docker with its compose plugin; `make up` needs neither' >&2; exit 2; }
	@$(MAKE) --no-print-directory env
	@docker compose up --build

.PHONY: images
images: ## name the images of others that are not pinned by digest: before a release there are none
	@python3 -m dev.images

.PHONY: secrets
secrets: ## print fresh Secrets for a cluster, for kubectl create -f -: OVERLAY=local or production
	@python3 -m dev.cluster_secrets "$(or $(OVERLAY),local)"

.PHONY: clean
clean: ## remove all that these commands made: environment, data of the stack, caches
	@rm -rf .venv .satchel $(CACHES)
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
