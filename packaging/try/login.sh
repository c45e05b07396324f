#!/usr/bin/env bash
# Logs in with a pgcred through the stand-in: `install.sh --try` of this checkout, which builds only the
# stand-in. On Windows, where no such script runs, login.py does the same.
#
#   packaging/try/login.sh PROGRAM
#
# It needs what install.sh --try needs; on Windows the PostgreSQL that GitHub's runners have.
set -euo pipefail
program=${1:?PROGRAM is missing}
cd "$(dirname "$0")/../.."
if [[ ${OS:-} = Windows_NT ]]; then
    cargo build --quiet --locked --target-dir target --package standin
    python3 packaging/try/login.py target/debug/standin.exe "$program"
else
    ./install.sh --try --program "$program"
fi
