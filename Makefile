# The commands of README.md. `make run` and `make test` do all the set-up themselves.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: run test build setup lint check models bench clean install uninstall test-systemd

# What `--version` prints of the build; Package.swift reads it.
export UNDERSTUDY_COMMIT := $(shell git describe --always --dirty --abbrev=12 2>/dev/null)

PACKAGES := libdnnl-dev libyaml-dev libsystemd-dev libsqlite3-dev zlib1g-dev libzstd-dev pkg-config
BINARY := .build/release/understudy

# Classifies the sample stream with the bundled models.
run: build
	@cut -f 2 share/sample/headlines.tsv | $(BINARY) classify --summary
	@echo "Next: classify lines of your own with  tail -F FILE | $(BINARY) classify" >&2

test: setup
	swift test -c release

# The program alone: neither its benchmarks nor what only tests need.
build: setup
	swift build -c release --product understudy

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

# The bundled pair from the data: make models DATA=folder [BASE=folder]; see docs/models.md.
models: build
	scripts/make-models.sh "$(DATA)" "$(BASE)"

# Speeds against other implementations: make bench DATA=folder [ONLY=student,process,teacher,training,limit,scaling];
# all of them go to docs/performance.md.
bench: setup
	swift build -c release
	Benchmarks/bench.py --data "$(DATA)" $(if $(ONLY),--only "$(ONLY)")

# With the daemon's units, in a real systemd of its own; as root.
test-systemd:
	Tests/System/test-systemd.sh

clean:
	rm -rf .build .build-static work

# --- Installing: make install [PREFIX=/usr] [DESTDIR=…] -------------------------------------------------------------

PREFIX ?= /usr/local
bindir ?= $(PREFIX)/bin
libdir ?= $(PREFIX)/lib
datadir ?= $(PREFIX)/share
sysconfdir ?= /etc
docdir ?= $(datadir)/doc/understudy

# What is installed needs no Swift on the machine: the run-time is in it.
STATIC_BINARY := .build-static/release/understudy
# Another one to install, such as the one that `make build` makes.
INSTALL_BINARY ?= $(STATIC_BINARY)

.PHONY: $(STATIC_BINARY)
$(STATIC_BINARY): setup
	swift build -c release --static-swift-stdlib --scratch-path .build-static --product understudy

UNITS := understudy.service understudy@.service understudy.socket \
    understudy-redistill.service understudy-redistill.timer understudy-redistill.path \
    understudy-redistill@.service understudy-redistill@.timer understudy-redistill@.path
MODEL_FILES := $(shell cd share && find models -type f)
MODEL_FOLDERS := $(shell cd share && find models -depth -type d)
DOCUMENTS := $(notdir $(wildcard docs/*.md docs/*.svg))
SCHEMAS := $(notdir $(wildcard etc/*.json))
CONFIGURATIONS := $(notdir $(wildcard etc/*.yaml))

config_folder := $(DESTDIR)$(sysconfdir)/understudy
unit_folder := $(DESTDIR)$(libdir)/systemd/system

# Units and the configuration name the places of PREFIX=/usr.
placed = sed -e 's|/usr/bin/understudy|$(bindir)/understudy|' -e 's|/usr/share/doc/understudy|$(docdir)|' \
    -e 's|/usr/share/understudy|$(datadir)/understudy|'

# A configuration that is there stays as it is.
install: $(INSTALL_BINARY)
	install -D -m 755 $(INSTALL_BINARY) $(DESTDIR)$(bindir)/understudy
	for file in $(MODEL_FILES); do \
	    install -D -m 644 "share/$$file" "$(DESTDIR)$(datadir)/understudy/$$file" || exit; done
	for file in $(DOCUMENTS); do install -D -m 644 "docs/$$file" "$(DESTDIR)$(docdir)/$$file" || exit; done
	install -d $(config_folder) $(unit_folder)
	for file in $(SCHEMAS); do install -m 644 "etc/$$file" "$(config_folder)/$$file" || exit; done
	for file in $(CONFIGURATIONS); do \
	    [ -e "$(config_folder)/$$file" ] || { $(placed) "etc/$$file" >"$(config_folder)/$$file" && \
	        chmod 644 "$(config_folder)/$$file"; } || exit; done
	for file in $(UNITS); do \
	    $(placed) "systemd/$$file" >"$(unit_folder)/$$file" && chmod 644 "$(unit_folder)/$$file" || exit; done
	install -D -m 644 systemd/understudy.sysusers $(DESTDIR)$(libdir)/sysusers.d/understudy.conf
	install -D -m 644 systemd/understudy.tmpfiles $(DESTDIR)$(libdir)/tmpfiles.d/understudy.conf
ifeq ($(DESTDIR),)
	@echo "Installed. To start: systemd-sysusers; systemd-tmpfiles --create; systemctl daemon-reload;" \
	    "systemctl enable --now understudy.socket understudy.service;" \
	    "and with a block redistill in the configuration: systemctl enable --now understudy-redistill.timer"
endif

# What install put there, and nothing else: a configuration that was changed, state, logs and the user stay.
uninstall:
	rm -f $(DESTDIR)$(bindir)/understudy $(addprefix $(unit_folder)/,$(UNITS)) \
	    $(DESTDIR)$(libdir)/sysusers.d/understudy.conf $(DESTDIR)$(libdir)/tmpfiles.d/understudy.conf \
	    $(addprefix $(DESTDIR)$(datadir)/understudy/,$(MODEL_FILES)) \
	    $(addprefix $(DESTDIR)$(docdir)/,$(DOCUMENTS)) $(addprefix $(config_folder)/,$(SCHEMAS))
	for file in $(CONFIGURATIONS); do \
	    if $(placed) "etc/$$file" | cmp -s - "$(config_folder)/$$file"; then rm "$(config_folder)/$$file"; fi; done
	for folder in $(config_folder) $(DESTDIR)$(docdir) \
	    $(addprefix $(DESTDIR)$(datadir)/understudy/,$(MODEL_FOLDERS)) $(DESTDIR)$(datadir)/understudy; do \
	    if [ -d "$$folder" ]; then rmdir --ignore-fail-on-non-empty "$$folder" || exit; fi; done
