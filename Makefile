# Anagrafe Telecamere. `make demo` shows it at work, `make test` proves it.
# Every target prepares what it needs on a fresh Debian machine that has Go,
# gcc, make, node, npm and apt.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

BUILD := build
PAGES := protocol/pages
SUDO  := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# What the browser tests, the network tests, the tests of the alert rules, of the services and of the manual pages, and the code generator call.
DEPS := chromium=chromium promtool=prometheus exim4=exim4-daemon-light protoc=protobuf-compiler ip=iproute2 iptables=iptables onvif-util=onvif-tools qpdf=qpdf pdfinfo=poppler-utils systemd-analyze=systemd systemd-nspawn=systemd-container groff=groff-base
PROTO_INCLUDE := /usr/include
PROTO_FILES := $(PROTO_INCLUDE)/google/protobuf/timestamp.proto

# The server that tests run by themselves, in a directory of their own.
POSTGRES := /usr/lib/postgresql/*/bin/initdb
# The peer of searches, in bench alone.
POSTGIS := /usr/share/postgresql/*/extension/postgis.control

# What runs in the tests that read real recorders.
RECORDERS := ffmpeg=ffmpeg mariadbd=mariadb-server apache2=apache2 zmpkg.pl=zoneminder
PHP_FILES := /usr/lib/apache2/modules/libphp*.so /usr/lib/php/*/pdo_mysql.so
PHP_PACKAGES := libapache2-mod-php php-mysql
MEDIAMTX := v1.15.3

# What keeps several collectors and their PostgreSQL together: see installer/cluster.
CLUSTER := haproxy=haproxy patroni=patroni etcd=etcd-server etcdctl=etcd-client

# The version is the changelog's newest, and for what is not released yet a
# preliminary one of it, by the time of the commit. Everything in a package bears
# that time too, so that who builds the same commit gets the same bytes.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)
export VERSION ?= $(shell sed -n 's/^## \([0-9.]*\), not yet released.*/\1-dev.'$$(date -u -d @$(SOURCE_DATE_EPOCH) +%Y%m%d%H%M%S)'/p; t end; s/^## \([0-9.]*\).*/\1/p; t end; d; :end q' installer/CHANGELOG.md)

# What makes the packages for Linux, and what they are tried with.
ARCHES := amd64 arm64 armhf
PACKAGERS := x86_64-linux-gnu-gcc=gcc-x86-64-linux-gnu aarch64-linux-gnu-gcc=gcc-aarch64-linux-gnu arm-linux-gnueabihf-gcc=gcc-arm-linux-gnueabihf ssh-keygen=openssh-client
CROSS_LIBC := /usr/aarch64-linux-gnu/lib/libc.a=libc6-dev-arm64-cross /usr/arm-linux-gnueabihf/lib/libc.a=libc6-dev-armhf-cross
PACKAGE_TESTERS := debootstrap=debootstrap systemd-nspawn=systemd-container systemd-analyze=systemd rpm=rpm lintian=lintian qemu-arm-static=qemu-user-static

