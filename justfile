# The same five words for people and CI.
check:
    scripts/check
test *args:
    scripts/test {{args}}
docs:
    PYTHONPATH=src .venv/bin/python scripts/docs.py
bench:
    PYTHONPATH=src .venv/bin/python benchmarks/run.py
fmt:
    .venv/bin/python -m ruff format . && .venv/bin/python -m ruff check --fix .
