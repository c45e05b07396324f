#!/usr/bin/env bash
# Downloads the packages of a published release, checks them, and sends them to a registry.
#
#   packaging/publish.sh pypi|npm TAG     (in a job of .github/workflows/publish.yml)
#
# No token is stored: the registry trusts the workflow, as RELEASING.md says. It was not tried live.
set -euo pipefail
registry=${1:?the registry is missing}
tag=${2:?TAG is missing}
uv=0.13.9
npm=12.2.2
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT

case $registry in
    pypi) pattern='pgcred-*.whl' ;;
    npm) pattern='pgcred-*.tgz' ;;
    *) echo "packaging/publish.sh: nobody knows the registry $registry" >&2; exit 2 ;;
esac
gh release download "$tag" --repo "$GITHUB_REPOSITORY" --dir "$files" --pattern "$pattern" --pattern SHA256SUMS
cd "$files"
sha256sum --check --ignore-missing SHA256SUMS
for file in pgcred-*; do
    gh attestation verify "$file" --repo "$GITHUB_REPOSITORY"
done
if [[ $registry = pypi ]]; then
    pipx run "uv==$uv" publish --trusted-publishing always pgcred-*.whl
    exit
fi
# The package that names the others comes last: until then nobody gets a part of them.
own=pgcred-${tag#v}.tgz
for file in pgcred-*-"${tag#v}.tgz" "$own"; do
    npx --yes "npm@$npm" publish --provenance --access public "./$file"
done
