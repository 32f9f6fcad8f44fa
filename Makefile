# 'make demo' shows what ingot does, 'make test' proves it. Both need Go and make,
# and install or name whatever else they use.

SHELL := /bin/bash
export CGO_ENABLED := 0
export PATH := $(PATH):/usr/sbin:/sbin

# The program says its commit where git can tell it.
VCS := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo true || echo false)

FUZZTIME ?= 10m

.PHONY: help build deb test test-fit test-lab test-firmware demo bench fuzz vuln man tools clean

help:
	@echo 'make build           bin/ingot and bin/ingot-agent, static files'
	@echo 'make deb             a Debian package of both, with the systemd unit'
	@echo 'make demo            the main job on a real Debian disk, in a few minutes'
	@echo 'make demo BOOT=1     and boot the deployed disk'
	@echo 'make test            every check and every test'
	@echo 'make test-fit        every disk onto a smaller and a larger one, each booted; needs 30 GB and two hours'
	@echo 'make test-lab        a room of PCs in QEMU: BIOS, UEFI, Secure Boot; 20 minutes'
	@echo 'make test-firmware   each part of the way from power-on to the agent by itself, in QEMU'
	@echo 'make bench           against other imaging tools; needs 35 GB and hours'
	@echo 'make fuzz            every fuzz target for FUZZTIME ($(FUZZTIME))'
	@echo 'make vuln            known vulnerabilities; needs the network'
	@echo 'make man             manual pages into bin/man'
	@echo 'make tools           install what test, demo and bench use'
	@echo 'make clean           remove bin and work'

build:
	go build -trimpath -buildvcs=$(VCS) -ldflags='-s -w' -o bin/ingot ./cmd/ingot
	go build -trimpath -buildvcs=$(VCS) -ldflags='-s -w' -o bin/ingot-agent ./cmd/ingot-agent

deb: build
	@scripts/deb

test:
	@scripts/test

test-fit:
	@scripts/tools test boot
	INGOT_FIT=full go test -count=1 -v -timeout 3h -run '^TestFit' ./internal/e2e

test-firmware:
	@scripts/tools test boot lab
	INGOT_LAB=1 go test -p 1 -count=1 -v -timeout 60m ./internal/netboot ./internal/bootenv ./internal/agent/start ./internal/room

test-lab:
	@scripts/tools test boot lab
	INGOT_LAB=all go test -count=1 -v -timeout 40m ./internal/lab

demo:
	@scripts/tools demo $(if $(BOOT),boot)
	@$(MAKE) --no-print-directory build
	@BOOT=$(BOOT) scripts/demo

bench:
	@scripts/tools bench
	@$(MAKE) --no-print-directory build
	bench/make-images
	INGOT=$(CURDIR)/bin/ingot go run ./bench

fuzz:
	@scripts/fuzz $(FUZZTIME)

vuln:
	go run golang.org/x/vuln/cmd/govulncheck@v1.1.4 ./...

man: build
	@mkdir -p bin/man
	bin/ingot man bin/man

tools:
	@scripts/tools test demo boot lab bench

clean:
	rm -rf bin work
