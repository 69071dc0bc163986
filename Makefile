# make demo | test | lint | test-frameworks | bench | paper | clean. Needs Python >= 3.11 with venv and pip, and make.
PYTHON ?= python3
# pytest processes; two suit the smallest machine this is tested on
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
DEMO_MODEL ?= sample_models/digits_torch_dynamo.onnx
DEMO_DATA ?= sample_models/digits
DEMO_MODE ?= reflect
DEMO_OUT := build/demo

.DELETE_ON_ERROR:
.PHONY: demo test lint format test-frameworks bench clean

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "onnxpad needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

# The demo installs what a user installs; the tests add their own tools to the same environment.
$(VENV)/.installed: pyproject.toml $(VENV)/.created
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-test: pyproject.toml $(VENV)/.created
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $(VENV)/.installed $@

demo: $(VENV)/.installed
	@mkdir -p $(DEMO_OUT)
	$(BIN)/onnxpad sites $(DEMO_MODEL)
	$(BIN)/onnxpad rewrite $(DEMO_MODEL) --mode $(DEMO_MODE) --data $(DEMO_DATA) --labels folders --preprocess unit \
	  -o $(DEMO_OUT)/model.$(DEMO_MODE).onnx --save-plan $(DEMO_OUT)/plan.json --report html:$(DEMO_OUT)/report.html --force
	@echo
	@echo "Open $(DEMO_OUT)/report.html in a browser."
	@echo "The rewritten model: $(DEMO_OUT)/model.$(DEMO_MODE).onnx; the plan behind it, to edit and apply again: $(DEMO_OUT)/plan.json"

# docs/paper.md and its pictures, from the studies; some minutes.
.PHONY: paper
paper: $(VENV)/.installed
	$(BIN)/python docs/paper/make.py

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict onnxpad

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: lint
	$(BIN)/pytest -n $(JOBS)

# One environment for each tests/frameworks/requirements-NAME.txt, and the tests marked NAME in it.
FRAMEWORKS := $(patsubst tests/frameworks/requirements-%.txt,%,$(wildcard tests/frameworks/requirements-*.txt))

.PHONY: $(addprefix test-framework-,$(FRAMEWORKS))
test-frameworks: $(addprefix test-framework-,$(FRAMEWORKS))

.venv-frameworks-%/.installed: tests/frameworks/requirements-%.txt pyproject.toml
	$(PYTHON) -m venv .venv-frameworks-$*
	.venv-frameworks-$*/bin/python -m pip install --quiet --editable '.[test]' -r $<
	touch $@

# The stamps are kept between runs, though make sees them as intermediate files.
.PRECIOUS: .venv-frameworks-%/.installed

$(addprefix test-framework-,$(FRAMEWORKS)): test-framework-%: .venv-frameworks-%/.installed
	.venv-frameworks-$*/bin/pytest tests/frameworks -m $*

bench: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet polygraphy onnx-ir
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis $(VENV) .venv-frameworks-*
