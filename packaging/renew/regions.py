"""Renews the list of AWS's regions: `python3 packaging/renew/regions.py`, then look at `git diff` and commit.

Source: the Python package `botocore`, which the AWS CLI has inside. Of its two lists, `endpoints.json` is
taken: `partitions.json` also has regions that no service is in yet. Writes src/aws/known_regions.rs.
"""

import json
import subprocess
import sys
import tempfile
import textwrap
from datetime import date
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent.parent / "src" / "aws" / "known_regions.rs"

TEMPLATE = """\
//! The regions of all of AWS's partitions. `packaging/renew/regions.py` writes this file.
//!
//! Carried by pgcred: Python package botocore {version}, {today}

#[rustfmt::skip]
pub(super) const KNOWN_REGIONS: &[&str] = &[
{names}
];
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as work:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--root-user-action=ignore"]
        subprocess.run([*pip, "--no-deps", "--target", work, "botocore"], check=True)
        data = json.loads((Path(work) / "botocore" / "data" / "endpoints.json").read_text())
        package = next(Path(work).glob("botocore-*.dist-info"))
    regions = sorted(region for partition in data["partitions"] for region in partition["regions"])
    if len(regions) < 40:
        sys.exit(f"botocore has {len(regions)} regions only: has the form of its file changed?")
    names = textwrap.fill(", ".join(f'"{name}"' for name in regions) + ",", 96, break_on_hyphens=False)
    version = package.name.removeprefix("botocore-").removesuffix(".dist-info")
    text = TEMPLATE.format(version=version, today=date.today(), names=textwrap.indent(names, "    "))
    FILE.write_text(text, newline="\n")
    print(f"{FILE}: {len(regions)} regions")


if __name__ == "__main__":
    main()
