#!/usr/bin/env python3
"""Draws a terminal session as SVG: reads the session's text from stdin, writes the picture to stdout.

Lines that begin with "$ " are what was typed. tests/it/clients/picture.rs records the session with the real programs, and
checks that session.svg is what this script draws of it. To draw it anew:

    PGCRED_TEST_DRAW=1 cargo test --test it clients::picture
"""
import sys
import textwrap
from xml.sax.saxutils import escape

LETTER, LINE, MARGIN = 8.43, 19, 18  # width of a letter at 14 px, height of a line, space around the text
COLUMNS = 96
TITLE = "pgcred at a terminal: every line is from a real session"
STYLE = """
    .window { fill: #f6f8fa; stroke: #d0d7de }
    text { fill: #1f2328; font: 14px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; white-space: pre }
    .typed { fill: #0550ae; font-weight: bold }
    .note { fill: #59636e }
    @media (prefers-color-scheme: dark) {
      .window { fill: #0d1117; stroke: #3d444d }
      text { fill: #e6edf3 }
      .typed { fill: #79c0ff }
      .note { fill: #9198a1 }
    }
  """


def kind(line):
    if line.startswith("$ "):
        return ' class="typed"'
    return ' class="note"' if line.startswith(("pgcred: ", "hint: ")) else ""


def wrapped(text):
    """The text's lines, each with its class; messages that are too long are broken between words."""
    for line in text.splitlines():
        for part in textwrap.wrap(line, COLUMNS) if len(line) > COLUMNS else [line]:
            yield part, kind(line)


def draw(lines):
    width = round(COLUMNS * LETTER) + 2 * MARGIN
    height = len(lines) * LINE + 2 * MARGIN
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
    yield f"  <title>{TITLE}</title>"
    yield f"  <style>{STYLE}</style>"
    yield f'  <rect class="window" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>'
    for number, (line, classes) in enumerate(lines):
        if line:
            # The length holds columns in place whatever the font's letters measure.
            length = round(len(line) * LETTER, 1)
            base = MARGIN + 14 + number * LINE
            yield (
                f'  <text x="{MARGIN}" y="{base}" textLength="{length}" xml:space="preserve"{classes}>'
                f"{escape(line)}</text>"
            )
    yield "</svg>"


print("\n".join(draw(list(wrapped(sys.stdin.read())))))
