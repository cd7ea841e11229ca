# Two commands matter: `make run` and `make test`. Everything they do is in devstack/bootstrap.py.
PYTHON ?= python3

.PHONY: run test test-browser test-faults test-api bench bench-desk lighthouse lint words pins clean

run:   ## start everything on this machine
	@exec $(PYTHON) devstack/bootstrap.py run

test:  ## lint, types, contracts and all tests
	@exec $(PYTHON) devstack/bootstrap.py test

test-browser: ## every state of the pages in each size, scheme and language, with pictures (LANGS=ar CASES=card; about 30 min)
	@exec $(PYTHON) devstack/bootstrap.py test-browser

test-faults: ## onboardings under killed processes and spoiled answers (SEED=1 COUNT=2000; about 12 min)
	@exec $(PYTHON) devstack/bootstrap.py test-faults

test-api: ## the whole OpenAPI with every role, over 10,000 cases (API_CASES=40 API_SEED=1; about 6 min)
	@exec $(PYTHON) devstack/bootstrap.py test-api

bench: ## every claim about speed and scale, each beside its comparator (ROWS=straight,calls ROUNDS=5)
	@exec $(PYTHON) devstack/bootstrap.py bench

bench-desk: ## the desk and the queue with 1,000 and with 100,000 onboardings (about 8 min)
	@exec $(PYTHON) devstack/bootstrap.py bench-desk

lighthouse: ## measure the signup page with Lighthouse; needs Node (RUNS=3; about 5 min)
	@exec $(PYTHON) devstack/bootstrap.py lighthouse

lint:  ## only lint, types and contracts
	@exec $(PYTHON) devstack/bootstrap.py lint

words: ## gather what is to be translated into locale/, and say what is missing
	@exec $(PYTHON) devstack/bootstrap.py words

pins:  ## compile requirements/*.in anew (needs uv)
	cd requirements && for level in app local test; do \
	  constraint=; [ $$level = app ] || constraint="-c app.txt"; \
	  UV_CUSTOM_COMPILE_COMMAND="make pins" uv pip compile -q --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url $$constraint $$level.in -o $$level.txt || exit 1; \
	done

clean: ## remove what was installed and all local data
	rm -rf .venv .local staticfiles artefacts benchmarks/lighthouse/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
