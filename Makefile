# The commands of README.md. `make run` and `make test` do all the set-up themselves.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: run test build setup lint check models bench clean

PACKAGES := libdnnl-dev libyaml-dev libsystemd-dev libsqlite3-dev zlib1g-dev libzstd-dev pkg-config
BINARY := .build/release/understudy

# Classifies the sample stream with the embedded models.
run: build
	@cut -f 2 share/sample/headlines.tsv | $(BINARY) classify --summary

test: setup
	swift test -c release

build: setup
	swift build -c release

# Debian packages that are missing, and nothing when all are there.
setup:
	@missing=(); for package in $(PACKAGES); do \
	    dpkg-query -W -f '$${db:Status-Status}' "$$package" 2>/dev/null | grep -qx installed || missing+=("$$package"); \
	done; \
	if (( $${#missing[@]} )); then \
	    echo "Installing with apt: $${missing[*]}"; \
	    as_root=(); if (( EUID )); then as_root=(sudo); fi; \
	    "$${as_root[@]}" apt-get update -qq && \
	    "$${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${missing[@]}" >/dev/null; \
	fi

lint:
	swift format lint --strict -r Sources Tests Package.swift

# What CI checks.
check:
	.ci/run

# The embedded pair from the data: make models DATA=folder [BASE=folder]; see docs/models.md.
models: build
	scripts/make-models.sh "$(DATA)" "$(BASE)"

# Speeds against other implementations; see docs/performance.md.
bench: build
	Benchmarks/run.sh

clean:
	rm -rf .build work
