# What a developer does, each in one word. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.SILENT:
.DEFAULT_GOAL := help

CARGO ?= cargo
# The lock file decides, on every machine.
LOCKED ?= --locked
SUMMARY := target/test-summary
LOAD := bench/oidcload/Cargo.toml
# Runs a command between a started PostgreSQL and MariaDB, unless they are there already.
SERVICES = $(if $(SIGNET_TEST_POSTGRES),,tests/services/run)
# A test that finds its server missing fails, instead of saying that it was left out.
export SIGNET_TEST_REQUIRED := 1

define stage
printf '\n==> %s\n' "$(1)"
endef

# The suite against one database; cargo's own summary goes to the end of `make test` too.
define suite
$(call stage,the test-suite on $(1))
$(2) $(CARGO) test $(LOCKED) $(3) 2>&1 | tee target/test-output
sed -n 's/^test result: /    $(1): /p' target/test-output >> $(SUMMARY)
endef

.PHONY: help
help: ## list what can be made
	grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1#/' | column -t -s '#'

.PHONY: run
run: ## start Signet on http://localhost:8080
	$(CARGO) run --release $(LOCKED)

.PHONY: test
test: packages build ## install what tests need, start it, test everything on every database
	rm -f $(SUMMARY)
	$(SERVICES) $(MAKE) --no-print-directory test-rust test-relying-parties
	$(call stage,everything passed)
	cat $(SUMMARY)

.PHONY: packages
packages: ## install the Debian packages and the libraries that only tests need
	$(call stage,what only the tests need)
	tests/services/packages
	tests/relying_parties/install

.PHONY: build
build: ## build the program and its tests
	$(call stage,building)
	mkdir -p target
	$(CARGO) build $(LOCKED) --all-targets

.PHONY: test-rust
test-rust: build ## cargo test on SQLite, PostgreSQL and MariaDB
	if [ -z "$${SIGNET_TEST_POSTGRES:-}" ]; then exec tests/services/run $(MAKE) --no-print-directory $@; fi
	$(call suite,SQLite,)
	# over_tls is about the protocol and brings its own database.
	# Both wait for their database more than they compute: together they take little longer than one.
	SIGNET_TEST_DATABASE="$$SIGNET_TEST_MARIADB" $(CARGO) test $(LOCKED) -- --skip over_tls > target/test-mariadb 2>&1 &
	mariadb=$$!
	trap 'kill $$mariadb 2> /dev/null || true' EXIT
	$(call suite,PostgreSQL,SIGNET_TEST_DATABASE="$$SIGNET_TEST_POSTGRES",-- --skip over_tls)
	status=0
	wait $$mariadb || status=$$?
	$(call stage,the test-suite on MariaDB)
	cat target/test-mariadb
	sed -n 's/^test result: /    MariaDB: /p' target/test-mariadb >> $(SUMMARY)
	exit $$status

.PHONY: test-relying-parties
test-relying-parties: build ## openid-client, Authlib and a person in Chromium against the real program
	if [ -z "$${SIGNET_TEST_POSTGRES:-}" ]; then exec tests/services/run $(MAKE) --no-print-directory $@; fi
	$(call stage,relying parties in Chromium)
	tests/relying_parties/install
	tests/relying_parties/run | tee target/test-output
	sed -n '$$s/^/    /p' target/test-output >> $(SUMMARY)

.PHONY: contract
contract: build ## write the API contract, openapi/signet.yaml, from the handlers
	mkdir -p openapi
	target/debug/signet openapi > target/signet.yaml
	cp target/signet.yaml openapi/signet.yaml

.PHONY: test-timing
test-timing: ## whether the time of an answer tells who has an account; wants an idle machine
	$(CARGO) build --release $(LOCKED)
	tests/timing/run

.PHONY: bench
bench: ## measure CPU per operation, throughput, latency and memory
	$(CARGO) build --release $(LOCKED)
	$(CARGO) build --release $(LOCKED) --manifest-path $(LOAD) --target-dir target/oidcload
	bench/run

.PHONY: fmt
fmt: ## format the code
	$(CARGO) fmt
	$(CARGO) fmt --manifest-path $(LOAD)

.PHONY: lint
lint: ## what the compiler and clippy find, as errors
	$(CARGO) fmt --check
	$(CARGO) fmt --check --manifest-path $(LOAD)
	$(CARGO) clippy $(LOCKED) --all-targets -- -D warnings
	$(CARGO) clippy $(LOCKED) --all-targets --manifest-path $(LOAD) --target-dir target/oidcload -- -D warnings
