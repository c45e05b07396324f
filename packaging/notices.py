"""Writes the licences of what is inside a program: `notices.py TARGET FILE`.

The crates are those that cargo links for the target. Their texts come from cargo's copies of their sources;
equal texts stand once. Where a crate offers MIT among others, MIT is taken. A crate that has no text of its own
gets that of MIT with the names of its authors, and is an error if it is under another licence.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from targets import ROOT

IS_LICENCE = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense)([-._].*)?", re.IGNORECASE)
OFFERS_MIT = re.compile(r"\bMIT ?(OR|/)|(OR|/) ?MIT\b")
LINE = "-" * 80

# What cargo does not know of: the name, whose it is, and the targets that have it.
NOT_CRATES = [
    ("Rust's standard library (https://github.com/rust-lang/rust)", "The Rust Project Contributors", ""),
    ("musl, the C library (https://musl.libc.org)", "2005-2020 Rich Felker, et al.", "musl"),
]


def linked(target: str) -> list[dict]:
    """Returns the crates that are linked for the target, without pgcred itself."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform", target]
    data = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in data["packages"]}
    nodes = {node["id"]: node["deps"] for node in data["resolve"]["nodes"]}
    own = next(package["id"] for package in packages.values() if package["name"] == "pgcred")
    left, seen = [own], {own}
    while left:
        for dependency in nodes[left.pop()]:
            # A normal one has no kind; the others are for builds and tests.
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]) and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                left.append(dependency["pkg"])
    return sorted((packages[name] for name in seen - {own}), key=lambda crate: (crate["name"], crate["version"]))


def mit_of(owners: str) -> str:
    """Returns the text of MIT, whose words pgcred's own licence has."""
    title, _, rest = (ROOT / "LICENSE").read_text(encoding="utf-8").partition("\n")
    body = re.sub(r"^\s*Copyright.*\n", "", rest)
    return f"{title}\n\nCopyright (c) {owners}\n{body}".strip()


def texts_of(crate: dict) -> list[str]:
    directory = Path(crate["manifest_path"]).parent
    files = [file for file in sorted(directory.iterdir()) if IS_LICENCE.fullmatch(file.name) and file.is_file()]
    if any("MIT" in file.name for file in files) and OFFERS_MIT.search(crate["license"]):
        files = [file for file in files if "APACHE" not in file.name.upper()]
    texts = []
    for file in files:
        lines = file.read_text(encoding="utf-8").splitlines()
        texts.append("\n".join(line.rstrip() for line in lines).strip("\n"))
    if not texts and "MIT" not in crate["license"]:
        sys.exit(f"notices.py: {crate['name']} ({crate['license']}) has no licence text")
    return texts or [mit_of(", ".join(crate["authors"]) or f"the authors of {crate['name']}")]


def main() -> None:
    target, file = sys.argv[1], Path(sys.argv[2])
    users = defaultdict(list)
    for crate in linked(target):
        for text in texts_of(crate):
            name = f"{crate['name']} {crate['version']} ({crate['license']})"
            users[text].append(f"{name} {crate['repository'] or ''}".strip())
    for name, owners, where in NOT_CRATES:
        if target.endswith(where):
            users[mit_of(owners)].append(name)
    parts = [f"What pgcred for {target} has inside, and the licences of it. pgcred's own is in LICENSE.\n"]
    for text, names in sorted(users.items(), key=lambda item: item[1]):
        parts.append("\n".join([LINE, *names, LINE, "", text, ""]))
    file.write_text("\n".join(parts), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
