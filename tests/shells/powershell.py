"""Says where a PowerShell script, given by its path, is no PowerShell, by tree-sitter's grammar."""
import pathlib
import sys

import tree_sitter_powershell
from tree_sitter import Language, Parser

parser = Parser(Language(tree_sitter_powershell.language()))
nodes, wrong = [parser.parse(pathlib.Path(sys.argv[1]).read_bytes()).root_node], []
while nodes:
    node = nodes.pop()
    nodes += node.children
    if node.is_error or node.is_missing:
        wrong.append(f"line {node.start_point.row + 1}: {node.text.decode()!r}")
sys.exit("\n".join(wrong) or 0)
