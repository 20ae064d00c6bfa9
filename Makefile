# `make run` and `make test` are all that a newcomer needs; both install what is missing, and say so first.

.PHONY: run build test check fuzz release bench
.DEFAULT_GOAL := run

# Empty where rust-toolchain.toml is enough.
TOOLCHAIN := $(shell scripts/toolchain)
ifneq ($(.SHELLSTATUS),0)
$(error Rust is missing)
endif
ifneq ($(TOOLCHAIN),)
export RUSTUP_TOOLCHAIN := $(TOOLCHAIN)
endif

# Seconds that each fuzz target gets.
FUZZ_SECONDS ?= 20

## Build, then show a collector at work on generated traffic. Ctrl-C ends it.
run: build
	target/debug/finderscope demo

# The dev profile is optimised where it counts (Cargo.toml): a plain release build of the SQL planner takes several
# times as long to compile.
build:
	@scripts/need "building (zstd is compiled from C)" gcc libc6-dev
	cargo build --locked -p finderscope-cli

## Everything that can be tested here: the crates, then real exporters, collectors and readers.
test: build
	@scripts/need --optional "tests against real peers" python3 python3-venv tshark tcpdump nfdump nfdump-sflow softflowd pmacct fprobe libfixbuf-tools strace procps curl
	cargo test --locked --workspace
	tests/corpus/run
	tests/interop/run
	python3 tests/crash/kill9.py --kills 10
	python3 tests/crash/kill9.py --merging --kills 4
	python3 -m unittest discover -q -s bench -t .

## Format, lints and documentation; nothing is run.
check:
	@scripts/need "building (zstd is compiled from C)" gcc libc6-dev
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps

## Any bytes into every decoder, FUZZ_SECONDS each. Needs a nightly compiler.
fuzz:
	scripts/fuzz $(FUZZ_SECONDS)

## Finderscope beside its peers: bench/RESULTS.md, in an hour and a half. QUICK=1 makes a small one, in some minutes.
bench:
	@scripts/need "benchmarks" gcc libc6-dev python3
	python3 -m bench $(if $(QUICK),--quick)

## What to install on a collector: target/release/finderscope.
release:
	@scripts/need "building (zstd is compiled from C)" gcc libc6-dev
	cargo build --locked --release -p finderscope-cli
