"""Makes the npm packages: `npm.py DIRECTORY REPOSITORY`.

`pgcred` has a script that runs the program, and names a package for each system as an optional
dependency. npm installs the one that fits, and runs no script at the installation. REPOSITORY is what
the registry compares with the workflow that publishes them.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from archive import write_tar
from targets import ROOT, VERSION, archives, of_package

SCRIPTS = ROOT / "packaging" / "npm"


def common(name: str, description: str) -> dict[str, object]:
    return {
        "name": name,
        "version": VERSION,
        "description": description,
        "license": of_package("license"),
        "repository": {"type": "git", "url": f"git+{sys.argv[2].rstrip('/')}.git"},
    }


def pack(directory: Path, package: dict[str, object], files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as work:
        inside = Path(work) / "package"
        inside.mkdir()
        (inside / "package.json").write_text(json.dumps(package, indent=2) + "\n")
        for name, data in files.items():
            (inside / name).write_bytes(data)
        file = directory / f"{package['name']}-{VERSION}.tgz"
        write_tar(inside, file, int(os.environ["SOURCE_DATE_EPOCH"]))
        print(file)


def main() -> None:
    directory = Path(sys.argv[1])
    names = []
    for archive in archives(directory):
        target = archive.target
        package = common(f"pgcred-{target.npm}", f"The program of the package pgcred for {target.name}")
        package |= {"os": [target.os], "cpu": [target.cpu], "preferUnplugged": True}
        if target.libc:
            package["libc"] = [target.libc]
        texts = {name: archive.files[name] for name in ("LICENSE", "THIRD-PARTY.txt")}
        pack(directory, package, {target.program: archive.program} | texts)
        names.append(package["name"])
    package = common("pgcred", of_package("description")) | {
        "bin": {"pgcred": "pgcred.js", "pgcred-aws": "pgcred-aws.js"},
        "man": ["./pgcred.1"],
        "engines": {"node": ">=18"},
        "optionalDependencies": {str(name): VERSION for name in names},
    }
    files = {script.name: script.read_bytes() for script in SCRIPTS.glob("*.js")}
    for name in ("README.md", "CHANGELOG.md", "LICENSE", "man/pgcred.1"):
        files[Path(name).name] = archives(directory)[0].files[name]
    pack(directory, package, files)


if __name__ == "__main__":
    main()
