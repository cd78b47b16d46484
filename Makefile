# Everything is installed inside this checkout: the plugin into .venv, Label Studio into .venv-studio.
# `make PYTHON=/path/to/python3.12 install` chooses the interpreter. Without it, the first Python
# from 3.10 to 3.13 is used. (label-studio-sdk needs a numpy that has no wheel for Python 3.14.)

PYTHON ?= python3
export STUDIO STUDIO_DATABASE
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
FITS := 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))'

.DEFAULT_GOAL := help
.PHONY: help install constraints deep docs hooks studio demo lint test test-fast test-studio package peers screenshots bench-speed bench-tutorial bench-crowdlab bench-activelab bench-peerannot bench-dominance bench-coverage bench-revealed bench-hard-tasks bench-deep bench-methods bench-estimates bench-savings bench-texts bench-rankings bench-regions bench-forecasts bench-kinds clean

help: ## list the targets
	@echo "label-studio-crowd: make ..."
	@awk -F ':.*## ' '/^[a-z -]+:.*## / { sub(/: .*/, "", $$1); printf "  %-12s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED) ## install the plugin and everything for its development into .venv

$(INSTALLED): pyproject.toml constraints.txt plugin/label_studio_crowd/__init__.py
	@test -x $(BIN)/python || { \
	  for python in $(PYTHON) python3.13 python3.12 python3.11 python3.10 python3; do \
	    if $$python -c $(FITS) 2>/dev/null; then \
	      echo "making $(VENV) with $$($$python --version)"; \
	      $$python -m venv $(VENV) && exit 0; \
	      echo "error: $$python cannot make a virtual environment; install its venv module" \
	           "(on Debian and Ubuntu: apt install python3-venv), or choose another: make PYTHON=... install" >&2; \
	      rm -rf $(VENV); exit 1; \
	    fi; \
	  done; \
	  found=$$(command -v $(PYTHON) >/dev/null && $(PYTHON) --version 2>&1 || echo "no $(PYTHON)"); \
	  echo "error: Python 3.10 to 3.13 is needed, found $$found;" \
	       "install one of these, or name it: make PYTHON=/path/to/python install" >&2; \
	  exit 1; }
	@$(BIN)/python -c $(FITS) || { \
	  echo "error: $(VENV) was made with $$($(BIN)/python --version), but Python 3.10 to 3.13 is needed;" \
	       "run make clean, then make install with one of these" >&2; exit 1; }
	@echo "installing into $(VENV) (two minutes, once)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check 'pip>=25.1'
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[parquet]' --group dev
	@touch $@

constraints: $(INSTALLED) ## renew constraints.txt with the newest versions; commit it when `make test` passes
	@$(BIN)/python -m pip install -qq --disable-pip-version-check 'uv>=0.5'
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --upgrade --no-annotate \
	  --custom-compile-command 'make constraints' --output-file constraints.txt \
	  --extra deep --extra distributed --extra parquet --extra postgresql --extra redis --group dev --group docs pyproject.toml
	@sed -i -E '/^(cuda|nvidia|triton)-?/d' constraints.txt # which of these a file of torch needs, it says itself

deep: $(INSTALLED) ## install the extra deep: torch for CPUs where pip offers it, else name the index that has it: TORCH_INDEX=...
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt \
	  $(if $(TORCH_INDEX),--index-url '$(TORCH_INDEX)') torch
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[deep]'

$(VENV)/.docs: $(INSTALLED)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt --group docs
	@touch $@

docs: $(VENV)/.docs ## build the documentation into .cache/docs; a warning or a link that leads nowhere is an error
	@$(BIN)/python -m sphinx -q -W --keep-going -c docs -d .cache/doctrees . .cache/docs
	@echo ".cache/docs/index.html"

hooks: $(INSTALLED) ## check every commit before it is made, with pre-commit
	@$(BIN)/pre-commit install

studio: $(INSTALLED) ## install Label Studio into .venv-studio
	@$(BIN)/python -m harness.local_studio install

demo: studio ## show everything on a real Label Studio (CI=1 ends by itself, EXAMPLE=text|tabular|moderation|ner|boxes, CROWD=file.csv)
	@$(BIN)/python -m examples.demo $(if $(filter-out 0 false no,$(CI)),--ci) \
	  $(if $(EXAMPLE),--example '$(EXAMPLE)') $(if $(CROWD),--crowd '$(CROWD)')

lint: $(INSTALLED) ## ruff, strict mypy, and the imports between folders
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: lint studio ## lint and all tests, also those with a real Label Studio; four at a time, because they wait a lot
	@$(BIN)/pytest -n 4 --dist worksteal

test-fast: $(INSTALLED) ## the tests that need no Label Studio
	@$(BIN)/pytest -m "not studio"

test-studio: $(INSTALLED) ## the tests that need Label Studio, on another release (STUDIO=1.20) or STUDIO_DATABASE=postgresql
	@$(BIN)/pytest tests/studio

package: $(INSTALLED) ## build sdist and wheel into dist, and try the wheel in a clean environment (some minutes)
	@rm -rf dist
	@$(BIN)/python -m build --outdir dist .
	@PYTHON=$(abspath $(BIN)/python) .ci/try-package dist/*.whl

peers: $(INSTALLED) ## install cleanlab, crowd-kit and peerannot into .venv-peers, for comparisons
	@$(BIN)/python -m benchmarks.science.speed install

bench-speed: peers ## compare seconds and peak memory with other packages, into docs/results (15 minutes)
	@$(BIN)/python -m benchmarks.science.speed --out docs/results/speed.md

bench-tutorial bench-crowdlab bench-activelab bench-peerannot: bench-%: $(INSTALLED) ## repeat a paper's results, into docs/results
	@$(BIN)/python -m benchmarks.science.papers $* --out docs/results

bench-dominance bench-coverage bench-revealed bench-hard-tasks: bench-%: $(INSTALLED) ## measure our own consensus, into docs/results
	@$(BIN)/python -m benchmarks.science.papers $* --out docs/results

bench-methods: $(INSTALLED) ## run all methods on the crowds in ../shared/data, into docs/results
	@$(BIN)/python -m benchmarks.science.methods --out docs/results

bench-estimates: $(INSTALLED) ## how often the truth is within intervals and forecasts, into docs/results (ten minutes)
	@$(BIN)/python -m benchmarks.science.estimates --out docs/results

bench-texts bench-rankings bench-regions bench-forecasts: bench-%: $(INSTALLED) ## the consensus of texts, of rankings and of regions, and forecasts, on crowds in ../shared/data, into docs/results
	@$(BIN)/python -m benchmarks.science.kinds.$* --out docs/results

bench-savings: $(INSTALLED) ## how many labels asking one by one saves, into docs/results (some minutes)
	@$(BIN)/python -m benchmarks.science.savings --out docs/results

bench-kinds: $(INSTALLED) ## compare the consensus of sets, ordered classes and numbers with other ways, into docs/results
	@$(BIN)/python -m benchmarks.science.kinds.answers --out docs/results

bench-deep: deep ## learn classifiers from a crowd, and find hard tasks, into docs/results (three minutes)
	@$(BIN)/python -m benchmarks.science.papers deep --out docs/results

screenshots: studio ## pictures of the pages, and of the consensus in Label Studio, into docs/pictures (six minutes, Chromium)
	@$(BIN)/python -m examples.screenshots
	@$(BIN)/python -m examples.studio_screenshots

clean: ## remove the environments, the caches and everything that the demo made
	rm -rf $(VENV) .venv-studio* .venv-peers .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
