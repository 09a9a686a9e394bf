# Two commands do everything on a fresh machine: `make demo` and `make test`.
# They are thin: what they call works without make too.

.DEFAULT_GOAL := help
.PHONY: help demo test test-litmus test-postgres test-ceph fuzz bench lint setup

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 8

demo: setup ## build Orlop, start it over sample files, print the address
	cargo run --release --package orlop -- demo $(ARGS)

test: setup ## run every test (needs root for Debian's packages of litmus and PostgreSQL, unless they are there)
	tests/litmus/install.sh
	ORLOP_LITMUS=1 cargo test --workspace --features orlop/otel
	$(MAKE) test-postgres

test-litmus: setup ## run the WebDAV test suite litmus alone
	tests/litmus/install.sh
	ORLOP_LITMUS=1 cargo test --package orlop --test all litmus:: -- --nocapture

test-postgres: setup ## run what depends on the state on a real PostgreSQL on loopback
	cargo test --package orlop --lib --test all --no-run
	tests/postgres/run.sh cargo test --package orlop --lib --test all -- --include-ignored state:: postgres shared::

test-ceph: setup ## run the S3 driver against a real Ceph gateway on loopback (needs root for Debian's packages)
	cargo test --package orlop-driver-s3 --test gateway --no-run
	tests/ceph/run.sh cargo test --package orlop-driver-s3 --test gateway -- --ignored

FUZZ_SECONDS ?= 60

fuzz: setup ## throw anything at the readers of documents and the mapping of keys, a minute each (FUZZ_SECONDS)
	@command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
	@cd fuzz && for target in documents listings keys paths; do \
		RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none $$target -- -max_total_time=$(FUZZ_SECONDS) -max_len=4096 || exit 1; \
	done

bench: setup ## measure against native code: a table, and target/bench.json
	cargo build --release --package orlop --package orlop-bench
	./target/release/orlop-bench

lint: setup ## formatting, clippy and docs, warnings denied
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

setup: ## install what is missing of the toolchain
	@command -v cargo >/dev/null || { echo "install Rust first: https://rustup.rs" >&2; exit 1; }
	@rustc --version >/dev/null || rustup toolchain install
	@test -d "$$(rustc --print target-libdir --target wasm32-wasip2)" || rustup target add wasm32-wasip2
	@cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
	@cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
