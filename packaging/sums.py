"""Writes SHA256SUMS: the hash of each other file of the directory, as sha256sum prints it."""

import hashlib
import sys
from pathlib import Path

LIST = "SHA256SUMS"


def hash_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def read(directory: Path) -> dict[str, str]:
    """Returns the hashes of the list by the names of the files."""
    lines = (directory / LIST).read_text().splitlines()
    return {name: hash for hash, name in (line.split("  ") for line in lines)}


def main() -> None:
    directory = Path(sys.argv[1])
    files = sorted(file for file in directory.iterdir() if file.is_file() and file.name != LIST)
    lines = [f"{hash_of(file)}  {file.name}\n" for file in files]
    (directory / LIST).write_text("".join(lines), newline="\n")


if __name__ == "__main__":
    main()