# What makes the package for Windows, and what it is tried with.
MINGW := x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64
MSI_TOOLS := $(MINGW) wixl=wixl msibuild=msitools osslsigncode=osslsigncode openssl=openssl
MSI_TESTERS := wine=wine softhsm2-util=softhsm2
PKCS11_ENGINE := /usr/lib/*/engines-3/pkcs11.so

# Templates count too: the icons they name are what the sprite holds.
PAGES_IN := $(PAGES)/package.json $(PAGES)/package-lock.json $(PAGES)/bundle.go $(PAGES)/tsconfig.json \
	$(shell find $(PAGES) agent/review collector/web \( -name node_modules -o -name dist \) -prune -o \
	\( -name '*.ts' -o -name '*.css' -o -name '*.html' -o -name '*.go' ! -name '*_test.go' \) -print)

# Packages that are installed start no service of their own.
define START_NOTHING
policy=/usr/sbin/policy-rc.d; \
if [ ! -e $$policy ]; then \
	trap "$(SUDO) rm -f $$policy" EXIT; \
	printf '#!/bin/sh\nexit 101\n' | $(SUDO) tee $$policy >/dev/null; $(SUDO) chmod 755 $$policy; \
fi
endef

define INSTALL_MISSING
if [ $${#missing[@]} -gt 0 ]; then \
	echo "installing $${missing[*]}"; \
	$(START_NOTHING); \
	$(SUDO) apt-get update -qq; \
	DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends "$${missing[@]}" >/dev/null; \
fi
endef

.PHONY: all deps recorders pages build packages packagers package-root $(ARCHES:%=linux-%) msi msi-tools msi-testers spk demo test test-long bench bench-full check generate clean cluster-tools sizing

all: build

# deps installs only what is missing, so that it costs nothing the second time.
deps:
	@missing=(); \
	for pair in $(DEPS); do command -v "$${pair%%=*}" >/dev/null || missing+=("$${pair##*=}"); done; \
	[ -e $(PROTO_FILES) ] || missing+=(libprotobuf-dev); \
	compgen -G '$(POSTGRES)' >/dev/null || missing+=(postgresql); \
	$(INSTALL_MISSING)

# recorders installs the recorders that test-long reads: of the packages only what
# is missing, and nothing of it is started.
recorders: $(BUILD)/recorders/mediamtx
	@missing=(); \
	for pair in $(RECORDERS); do command -v "$${pair%%=*}" >/dev/null || missing+=("$${pair##*=}"); done; \
	for files in $(PHP_FILES:%='%'); do compgen -G "$$files" >/dev/null || missing+=($(PHP_PACKAGES)); done; \
	$(INSTALL_MISSING)

cluster-tools:
	@missing=(); \
	for pair in $(CLUSTER); do command -v "$${pair%%=*}" >/dev/null || missing+=("$${pair##*=}"); done; \
	$(INSTALL_MISSING)

# MediaMTX comes from the Go module proxy, but for two files that its releases
# fetch: its version, and a script of its web player, which no test opens.
$(BUILD)/recorders/mediamtx: Makefile
	@rm -rf $(@D) && mkdir -p $(@D)
	@cp -r --no-preserve=mode "$$(cd / && go mod download -json github.com/bluenviron/mediamtx@$(MEDIAMTX) | sed -n 's/.*"Dir": "\(.*\)",*/\1/p')" $(@D)/source
	@echo $(MEDIAMTX) >$(@D)/source/internal/core/VERSION
	@touch $(@D)/source/internal/servers/hls/hls.min.js
	cd $(@D)/source && go build -buildvcs=false -trimpath -ldflags="-s -w" -o ../mediamtx .
	@rm -rf $(@D)/source

# pages checks the types and bundles the front end into the folder that the
# programs embed; third-party code comes from npm by exact version.
pages: $(BUILD)/pages.stamp

$(BUILD)/pages.stamp: $(PAGES_IN)
	@mkdir -p $(BUILD)
	cd $(PAGES) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	cd $(PAGES) && npx --no-install tsc --noEmit
	go run -tags bundle ./$(PAGES)/bundle.go
	@touch $@

build: pages
	go build -trimpath -ldflags="-s -w" -o $(BUILD)/anagrafe-agent ./agent
	go build -trimpath -ldflags="-s -w" -o $(BUILD)/anagrafe-collector ./collector
	go build -trimpath -ldflags="-s -w" -o $(BUILD)/anagrafe-publish ./installer/publish

# packages makes what is installed elsewhere, in build/packages, with its checksums
# signed: see installer/packages.
packages: $(ARCHES:%=linux-%) msi spk
	installer/packages/sign $(BUILD)/packages

# One program for all Linux systems of an architecture, and its packages.
$(ARCHES:%=linux-%): linux-%: pages packagers
	installer/packages/compile linux $* $(BUILD)/linux-$*
	installer/packages/pack $* $(BUILD)/linux-$* $(BUILD)/packages

packagers:
	@[ -n "$(SOURCE_DATE_EPOCH)" ] || { echo 'this is no git checkout: give SOURCE_DATE_EPOCH, the second at which this version was made'; exit 1; }
	@missing=(); \
	for pair in $(PACKAGERS); do command -v "$${pair%%=*}" >/dev/null || missing+=("$${pair##*=}"); done; \
	for pair in $(CROSS_LIBC); do [ -e "$${pair%%=*}" ] || missing+=("$${pair##*=}"); done; \
	$(INSTALL_MISSING)

# package-root makes the small Debian on which the packages are tried: that of this
# machine, from where its packages come.
package-root: $(BUILD)/root

$(BUILD)/root:
	@missing=(); \
	for pair in $(PACKAGE_TESTERS); do command -v "$${pair%%=*}" >/dev/null || missing+=("$${pair##*=}"); done; \
	$(INSTALL_MISSING)
	@rm -rf $@.new
	@mirror=$$(apt-get indextargets --format '$$(REPO_URI)' 'Created-By: Packages' "Codename: $$(. /etc/os-release; echo $$VERSION_CODENAME)" | head -1); \
	$(SUDO) debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,ca-certificates,rpm,procps "$$(. /etc/os-release; echo $$VERSION_CODENAME)" $@.new "$$mirror" >$(BUILD)/debootstrap.log || { tail $(BUILD)/debootstrap.log; exit 1; }
	@mv $@.new $@

