# Two commands set everything up on a fresh clone: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := __main__.py breakglass components alertpath policies drill sandbox tests bench docs

.PHONY: setup help demo test test-unit lint format docs bench policy-pack requirements clean

setup: $(VENV)/.ready ## Virtual environment, dependencies and Pulumi engine; a no-op when done.
	@$(BIN)/python -m sandbox.engine.locate

$(VENV)/.ready: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

help: ## This list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s%s\n", $$1, $$2 }' Makefile

demo: setup ## The whole story in a terminal, without an AWS account.
	$(BIN)/python -m sandbox.demo

# A worker per core. Each has an emulated AWS, and engines, of its own: more than four would want much memory.
PYTEST := $(BIN)/pytest -n auto --maxprocesses 4

test: setup ## All tests: unit, then emulated AWS, then the real engine; with the coverage of the unit tests.
	$(PYTEST) --cov --cov-report term:skip-covered

test-unit: $(VENV)/.ready ## The unit tests: no server and no engine, one to two minutes.
	$(PYTEST) -m "not emulated and not engine"

lint: $(VENV)/.ready ## Style, types, who imports whom, workflows.
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/pyright
	PYTHONPATH=policies $(BIN)/lint-imports --no-logo
	$(BIN)/zizmor --offline --quiet --persona=pedantic .github/workflows
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

format: $(VENV)/.ready ## What the linter can mend by itself.
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

docs: $(VENV)/.ready ## Write the generated pages and the settings' schema from the code.
	$(BIN)/python -m docs.build

bench: setup ## Times of preview, proof and check, and the monthly cost; see docs/benchmarks.md.
	@$(BIN)/python -m bench.preview
	@$(BIN)/python -m bench.regions
	@$(BIN)/python -m bench.proof
	@$(BIN)/python -m bench.readiness
	@$(BIN)/python -m bench.cost

# The policies with all they need, their Python packages too, for projects of any language. On another machine, or after
# a move, `pulumi install` in the folder makes its `venv` anew. A folder of your choice must be new, so that nothing of
# yours is overwritten.
BUILT_PACK := build/policy-pack
PACK := $(BUILT_PACK)
policy-pack: ## A self-contained policy pack in build/policy-pack, or in PACK=folder.
	$(if $(filter $(BUILT_PACK),$(PACK)),rm -rf $(BUILT_PACK))
	mkdir -p $(dir $(PACK))
	mkdir $(PACK) $(PACK)/breakglass
	cp breakglass/__init__.py breakglass/naming.py breakglass/quotas.py $(PACK)/breakglass
	cp -R alertpath LICENSE policies/. $(PACK)
	rm $(addprefix $(PACK)/alertpath/,__main__.py report.py *.j2 style.css)
	find $(PACK) -name __pycache__ -prune -exec rm -r {} +
	sed 's|\.\./\.venv|venv|' policies/PulumiPolicy.yaml > $(PACK)/PulumiPolicy.yaml
	sed -e '/^pulumi-aws==/,/# via/d' -e '/^ *#/d' requirements.txt > $(PACK)/requirements.txt
	$(PYTHON) -m venv $(PACK)/venv
	$(PACK)/venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(PACK)/requirements.txt
	@echo 'Use it in any project: pulumi preview --policy-pack $(abspath $(PACK))'

COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --no-strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
requirements: $(VENV)/.ready ## Pin the direct dependencies of pyproject.toml, with hashes.
	$(COMPILE) --upgrade -o requirements.txt pyproject.toml
	$(COMPILE) --upgrade --extra dev -c requirements.txt -o requirements-dev.txt pyproject.toml

clean: ## Delete the virtual environment and all caches.
	rm -rf $(VENV) build .coverage .hypothesis .import_linter_cache .pytest_cache .ruff_cache
