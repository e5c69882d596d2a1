# make app    environment, pinned requirements, the app on the shipped evidence
# make test   the same, then all tests (browser tests use an installed Chromium)
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: app test bench lint clean

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $(READY)

app: $(READY)
	$(BIN)/python -m streamlit run app.py

test: $(READY)
	$(BIN)/python -m pytest
	$(BIN)/python -m ruff check .

bench: $(READY)
	$(BIN)/python -m planner benchmark

lint: $(READY)
	$(BIN)/python -m ruff check .

clean:
	rm -rf $(VENV) build dist *.egg-info
