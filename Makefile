# `make demo` and `make test` work on a fresh clone; they need Python >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
MUTATION := $(VENV)/mutation
PROSE := sandbox agents envs generators configs docs examples benchmarks README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md Makefile
RUN := demo_$(shell date +%Y%m%d_%H%M%S)

.PHONY: help setup demo test learning attack mutants bench check docs format hooks wheel clean

help:
	@echo "make setup    create .venv and install everything (1.9 GB, once)"
	@echo "make demo     train DQN on Catch from pixels, then evaluate, record and watch it"
	@echo "make test     run the quick tests"
	@echo "make learning train small configs and check their results (minutes)"
	@echo "make attack   try thousands of hostile files and odd values (minutes)"
	@echo "make mutants  change single operators and numbers, and list changes that no test notices (an hour)"
	@echo "make bench    measure all speeds next to other libraries, and append them to results/bench.jsonl (minutes)"
	@echo "make check    check lint, format, types, layers and spelling"
	@echo "make docs     build the documentation in dist/docs; warnings are errors"
	@echo "make docs-play play against an exported policy in the browser; needs npm, POLICY=FILE.onnx takes your own"
	@echo "make format   format the code, and fix what can be fixed automatically"
	@echo "make hooks    run the checks before every commit"
	@echo "make wheel    build a wheel in dist/"
	@echo "make clean    delete caches and build products"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Python >= 3.11 is needed, $(PYTHON) is older. Use: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 2; }
	@echo "setup 1 of 3: the environment $(VENV)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setup 2 of 3: PyTorch (a few minutes)"
	$(BIN)/python -m pip install --disable-pip-version-check torch -c constraints.txt
	@echo "setup 3 of 3: the other packages, and this one"
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[dev]' -c constraints.txt
	@touch $(STAMP)

demo: setup
	$(BIN)/sandbox train catch_dqn name=$(RUN)
	$(BIN)/sandbox evaluate $(RUN) --episodes 200
	$(BIN)/sandbox watch $(RUN) --video runs/$(RUN)/videos/demo.mp4 --episodes 5
	$(BIN)/sandbox watch $(RUN) --video runs/$(RUN)/videos/demo.gif --episodes 5
	@echo
	@echo "Done: a DQN learned Catch from 84x84 pixels, was evaluated on 200 greedy episodes, and was recorded."
	@echo "  run folder        runs/$(RUN)  (config.yaml, metrics.jsonl, checkpoints/, summary.json)"
	@echo "  videos            runs/$(RUN)/videos/demo.mp4 and demo.gif"
	@echo "  watch it          $(BIN)/sandbox watch $(RUN)"
	@echo "  play yourself     $(BIN)/sandbox play catch"
	@echo "  train it longer   $(BIN)/sandbox resume $(RUN) --steps 20000"
	@echo "  Weights & Biases  $(BIN)/wandb login, then $(BIN)/wandb sync runs/$(RUN)/wandb/offline-run-*"
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; then $(BIN)/sandbox watch $(RUN); \
	  else echo "  (There is no display, so no window opens: the videos show the same.)"; fi

test: setup
	$(BIN)/python -m pytest -m "not learning and not attack" -n auto

learning: setup
	$(BIN)/python -m pytest -m learning

attack: setup
	$(BIN)/python -m pytest -m attack -n auto

mutants: setup $(MUTATION)/.ready
	PYTHONPATH=$(CURDIR)/$(MUTATION) $(BIN)/python benchmarks/mutants.py

# The operators alone: the tool itself would bring a database and a web server along.
$(MUTATION)/.ready:
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $(MUTATION) --no-deps \
	  cosmic-ray==8.7.0 parso==0.8.7 attrs==26.1.0
	@touch $@

bench: setup
	$(BIN)/sandbox bench all --append results/bench.jsonl

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell $(PROSE)
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup
	$(BIN)/python -m sphinx -q -W --keep-going -b html -d dist/doctrees docs dist/docs
	@echo "dist/docs/index.html"

# Not part of the documentation's site, and not tested in CI: onnxruntime-web comes from npm.
docs-play: setup
	$(BIN)/python docs/play/build.py $(POLICY)
	$(BIN)/python docs/play/serve.py

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

hooks: setup
	$(BIN)/pre-commit install

wheel: setup
	rm -rf dist
	$(BIN)/python -m build --no-isolation --wheel

clean:
	rm -rf dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
