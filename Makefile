# Odeon's few commands. `make run` opens a venue on this machine; `make test` is what CI runs.

SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)
TARGET := $(or $(CARGO_TARGET_DIR),target)
BIN := $(TARGET)/release/odeon

.PHONY: help run build web test check fuzz soak bench limits clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

run: build ## builds everything and opens a venue on this machine
	exec $(BIN) --dev

build: ## leaves target/release/odeon, with the web page inside
	@scripts/need.sh rust node
	@scripts/web.sh build
	cargo build --release --locked -p odeon

web: ## builds the web page alone
	@scripts/need.sh node
	@scripts/web.sh build

test: ## everything: unit tests, the page's checks, real clients
	@scripts/test.sh

check: ## the quick loop: format, lints, unit tests, documents
	@scripts/check.sh

fuzz: ## each fuzz target for SECONDS_EACH (60) seconds; needs a nightly toolchain
	@scripts/fuzz.sh

soak: ## the whole loss matrix, as a table
	@scripts/need.sh rust
	@scripts/soak.sh

bench: ## the load figures, beside Node's ws and socket.io, into bench/out
	@scripts/need.sh rust node
	cargo build --release --locked -p odeon -p bench
	@bench/run.sh
	@bench/fanout.sh
	@bench/idle.sh

limits: ## writes LIMITS.md anew from the constants in the code
	UPDATE_DOCUMENTS=1 cargo test -q -p odeon --test documents

clean: ## removes everything that was built or installed here
	cargo clean
	rm -rf web/dist web/node_modules e2e/node_modules e2e/.venv e2e/out bench/out fuzz/target
