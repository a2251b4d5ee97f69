#!/usr/bin/env bash
# Renew the locks from pyproject.toml. Needs uv on PATH. Read the difference before you commit it.
# One lock serves every system and CPython >= 3.11; it holds hashes and no address.
set -euo pipefail
cd "$(dirname "$0")/.."

lock() {
    uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "bash requirements/renew.sh" "$@"
}

lock --output-file requirements/dev.txt --extra dev pyproject.toml
# What runs and what builds is pinned as in the full set, so that one environment can grow into the other.
lock --output-file requirements/runtime.txt --constraints requirements/dev.txt pyproject.toml
lock --output-file requirements/build.txt --constraints requirements/dev.txt --group build
# The second engine and Spark come as source only. What builds them is locked too; the engine's pin is exact: a newer one may not need the flag
# of run.py. What Spark shares with the full set is pinned as there.
printf 'durable-rules==2.0.28\n' | lock --output-file requirements/durable.txt -
printf 'pandas>=2.2,<3\npyspark>=4.1\n' | lock --output-file requirements/spark.txt --constraints requirements/dev.txt -
printf 'setuptools\n' | lock --output-file requirements/source-build.txt -

if grep -n '://' requirements/*.txt; then
    echo "A lock names an address (see above): renew it without an index option." >&2
    exit 1
fi
