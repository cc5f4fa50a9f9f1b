# Every command sets up .venv on its first call and does nothing twice.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
CHAPTER ?=

.PHONY: book test lab run release check bench clean

book: $(READY)
	$(BIN)/jupyter-book build -W --keep-going .
	@echo "The book: file://$(CURDIR)/_build/html/index.html"

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

lab: $(READY)
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/book

run: $(READY)
	$(BIN)/python -m tools.notebooks run $(CHAPTER)

release: $(READY)
	$(BIN)/gm-lab release instructor/assignments/*.ipynb --to book/assignments
	$(BIN)/gm-lab release instructor/assignments/*.ipynb --to gm_lab/grading/releases

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tools.notebooks lint
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --ignore=tests/book -m "not browser and not notebook and not sandbox"

bench: $(READY)
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv _build

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
