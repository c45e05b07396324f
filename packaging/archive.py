"""Packs a directory: `archive.py DIRECTORY FILE`, where FILE ends in .tar.gz or .zip.

The bytes depend on names, contents and SOURCE_DATE_EPOCH alone: entries are sorted, belong to nobody,
and have that time. Programs and scripts can be executed by all, nothing else can.
"""

import gzip
import os
import sys
import tarfile
import time
import zipfile
from pathlib import Path

PROGRAMS = {"pgcred", "pgcred-aws", "pgcred.exe", "pgcred-aws.exe", "install.sh"}


def mode(path: Path) -> int:
    return 0o755 if path.is_dir() or path.name in PROGRAMS else 0o644


def entries(directory: Path) -> list[Path]:
    return [directory, *sorted(directory.rglob("*"))]


def write_tar(directory: Path, file: Path, epoch: int) -> None:
    def normal(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = epoch
        entry.mode = mode(directory.parent / entry.name)
        return entry

    with open(file, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        with tarfile.open(mode="w", fileobj=packed, format=tarfile.USTAR_FORMAT) as tar:
            for path in entries(directory):
                tar.add(path, path.relative_to(directory.parent), recursive=False, filter=normal)


def write_zip(directory: Path, file: Path, epoch: int) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in entries(directory):
            if path.is_dir():
                continue
            name = path.relative_to(directory.parent).as_posix()
            packed.writestr(zip_entry(name, mode(path), epoch), path.read_bytes())


def zip_entry(name: str, mode: int, epoch: int) -> zipfile.ZipInfo:
    """Returns an entry of a zip as every system makes it; its clock begins in 1980."""
    entry = zipfile.ZipInfo(name, max(time.gmtime(epoch)[:6], (1980, 1, 1, 0, 0, 0)))
    entry.create_system = 3  # Unix, which keeps the mode
    entry.external_attr = (0o100000 | mode) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def main() -> None:
    directory, file = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    write = write_zip if file.suffix == ".zip" else write_tar
    write(directory, file, int(os.environ["SOURCE_DATE_EPOCH"]))


if __name__ == "__main__":
    main()
