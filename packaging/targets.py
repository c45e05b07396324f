"""The targets of a release, what each registry calls them, and the archives of a directory."""

import re
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Target:
    name: str
    wheel: str  # the platform tag of PyPI
    npm: str  # the end of the package's name
    os: str  # the words of npm
    cpu: str
    libc: str = ""

    @property
    def program(self) -> str:
        return "pgcred.exe" if self.os == "win32" else "pgcred"


TARGETS = [
    Target("x86_64-unknown-linux-gnu", "manylinux_2_28_x86_64", "linux-x64-gnu", "linux", "x64", "glibc"),
    Target("x86_64-unknown-linux-musl", "musllinux_1_1_x86_64", "linux-x64-musl", "linux", "x64", "musl"),
    Target("aarch64-unknown-linux-gnu", "manylinux_2_28_aarch64", "linux-arm64-gnu", "linux", "arm64", "glibc"),
    Target("aarch64-unknown-linux-musl", "musllinux_1_1_aarch64", "linux-arm64-musl", "linux", "arm64", "musl"),
    Target("x86_64-apple-darwin", "macosx_11_0_x86_64", "darwin-x64", "darwin", "x64"),
    Target("aarch64-apple-darwin", "macosx_11_0_arm64", "darwin-arm64", "darwin", "arm64"),
    Target("x86_64-pc-windows-msvc", "win_amd64", "win32-x64", "win32", "x64"),
    # The same for those who make it on Linux; a release has the one above.
    Target("x86_64-pc-windows-gnu", "win_amd64", "win32-x64", "win32", "x64"),
]


def of_package(name: str) -> str:
    """Returns a value of Cargo.toml's [package], such as its version."""
    text = (ROOT / "Cargo.toml").read_text()
    found = re.search(rf'^{name} = "([^"]*)"', text, re.MULTILINE)
    assert found, f"Cargo.toml has no {name}"
    return found[1]


VERSION = of_package("version")


@dataclass
class Archive:
    target: Target
    files: dict[str, bytes]  # by their path below the archive's directory; links are left out

    @property
    def program(self) -> bytes:
        return self.files[self.target.program]


def archives(directory: Path) -> list[Archive]:
    """Returns the archives that packaging/build.sh has put into the directory."""
    found = []
    for target in TARGETS:
        base = directory / f"pgcred-{VERSION}-{target.name}"
        for suffix, read in ((".tar.gz", read_tar), (".zip", read_zip)):
            file = base.with_name(base.name + suffix)
            if file.exists():
                entries = {name.split("/", 1)[1]: data for name, data in read(file)}
                found.append(Archive(target, entries))
    assert found, f"{directory} has no archive of version {VERSION}"
    return found


def read_tar(file: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(file) as tar:
        entries = [(entry.name, tar.extractfile(entry)) for entry in tar if entry.isreg()]
        return [(name, data.read()) for name, data in entries if data]


def read_zip(file: Path) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(file) as packed:
        return [(entry.filename, packed.read(entry)) for entry in packed.infolist() if not entry.is_dir()]
