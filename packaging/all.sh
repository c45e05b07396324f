#!/usr/bin/env bash
# Makes of the archives in DIR everything else that a release has: packages, wheels, installers,
# manifests, and the list of hashes.
#
#   packaging/all.sh DIR REPOSITORY       (REPOSITORY: see packaging/render.py)
set -euo pipefail
directory=$(cd "${1:?DIR is missing}" && pwd)
repository=${2:?REPOSITORY is missing}
cd "$(dirname "$0")/.."
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
packaging/linux.sh "$directory" "$repository"
python3 packaging/wheel.py "$directory"
python3 packaging/npm.py "$directory" "$repository"
# Manifests and installers have the hashes of the archives in them, and are then hashed themselves.
python3 packaging/sums.py "$directory"
python3 packaging/render.py "$directory" "$repository"
python3 packaging/sums.py "$directory"