# msi makes the agent's package for Windows in build/packages: see installer/msi, and
# installer/msi/sign for the key.
msi: pages msi-tools
	@rm -f $(BUILD)/packages/*.msi $(BUILD)/packages/*-windows-*.cdx.json
	installer/msi/compile $(BUILD)/windows
	installer/msi/pack $(BUILD)/windows $(BUILD)/packages

msi-tools:
	@missing=(); \
	for pair in $(MSI_TOOLS); do command -v "$${pair%%=*}" >/dev/null || missing+=("$${pair##*=}"); done; \
	$(INSTALL_MISSING)

msi-testers:
	@missing=(); \
	for pair in $(MSI_TESTERS); do command -v "$${pair%%=*}" >/dev/null || missing+=("$${pair##*=}"); done; \
	compgen -G '$(PKCS11_ENGINE)' >/dev/null || missing+=(libengine-pkcs11-openssl); \
	$(INSTALL_MISSING)

# spk makes the agent's packages for Synology's DSM 7, of the programs for Linux.
spk: $(ARCHES:%=linux-%)
	@rm -f $(BUILD)/packages/*.spk $(BUILD)/packages/*-dsm-*.cdx.json
	for pair in amd64=x86_64 arm64=armv8 armhf=armv7; do \
		installer/spk/pack $${pair#*=} $(BUILD)/linux-$${pair%=*}/anagrafe-agent $(BUILD)/packages; \
	done

# demo runs the whole path on this machine: see installer/demo. DEMO=once
# runs it through, prints one JSON object and stops.
demo: build
	@go run ./installer/demo -bin $(BUILD)

test: deps pages
	go test -race -timeout 30m ./...

# test-long runs what kills processes and drops packets, and other people's
# recorders; it needs root.
test-long: deps build recorders cluster-tools packages package-root msi-testers
	go test -race -tags long -timeout 30m -run '^TestLong' ./...

# bench prints each figure beside its floor or peer, measured in the same run,
# and writes build/bench.json, in under 20 minutes on a quiet machine; bench-full
# measures the long ones at their whole size (10,000 agents, 1.5 million cameras,
# 100,000 sites), beside what bench left there. A figure that is missed is said
# to be: only what cannot be measured fails. As root they have a network of their
# own; they are no part of .ci/run, which has 50 minutes.
bench bench-full: deps build cluster-tools
	@if ! compgen -G '$(POSTGIS)' >/dev/null; then \
		package=$$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1 | sed 's|/usr/lib/postgresql/\(.*\)/bin|postgresql-\1-postgis-3|'); \
		echo "installing $$package"; \
		$(START_NOTHING); \
		$(SUDO) apt-get update -qq; \
		DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends "$$package" >/dev/null; \
	fi
	@cd installer && go test -tags bench -count=1 -timeout 90m -run '^TestBench$$' -args $(if $(filter bench-full,$@),-full)

# sizing measures on this machine what more and more agents take, and another run to
# hold the model against, and puts both into the manual (installer/loadtest); some ten
# minutes, of which nothing else should run beside.
SWEEP := 1000,2000,5000,5000:60000,10000:90000,20000:150000,40000:300000
CHECK := 3000:40000
sizing: build
	go build -o $(BUILD)/loadtest ./installer/loadtest
	$(BUILD)/loadtest -bin $(BUILD) -sweep $(SWEEP) >$(BUILD)/measured.json
	$(BUILD)/loadtest -bin $(BUILD) -sweep $(CHECK) >$(BUILD)/checked.json
	mv $(BUILD)/measured.json $(BUILD)/checked.json installer/loadtest/
	go run ./installer/loadtest -draw collector/guide

check: deps msi-tools
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; exit 1; }
	go vet ./...
	go vet -tags long ./...
	go vet -tags bench ./...
	GOOS=windows CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc go vet ./protocol/... ./agent/...
	go tool staticcheck ./...
	go mod tidy -diff
	@rm -rf $(BUILD)/_generated && mkdir -p $(BUILD)/_generated
	$(call protoc,$(BUILD)/_generated)
	@diff -r --exclude=anagrafe.proto $(BUILD)/_generated/protocol/wire protocol/wire || { echo "generated code differs: run make generate"; exit 1; }

generate: deps
	$(call protoc,.)

define protoc
protoc -I $(PROTO_INCLUDE) -I . \
	--plugin=protoc-gen-go="$$(go tool -n protoc-gen-go)" --plugin=protoc-gen-connect-go="$$(go tool -n protoc-gen-connect-go)" \
	--go_out=$(1) --go_opt=module=anagrafe --connect-go_out=$(1) --connect-go_opt=module=anagrafe,package_suffix= \
	protocol/wire/anagrafe.proto
endef

clean:
	rm -rf $(BUILD) $(PAGES)/node_modules
	find $(PAGES)/dist -mindepth 1 ! -name PLACEHOLDER -delete
