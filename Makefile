# What a person or a CI calls. The work is done by dotnet, by the scripts in eng/ and by the C compiler.

SHELL         := /bin/bash
CONFIGURATION ?= Release
CC            ?= gcc
CXX           ?= g++
CFLAGS        ?= -O2 -g
WARNINGS      := -Wall -Wextra -Werror
PREFIX        ?= /usr/local
OUT           := out
LIBRUM        := artifacts/native/linux-x64/librum.so
# Only where libdpdk-dev is.
DPDK_SHIM     := artifacts/native/linux-x64/librum_dpdk.so
C_SOURCES     := $(wildcard apps/*/*.c)
CXX_SOURCES   := $(wildcard apps/*/*.cpp)
CS_APPS       := $(sort $(patsubst apps/%/,%,$(dir $(wildcard apps/*/*.csproj))))
DPDK          := $(shell pkg-config --exists 'libdpdk >= 22.11' 2> /dev/null && echo yes)
BENCHES       := $(filter-out $(if $(DPDK),,dpdk),$(patsubst bench/%.c,%,$(wildcard bench/*.c)))
APPS          := $(sort $(patsubst apps/%/,%,$(dir $(C_SOURCES) $(CXX_SOURCES))))
HEADERS       := $(patsubst include/%,$(OUT)/include/%,$(wildcard include/*.h))

export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1

.PHONY: all dotnet native apps benches demo test test-orleans chaos dpdk-soak bench format clean help install-packages
.DEFAULT_GOAL := all

# INSTALL=no: say what would be installed, and do nothing else.
ONLY_LIST := $(filter no,$(INSTALL))

all: $(if $(ONLY_LIST),install-packages,dotnet apps benches) ## Build everything into out/: bin/rum, bin/ programs, lib/librum.so, include/, lib/pkgconfig/
	$(if $(ONLY_LIST),@:,@echo "Built: $(OUT)/bin: $$(cd $(OUT)/bin && echo *); $(OUT)/lib/librum.so; $(OUT)/include. Try: $(OUT)/bin/rum")

install-packages:
	@eng/install.sh

dotnet: install-packages
	@. eng/steps.sh && step "Compile" dotnet build Rum.slnx -c $(CONFIGURATION) -nologo -v:minimal -clp:NoSummary
	@mkdir -p $(OUT)/bin $(OUT)/lib
	@. eng/steps.sh && step "Publish" dotnet publish Rum.Cli/Rum.Cli.csproj -c $(CONFIGURATION) --no-build -nologo -v:quiet -o $(OUT)/lib/rum
	@install -m 755 eng/program.sh $(OUT)/bin/rum
	@. eng/steps.sh && for app in $(CS_APPS); do \
	    step "Publish $$app" dotnet publish apps/$$app -c $(CONFIGURATION) --no-build -nologo -v:quiet -o $(OUT)/lib/$$app || exit 1; \
	    install -m 755 eng/program.sh $(OUT)/bin/$$app; \
	done

native: dotnet $(OUT)/lib/librum.so $(HEADERS) $(OUT)/lib/pkgconfig/rum.pc

$(OUT)/lib/librum.so: dotnet
	@cmp -s $(LIBRUM) $@ || install -D -m 755 $(LIBRUM) $@
	@if [ -f $(DPDK_SHIM) ]; then for place in $(OUT)/lib $(OUT)/lib/rum; do cmp -s $(DPDK_SHIM) $$place/librum_dpdk.so || install -m 755 $(DPDK_SHIM) $$place/; done; fi

$(OUT)/include/%.h: include/%.h
	@install -D -m 644 $< $@

$(OUT)/lib/pkgconfig/rum.pc: eng/rum.pc.in Directory.Build.props
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(abspath $(OUT))|' -e "s|@VERSION@|$$(sed -n 's|.*<Version>\(.*\)</Version>.*|\1|p' Directory.Build.props)|" $< > $@

# A program is a folder of apps/. One with C or C++ sources is linked to librum.so and finds it in ../lib; one with a project is published (target dotnet).
apps: native $(addprefix $(OUT)/bin/,$(APPS))

LINK := -L$(OUT)/lib -Wl,-rpath,'$$ORIGIN/../lib' -lrum -lpthread -lm

.SECONDEXPANSION:
$(OUT)/bin/%: $$(wildcard apps/%/*.c apps/%/*.cpp apps/%/*.h) $(HEADERS) | native
	@mkdir -p $(@D)
	$(if $(wildcard apps/$*/*.cpp),$(CXX) -std=c++17,$(CC) -std=c11) -D_GNU_SOURCE $(CFLAGS) $(WARNINGS) -I$(OUT)/include -o $@ $(wildcard apps/$*/*.c apps/$*/*.cpp) $(LINK)

# DPDK's headers use GNU's C.
DPDK_FLAGS := -std=gnu11 $(if $(DPDK),$(shell pkg-config --cflags libdpdk))
DPDK_LIBS  := -lrte_ethdev -lrte_mbuf -lrte_mempool -lrte_eal

# The benchmark's programs, one file each.
benches: native $(addprefix $(OUT)/bin/bench/,$(BENCHES))

$(OUT)/bin/bench/%: bench/%.c bench/measure.h $(HEADERS) | native
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(CFLAGS) $(WARNINGS) $(if $(filter dpdk,$*),$(DPDK_FLAGS)) -I$(OUT)/include -o $@ $< -L$(OUT)/lib -Wl,-rpath,'$$ORIGIN/../../lib' $(if $(filter fault heap curve stall,$*),-lrum) $(if $(filter dpdk,$*),$(DPDK_LIBS)) -lpthread -lm

demo: all ## Three silos and a program on more memory than its cache; DEMO_MIB=512 DEMO_CACHE_MIB=64 DEMO_COPIES=1 PLANE=static
	$(if $(ONLY_LIST),@:,@$(OUT)/bin/rum demo)

test: ## Build and run every test that this machine can run
	@eng/test.sh

test-orleans: dotnet ## Run the tests of the Orleans plane alone, where its packages could be restored
	$(if $(ONLY_LIST),@:,@eng/install.sh tests && dotnet run --project tests/Orleans -c $(CONFIGURATION) --no-build)

dpdk-soak: all ## Stress, losses and kills over DPDK's virtual wires, AF_XDP among them; KILLS=100
	@export RUM_DPDK_KILLS=$(or $(KILLS),100); code=0; \
	dotnet run --project tests/Transport -c $(CONFIGURATION) --no-build -- -class "*DpdkXdpConformance" || code=1; \
	dotnet run --project tests/Dpdk -c $(CONFIGURATION) --no-build || code=1; exit $$code

sim: ## Simulate the whole client, cluster and network; SEEDS=1000, or SEED=n to see what happened in one
	@eng/sim.sh "$(SEEDS)" "$(SEED)"

chaos: all ## Five silos and three programs as processes, and faults for SECONDS_MAX=60, or BUSY=yes: none, but busy CPUs; the last line is the result
	$(if $(ONLY_LIST),@:,@eng/install.sh tests && eng/chaos.sh)

bench: all ## Measure floors, RUM and peers; table, artifacts/bench/*.svg
	@eng/install.sh bench
	$(if $(ONLY_LIST),@:,@$(OUT)/bin/rum bench)

format: ## Bring the code into the repository's form
	dotnet format Rum.slnx

clean: ## Remove out/ and artifacts/
	rm -rf $(OUT) artifacts

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
