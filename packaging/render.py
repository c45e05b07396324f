"""Fills in the manifests and installers of a release: `render.py DIRECTORY REPOSITORY`.

DIRECTORY has the archives and SHA256SUMS, which is the one list of hashes; REPOSITORY is the address
below which releases/download/vVERSION has the same files. Templates stand below packaging/; they say

    @VERSION@  @REPOSITORY@  @DESCRIPTION@  @URL TARGET@  @SHA256 TARGET@  @CHECKSUMS@

A target without an archive is an error: a release has all of them.
"""

import re
import sys
from pathlib import Path

import sums
from targets import ROOT, VERSION, of_package

# Each template, and the name of the file that is made of it.
TEMPLATES = {
    "homebrew/pgcred.rb": "pgcred.rb",
    "scoop/pgcred.json": "pgcred.json",
    "winget/pgcred.yaml": "pgcred.pgcred.yaml",
    "winget/pgcred.installer.yaml": "pgcred.pgcred.installer.yaml",
    "winget/pgcred.locale.en-US.yaml": "pgcred.pgcred.locale.en-US.yaml",
    "arch/PKGBUILD": "PKGBUILD",
    "install/pgcred-install.sh": "pgcred-install.sh",
    "install/pgcred-install.ps1": "pgcred-install.ps1",
}


class Release:
    def __init__(self, directory: Path, repository: str) -> None:
        self.hashes = sums.read(directory)
        self.repository = repository.rstrip("/")

    def archive(self, target: str) -> str:
        for suffix in (".tar.gz", ".zip"):
            name = f"pgcred-{VERSION}-{target}{suffix}"
            if name in self.hashes:
                return name
        raise SystemExit(f"render.py: SHA256SUMS has no archive for {target}")

    def value(self, word: str) -> str:
        kind, _, target = word.partition(" ")
        match kind:
            case "VERSION":
                return VERSION
            case "REPOSITORY":
                return self.repository
            case "DESCRIPTION":
                return of_package("description")
            case "URL":
                return f"{self.repository}/releases/download/v{VERSION}/{self.archive(target)}"
            case "SHA256":
                return self.hashes[self.archive(target)]
            case "CHECKSUMS":
                archives = (name for name in self.hashes if name.endswith((".tar.gz", ".zip")))
                return "\n".join(f"{self.hashes[name]}  {name}" for name in archives)
        raise SystemExit(f"render.py: nobody knows @{word}@")

    def fill_in(self, text: str) -> str:
        return re.sub(r"@([A-Z][A-Z0-9]+(?: [a-z0-9_-]+)?)@", lambda found: self.value(found[1]), text)


def main() -> None:
    directory = Path(sys.argv[1])
    release = Release(directory, sys.argv[2])
    for template, name in TEMPLATES.items():
        text = (ROOT / "packaging" / template).read_text()
        file = directory / name
        file.write_text(release.fill_in(text), newline="\n")
        print(file)


if __name__ == "__main__":
    main()
