# What people run. `make run` and `make test` are enough to begin with.

SWIFT ?= swift
SOURCES := Package.swift Sources Tests loadtest/Sources Benchmarks
# Arguments of `bursar dev` and `bursar load`: make run ARGS=--traffic
ARGS ?=
# Seeds of each mix of faults, the first of them, and a part of the mix's name: make simulate SEEDS=1000 MIX=sleep
SEEDS ?= 100
SEED ?= 1
MIX ?=

# Some of the planted bugs, with commas between their names; empty: all.
MUTANTS ?=

# Faults of whole installations, with commas between; empty: all. How often each, and the seed of the choices.
FAULTS ?=
ROUNDS ?= 2
.PHONY: run test simulate e2e chaos mutants schemathesis lint bench loadtest setup build format

run: setup
	$(SWIFT) build -c release --product bursar
	exec .build/release/bursar dev $(ARGS)

# One test at a time: most of them start servers of their own, and a machine may have two cores.
test: setup
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build --no-parallel

# Simulated runs, any number; a failing one tells its seed. BURSAR_TRACE=1 tells all of what happened in it.
simulate: setup
	$(SWIFT) build --build-tests
	BURSAR_PROGRESS=1 BURSAR_SEED='$(SEED)' BURSAR_SEEDS='$(SEEDS)' BURSAR_MIX='$(MIX)' \
		$(SWIFT) test --skip-build --no-parallel --filter SimulationTests

# A part of the tests: the built program as processes, killed and stopped, beside real Redis servers.
e2e: setup
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build --no-parallel --filter EndToEndTests

# Processes killed and stopped, links cut, disks filled under load, with a table: docs/chaos.md. A debug build, so that
# assertions hold too. make chaos ROUNDS=1 FAULTS=kill,pause
chaos: setup
	$(SWIFT) build --product bursar
	$(SWIFT) build --product bursar-chaos
	exec .build/debug/bursar-chaos --faults '$(FAULTS)' --rounds '$(ROUNDS)' $(if $(filter command line environment,$(origin SEED)),--seed '$(SEED)')

# Plants known bugs, one at a time, and sees that the tests notice: make mutants MUTANTS="grant not capped,over forgotten"
mutants: setup
	SWIFT='$(SWIFT)' Tests/Mutants/run '$(MUTANTS)'

# Made-up requests against every operation of console and gateway: make schemathesis EXAMPLES=100
schemathesis: setup
	$(SWIFT) build --product bursar
	Tests/Schemathesis/run

lint:
	$(SWIFT) format lint --strict --recursive --parallel $(SOURCES)
	scripts/tidy

format:
	$(SWIFT) format --in-place --recursive --parallel $(SOURCES)

bench: setup
	$(SWIFT) build -c release --product bursar-bench
	.build/release/bursar-bench

# For instance: make loadtest ARGS="--trace trace.csv --speed 100 ..."
loadtest: setup
	$(SWIFT) build -c release --product bursar
	.build/release/bursar load $(ARGS)

setup:
	scripts/setup
