# RESTGate: what a person types. `make help` lists the targets.
# Each target installs the packages that it lacks (packaging/install-deps), so that a fresh Debian 12 with git and make
# is enough.

PREFIX  ?= /usr/local
DESTDIR ?=
ARGS    ?=
# Seconds that `make fuzz` gives each target, and `make torture` each operation; tests that `make test` runs at a time.
FUZZ_SECONDS ?= 60
TORTURE_SECONDS ?= 15
JOBS    ?= $(shell nproc)
# What `make bench-load` measures: the program as it is shipped, or another, such as bin/restgate.
RESTGATE ?= build/optimized/restgate
# More cmake -D options for every build, such as -DRESTGATE_WERROR=ON.
CMAKE_ARGS ?=

CTEST    = ctest --output-on-failure --no-tests=error -j $(JOBS)
# ThreadSanitizer of gcc 12 cannot live with the address space randomisation of recent kernels.
NO_ASLR  = $(shell setarch "$$(uname -m)" -R true 2>/dev/null && echo setarch "$$(uname -m)" -R)
SOURCES  = $(shell git ls-files --cached --others --exclude-standard '*.cc' '*.h' 2>/dev/null || \
             find common config worker master tests -name '*.cc' -o -name '*.h')
SCRIPTS  = packaging/install-deps packaging/build-deb packaging/build-rpm packaging/build-profiled packaging/train \
             packaging/set-version packaging/source-tree packaging/version packaging/libexec/reload \
             packaging/libexec/upgrade packaging/debian/postinst packaging/debian/postrm \
             packaging/completions/restgate.bash tests/packages/static .ci/run deploy/make-rootfs tests/deploy/prepare
# What the program consists of.
PRODUCT  = $(shell find common config worker master cmake -type f) CMakeLists.txt packaging/build-profiled packaging/train
TIDY     = $(filter common/% config/% worker/% master/%,$(filter %.cc,$(SOURCES)))

.DEFAULT_GOAL := build
.PHONY: build optimized run test test-deploy test-asan test-race cover vet generate fmt fmt-check shell-check lint docker deb rpm test-packages bench bench-micro bench-load torture torture-peers fuzz deps install clean help

# configure(PRESET): only when there is no build directory yet, or when options are given; ninja runs cmake again by
# itself when a CMake file or the list of sources has changed.
define configure
@if [ ! -f build/$(1)/build.ninja ] || [ -n "$(CMAKE_ARGS)" ]; then cmake --preset $(1) $(CMAKE_ARGS) >/dev/null; fi
endef

build: ## Build bin/restgate
	@packaging/install-deps
	$(call configure,release)
	@cmake --build build/release --target restgate
	@mkdir -p bin
	@cmp -s build/release/restgate bin/restgate || install build/release/restgate bin/restgate

optimized: build/optimized/restgate ## Build build/optimized/restgate as it is shipped: with a profile, twice the time
	@echo $<

build/optimized/restgate: $(PRODUCT)
	@packaging/install-deps
	@mkdir -p build && packaging/build-profiled build/optimized $(CMAKE_ARGS) >build/optimized.log 2>&1 \
	  || { tail -n 50 build/optimized.log; exit 1; }

run: build ## Run the demo: the gateway on ports 7000 and 9000 in front of a demo service (ARGS="-port 8080")
	@bin/restgate demo $(ARGS)

test: build ## Build everything and run all tests
	@packaging/install-deps build test
	@cmake --build build/release
	@cd build/release && $(CTEST) $(ARGS)

test-asan: ## Run all tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@packaging/install-deps
	$(call configure,asan)
	@cmake --build build/asan
	@cd build/asan && $(CTEST) $(ARGS)

test-race: ## Run all tests under ThreadSanitizer
	@packaging/install-deps
	$(call configure,tsan)
	@cmake --build build/tsan
	@cd build/tsan && $(NO_ASLR) $(CTEST) $(ARGS)

test-deploy: build ## Check the Kubernetes manifests and the Helm chart, with everything that this takes (npm, Go)
	@packaging/install-deps build deploy
	@tests/deploy/prepare build/deploy
	@RESTGATE_DEPLOY_ALL=1 RESTGATE_BINARY=bin/restgate tests/deploy/deploy_test.py

cover: ## Run all tests with coverage; report in build/coverage/report/index.html
	@packaging/install-deps build cover
	$(call configure,coverage)
	@cmake --build build/coverage
	@find build/coverage -name '*.gcda' -delete
	@mkdir -p build/coverage/report
	@(cd build/coverage && $(CTEST) $(ARGS)); result=$$?; \
	gcovr --root . --object-directory build/coverage --filter '(common|config|worker|master)/' \
	  --exclude-throw-branches --html-details build/coverage/report/index.html --print-summary; \
	exit $$result

