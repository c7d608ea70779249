# The front of all tasks.  `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

MODELS ?= ../shared/models
MODEL  ?=
SOAK_CANDIDATES ?= 500
FUZZ_FRAMES ?= 1000000
UPDATE ?=

.PHONY: help
help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---------------------------------------------------------------- set-up

.PHONY: setup
setup: toolchain $(READY) ## install all that is needed: .venv with the locked versions, compilers for Arm and AVR (apt-get, when root)

.PHONY: toolchain
toolchain:
	@firmware/install-toolchain

$(READY): pyproject.toml constraints.txt
	@echo "== Python packages (locked in constraints.txt) -> $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "hilnas needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) -V). Name another: make setup PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# ---------------------------------------------------------------- the main job

.PHONY: demo
demo: setup ## search networks for the emulated nRF52840 on handwritten digits; ends with the Pareto front
	@$(BIN)/hilnas search examples/01_digits_nrf52840.toml

# ---------------------------------------------------------------- checks

.PHONY: test
test: setup lint ## lint, types and tests; offline, no board needed
	@$(BIN)/pytest -n 2 --dist loadgroup -q

.PHONY: lint
lint: setup ## ruff, mypy --strict, and the format of the C sources
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/clang-format --dry-run --Werror $$(git ls-files 'firmware/*.c' 'firmware/*.h' 'hil/*.c' 'hil/*.h')

.PHONY: format
format: setup ## format Python and C
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	@$(BIN)/clang-format -i $$(git ls-files 'firmware/*.c' 'firmware/*.h' 'hil/*.c' 'hil/*.h')

# ---------------------------------------------------------------- figures

.PHONY: golden
golden: setup ## outputs of the MLPerf Tiny models (MODELS=DIR) on the emulated nRF52840 -> build/golden.json
	@$(BIN)/python -m benchmarks.golden $(MODELS)

.PHONY: bench-device
bench-device: setup ## instructions, cycles and bytes beside TFLM + CMSIS-NN, costliest layers (MODELS=DIR or MODEL=FILE)
	@$(BIN)/python -m benchmarks.device $(MODELS) $(if $(MODEL),--model "$(MODEL)") $(if $(UPDATE),--update)

.PHONY: soak
soak: setup ## a search on a board that fails in all ways, held against one that does not -> build/soak.json (SOAK_CANDIDATES=N)
	@$(BIN)/python -m benchmarks.soak --trials $(SOAK_CANDIDATES)

.PHONY: fuzz
fuzz: setup ## random and mutated frames for the parsers of firmware and host, both directions (FUZZ_FRAMES=N)
	@$(BIN)/python -m benchmarks.fuzz --frames $(FUZZ_FRAMES)

.PHONY: bench-energy
bench-energy: setup ## known energies through each meter's decoding, trigger and integration, with error
	@$(BIN)/python -m benchmarks.energy

.PHONY: everything
everything: setup ## every space, strategy and reward on the digits and the emulated board, a few trials each
	@$(BIN)/python -m benchmarks.everything

.PHONY: bench-search
bench-search: setup ## all strategies beside Optuna and KerasTuner on a table of trained networks; speed of the loop (UPDATE=1)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@$(BIN)/python -m benchmarks.bench_search $(if $(UPDATE),--update)

.PHONY: table
table: setup ## train and measure all 1,668 networks of benchmarks/table.toml (two hours) -> search/testing/tables
	@$(BIN)/python -m benchmarks.tabulate

.PHONY: bench-stages
bench-stages: setup ## seconds per stage of one candidate: quantize, plan, codegen, build, flash, measure
	@$(BIN)/python benchmarks/stages.py

.PHONY: bench-cost
bench-cost: setup ## architectures per second of the analytic cost
	@$(BIN)/python benchmarks/cost.py

.PHONY: bench-strategies
bench-strategies: setup ## milliseconds per ask and tell
	@$(BIN)/python benchmarks/strategies.py

.PHONY: bench-cli
bench-cli: setup ## CPU seconds of `hilnas --help` and `import hil`
	@$(BIN)/python benchmarks/cli.py

# ---------------------------------------------------------------- the rest

.PHONY: wheel
wheel: setup ## build the wheel into dist/
	@$(BIN)/python -m build --wheel

.PHONY: clean
clean: ## remove what was built (studies stay; `make distclean` removes .venv too)
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: distclean
distclean: clean ## clean, and remove .venv
	@rm -rf $(VENV)
