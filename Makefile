# Every command makes .venv first, once, from the pinned versions of constraints.txt.
# Override the interpreter with: make test PYTHON=/path/to/python3.12

.DELETE_ON_ERROR:
.PHONY: study study-full test bench bench-peers calibrate lint docs

PYTHON ?=
BIN := .venv/bin
READY := .venv/.ready

study: $(READY)
	@$(BIN)/groundswell study run iran-2017

study-full: $(READY)
	@$(BIN)/groundswell study run iran-2017 --full

# A file of tests stays with one worker, so that its kernels are compiled by one of them only.
test: $(READY)
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile --durations 15

calibrate: $(READY)
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile -m slow

bench: $(READY)
	@$(BIN)/python -m benchmarks

# Packages that the benchmarks compare with, in an environment of their own; `make bench` uses them where they are.
bench-peers: .venv-bench/.ready

.venv-bench/.ready: benchmarks/peers.txt $(READY)
	@$(BIN)/python -m venv --clear .venv-bench
	@.venv-bench/bin/python -m pip install -qq --disable-pip-version-check -r benchmarks/peers.txt && touch $@

lint: $(READY)
	@status=0; for check in "ruff check" "ruff format --check" codespell pyright; do \
	  echo "$$check"; $(BIN)/$$check || status=1; \
	done; exit $$status

# The pages of commands and of quantities, from what they describe, and the pictures of the models', the teacher's and the
# study's pages.
docs: $(READY)
	@$(BIN)/python -m tools.commands_page
	@$(BIN)/python -m tools.quantities_page
	@$(BIN)/python -m tools.model_figures
	@$(BIN)/python -m tools.teaching_figures
	@$(BIN)/python -m tools.study_figures

$(READY): pyproject.toml constraints.txt
	@found=; bare=; \
	for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
	  $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue; \
	  if $$python -c 'import venv, ensurepip' 2>/dev/null; then found=$$python; break; fi; \
	  bare=$${bare:-$$python}; \
	done; \
	if [ -z "$$found" ] && [ -n "$$bare" ]; then \
	  echo "$$bare is here but its modules venv and ensurepip are missing: install them (Debian, Ubuntu: the package $$bare-venv), then run make again." >&2; exit 1; \
	elif [ -z "$$found" ]; then \
	  echo "Python 3.11, 3.12 or 3.13 is missing: install one, or name it with PYTHON=/path/to/python, then run make again." >&2; exit 1; \
	fi; \
	echo "Making .venv with $$($$found --version) (once; about a minute)" >&2; \
	$(BIN)/python -c 'import pip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	  || $$found -m venv --clear .venv || exit 1; \
	pip="$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt"; \
	$$pip setuptools && $$pip --no-build-isolation -e '.[test,dev]' && touch $@
