# Sotto. `make help` lists what can be made; everything sets itself up.

SHELL := /bin/sh
.DELETE_ON_ERROR:

# CI works in a fresh clone: its build is kept beside it, so that the next one is quick. It also passes without.
ifeq ($(CI),true)
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sotto-target
endif
TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
PYTHON := $(TARGET)/live-venv/bin/python
LIVE := SOTTO_PYTHON="$(PYTHON)" "$(TARGET)/debug/sotto-live"

.PHONY: help run build test set-up set-up-tests test-format test-lint test-docs test-policy test-unit test-live \
  test-window live-programs live-venv g01 g02 lab bench

help: ## lists the targets
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: set-up ## builds Sotto and opens its window
	cargo run --release --locked -p sotto $(if $(ARGS),-- $(ARGS))

build: set-up ## builds the window and the command line program
	cargo build --release --locked -p sotto -p sotto-cli

set-up: ## installs missing system packages for a build
	@scripts/setup.sh build

set-up-tests:
	@scripts/setup.sh build test

test: set-up-tests ## everything that the project checks
	@$(MAKE) --no-print-directory test-format
	@$(MAKE) --no-print-directory test-lint
	@$(MAKE) --no-print-directory test-docs
	@$(MAKE) --no-print-directory test-policy
	@$(MAKE) --no-print-directory test-unit
	@$(MAKE) --no-print-directory test-live
	@$(MAKE) --no-print-directory test-window

test-format: ## formatting
	cargo fmt --all --check

test-lint: ## clippy, warnings are errors
	cargo clippy --workspace --all-targets --locked -- -D warnings

test-docs: ## rustdoc, warnings are errors
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --document-private-items

test-policy: ## licences, sources, advisories of what is linked
	scripts/deny.sh "$(TARGET)"

test-unit: ## unit tests, the rule between crates, examples in the documentation
	@if cargo nextest --version >/dev/null 2>&1; then \
	  echo cargo nextest run --workspace --locked --no-fail-fast; \
	  cargo nextest run --workspace --locked --no-fail-fast --status-level fail; \
	else \
	  echo cargo test --workspace --locked --all-targets --no-fail-fast; \
	  cargo test --workspace --locked --all-targets --no-fail-fast; \
	fi
	cargo test --workspace --locked --doc

test-live: live-programs ## Sottos, slixmpp and Profanity through Prosody and ejabberd
	$(LIVE) $(ARGS)

test-window: live-programs ## the real window under Xvfb
	scripts/window-suite.sh

live-programs: set-up-tests live-venv
	testing/live/otr/build.sh "$(TARGET)/debug/libotr-driver"
	cargo build --locked -p sotto-cli -p sotto-live

live-venv:
	@scripts/live-venv.sh "$(TARGET)/live-venv"

g01: live-programs ## G-01 in full: 10,000 messages each way, 200 cuts, 50 kills
	$(LIVE) g01 --server prosody $(ARGS)

g02: set-up-tests ## G-02 in full: 1,000 kills while the store is written
	SOTTO_KILLS=1000 cargo test --locked -p sotto-store --test disk r_data_01 -- --nocapture

lab: live-programs ## a Prosody on this computer with two accounts to play with
	$(LIVE) lab

bench: set-up ## benchmarks, see bench/README.md
	@if [ -f bench/Makefile ]; then $(MAKE) -C bench; else echo "see bench/"; fi
