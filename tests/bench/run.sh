#!/usr/bin/env bash
# Builds the release binary and prints its wall-time ratios (and of a warm token those of the static build, if packaging/build.sh has made it) to cat and boto3, the cost of 10,000 targets, of a prompt, of doctor, of discover and of the gateway.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=target/test-venv
if ! "$venv/bin/python" -c 'import boto3' 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/requirements.txt
fi
cargo build --release --locked --package pgcred --package standin
musl=target/$(uname -m)-unknown-linux-musl/release/pgcred
[[ -e $musl ]] || musl=
"$venv/bin/python" tests/bench/bench.py target/release/pgcred ${musl:+"$musl"} "$@"
"$venv/bin/python" tests/bench/prompts.py target/release/pgcred
"$venv/bin/python" tests/bench/doctor.py target/release/pgcred target/release/standin
"$venv/bin/python" tests/bench/discover.py target/release/pgcred
"$venv/bin/python" tests/bench/proxy.py target/release/pgcred
