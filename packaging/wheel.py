"""Makes a wheel of each archive: `wheel.py DIRECTORY`, for pip, pipx and uv.

A wheel has the program of the archive, byte for byte, the manual page and the completions. `pgcred-aws`
is a line of Python there, because a wheel can have no links.
"""

import base64
import hashlib
import os
import sys
import zipfile
from pathlib import Path

from archive import zip_entry
from targets import ROOT, VERSION, Archive, archives, of_package

MODULE = '''"""Runs `pgcred aws`: the program lies beside the script that calls this."""

import os
import subprocess
import sys


def main():
    pgcred = os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])), "pgcred")
    command = [pgcred, "aws", *sys.argv[1:]]
    if os.name == "nt":
        sys.exit(subprocess.run(command).returncode)
    os.execv(pgcred, command)
'''

# Files of the archive, and where they go below the environment.
SHARED = {
    "man/pgcred.1": "share/man/man1/pgcred.1",
    "completions/pgcred.bash": "share/bash-completion/completions/pgcred",
    "completions/_pgcred": "share/zsh/site-functions/_pgcred",
    "completions/pgcred.fish": "share/fish/vendor_completions.d/pgcred.fish",
}


def metadata() -> str:
    return (
        "Metadata-Version: 2.4\n"
        f"Name: pgcred\nVersion: {VERSION}\nSummary: {of_package('description')}\n"
        f"License-Expression: {of_package('license')}\nLicense-File: LICENSE\nLicense-File: THIRD-PARTY.txt\n"
        "Requires-Python: >=3.8\nDescription-Content-Type: text/markdown\n\n"
        f"{(ROOT / 'README.md').read_text()}"
    )


def contents(archive: Archive) -> dict[str, tuple[int, bytes]]:
    """Returns the mode and the bytes of each file of the wheel, but its own list."""
    info, data = f"pgcred-{VERSION}.dist-info", f"pgcred-{VERSION}.data"
    tags = f"Wheel-Version: 1.0\nGenerator: pgcred\nRoot-Is-Purelib: false\nTag: py3-none-{archive.target.wheel}\n"
    texts = {
        "pgcred_aws.py": MODULE,
        f"{info}/METADATA": metadata(),
        f"{info}/WHEEL": tags,
        f"{info}/entry_points.txt": "[console_scripts]\npgcred-aws = pgcred_aws:main\n",
    }
    files = {name: (0o644, text.encode()) for name, text in texts.items()}
    for name in ("LICENSE", "THIRD-PARTY.txt"):
        files[f"{info}/licenses/{name}"] = (0o644, archive.files[name])
    files[f"{data}/scripts/{archive.target.program}"] = (0o755, archive.program)
    for source, path in SHARED.items():
        files[f"{data}/data/{path}"] = (0o644, archive.files[source])
    return files


def record(files: dict[str, tuple[int, bytes]]) -> str:
    lines = []
    for name, (_, data) in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    return "".join(lines) + f"pgcred-{VERSION}.dist-info/RECORD,,\n"


def main() -> None:
    directory, epoch = Path(sys.argv[1]), int(os.environ["SOURCE_DATE_EPOCH"])
    for archive in archives(directory):
        files = contents(archive)
        files[f"pgcred-{VERSION}.dist-info/RECORD"] = (0o644, record(files).encode())
        wheel = directory / f"pgcred-{VERSION}-py3-none-{archive.target.wheel}.whl"
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
            for name, (mode, data) in sorted(files.items()):
                packed.writestr(zip_entry(name, mode, epoch), data)
        print(wheel)


if __name__ == "__main__":
    main()
