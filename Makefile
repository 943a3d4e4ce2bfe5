# Short names for the scripts in scripts/, which do the work (and run without make). What is given as NAME=VALUE make puts
# into their environment: quoting it here again would break at an apostrophe.
SHELL := /bin/bash
.PHONY: help demo stop-demo clean-demo test test-fast check deny bench install uninstall distclean
.DEFAULT_GOAL := help

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 24

demo: ## the main job, from a bare clone: a searchable catalogue and a contact sheet (PHOTOS=FOLDER: your own photos)
	@scripts/demo

stop-demo: ## stops the demo's server; its data stay
	@scripts/demo --stop

clean-demo: ## stops the demo's server and removes its data and pictures
	@scripts/demo --clean

test: ## all tests, on PostgreSQL 15, 16, 17 and 18 (PG="16 18": only those)
	@scripts/test $(PG)

test-fast: ## what a small edit most often breaks, on one version, in five minutes (PG=17: on that one)
	@scripts/test-fast $(PG)

check: ## formatting, lints and spelling
	@scripts/check $(PG)

deny: ## licences and sources of all dependencies (needs cargo-deny)
	@scripts/deny

bench: ## benchmarks
	@scripts/bench

install: ## into a real server: PG_CONFIG=/path/to/pg_config (CUDA=1: for a GPU; DESTDIR=: for packagers)
	@case "$${CUDA:-0}" in 0) cuda= ;; 1) cuda=--cuda ;; \
	*) echo "make: CUDA=$$CUDA: 1 builds for a GPU, 0 or nothing for the CPU" >&2 && exit 2 ;; esac; \
	scripts/install "$${PG_CONFIG:-pg_config}" $$cuda

uninstall: ## out of that server again: PG_CONFIG=/path/to/pg_config
	@scripts/uninstall "$${PG_CONFIG:-pg_config}"

distclean: ## removes the demo, the build and everything fetched
	@scripts/clean
