"""Refuses a tag that the tree does not agree with: `check_version.py TAG [--notes]`.

TAG is `v` and the version of Cargo.toml, and CHANGELOG.md's newest heading is that version with a date.
`--notes` prints the text of that heading, which is the text of the release.
"""

import re
import sys

from targets import ROOT, VERSION


def newest_entry() -> tuple[str, str]:
    """Returns the newest heading of the changelog, and the text below it."""
    entries = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    if len(entries) < 2:
        sys.exit("CHANGELOG.md: no heading")
    heading, _, text = entries[1].partition("\n")
    return heading.strip(), text.strip() + "\n"


def main() -> None:
    tag, wants_notes = sys.argv[1], "--notes" in sys.argv[2:]
    heading, text = newest_entry()
    if tag != f"v{VERSION}":
        sys.exit(f"the tag is {tag}, and the version in Cargo.toml {VERSION}: correct one of them")
    if not re.fullmatch(rf"\[{re.escape(VERSION)}\] - \d{{4}}-\d\d-\d\d", heading):
        sys.exit(f"CHANGELOG.md: the newest heading is {heading!r}: write `## [{VERSION}] - YEAR-MONTH-DAY`")
    if wants_notes:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