vet: ## Static analysis: clang-tidy
	@packaging/install-deps build lint
	$(call configure,debug)
	@run-clang-tidy-14 -quiet -p build/debug -j $(JOBS) $(addprefix ^$(CURDIR)/,$(addsuffix $$,$(TIDY))) >build/debug/tidy.log 2>&1 \
	  || { grep -E '(error|warning):' -A 4 build/debug/tidy.log; exit 1; }
	@echo "clang-tidy: $(words $(TIDY)) files, nothing found"

generate: ## Write what is generated from the table of configuration keys: README's table, JSON schema, manual page
	@packaging/install-deps
	$(call configure,release)
	@cmake --build build/release --target config_tests
	@UPDATE_GENERATED=1 build/release/tests/config_tests --gtest_brief=1 --gtest_filter='Reference.*'

fmt: ## Format the sources in place
	@packaging/install-deps lint
	@clang-format-14 -i $(SOURCES)

fmt-check: ## Check the formatting
	@packaging/install-deps lint
	@clang-format-14 --dry-run --Werror $(SOURCES)

shell-check: ## Check the shell scripts
	@packaging/install-deps lint
	@shellcheck $(SCRIPTS)

lint: fmt-check shell-check vet ## Formatting, clang-tidy, cppcheck, shellcheck
	@cppcheck --quiet --std=c++20 --language=c++ --inline-suppr --enable=warning,performance,portability \
	  --suppress=missingIncludeSystem --error-exitcode=1 -j $(JOBS) -I . common config worker master

docker: ## Build the container image restgate:latest
	@for engine in docker podman buildah; do \
	  if $$engine info >/dev/null 2>&1; then \
	    exec $$engine build -t restgate:latest -f deploy/Dockerfile \
	      --build-arg RESTGATE_COMMIT="$$(git describe --always --dirty --abbrev=12 --match=NeVeR 2>/dev/null)" .; \
	  fi; \
	done; \
	echo "make docker: none of docker, podman and buildah works here" >&2; exit 1

deb: ## Build the Debian packages, into build/packages
	@packaging/install-deps build deb
	@packaging/build-deb

rpm: ## Build the RPM package, into build/packages
	@packaging/install-deps build rpm
	@packaging/build-rpm

test-packages: ## Build the packages and the image and test them in clean systems, as root (ARGS="deb", "rpm", "image")
	@packaging/install-deps build packages
	@tests/packages/run $(ARGS)

bench-micro: ## Run the micro-benchmarks (ARGS="--benchmark_filter=parse")
	@packaging/install-deps
	$(call configure,release)
	@cmake --build build/release --target benchmarks
	@set -e; for bench in build/release/tests/bench/*_bench; do [ ! -x $$bench ] || $$bench $(ARGS); done

bench-load: $(RESTGATE) ## Measure beside nginx, haproxy and a relay (ARGS="--scenario small --rounds 9"; RESTGATE=bin/restgate)
	@packaging/install-deps build bench
	$(call configure,release)
	@cmake --build build/release --target bench_tools
	@tests/bench/run --restgate $(RESTGATE) $(or $(ARGS),--quick)

bin/restgate: build

bench: ## Both: the micro-benchmarks, then the load; ARGS is for the load
	@$(MAKE) --no-print-directory bench-micro ARGS=
	@$(MAKE) --no-print-directory bench-load

torture: ## Reloads, crashes, upgrades under all kinds of traffic, TORTURE_SECONDS (15) each (ARGS="--gtest_filter=*.Hup")
	@packaging/install-deps
	$(call configure,release)
	@cmake --build build/release --target torture_tests
	@RESTGATE_TORTURE_SECONDS=$(TORTURE_SECONDS) build/release/tests/integration/torture_tests --gtest_brief=1 \
	  --gtest_filter='Torture.*:TortureFromAfar.*' $(ARGS)

torture-peers: ## Twelve reloads as clients see them: restgate, and nginx and haproxy where they are installed
	@packaging/install-deps
	$(call configure,release)
	@cmake --build build/release --target torture_tests
	@build/release/tests/integration/torture_tests --gtest_brief=1 --gtest_filter='*Peers.*' $(ARGS)

fuzz: ## Fuzz each target for FUZZ_SECONDS (60); findings and new inputs in build/fuzz
	@packaging/install-deps build fuzz
	$(call configure,fuzz)
	@cmake --build build/fuzz
	@set -e; for target in build/fuzz/tests/fuzz/*_fuzz; do \
	  [ -x $$target ] || continue; \
	  name=$$(basename $$target _fuzz); \
	  mkdir -p build/fuzz/found/$$name; \
	  seeds=tests/fuzz/corpus/$$name; [ -d $$seeds ] || seeds=; \
	  echo "$$name: $(FUZZ_SECONDS) s"; \
	  $$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix=build/fuzz/$$name- build/fuzz/found/$$name $$seeds; \
	done

deps: ## Install the build dependencies
	@packaging/install-deps

install: build ## Install the binary below DESTDIR and PREFIX (/usr/local)
	@install -D bin/restgate $(DESTDIR)$(PREFIX)/bin/restgate

clean: ## Remove everything that was built
	@rm -rf build bin

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
