# Starts the MCP server postgres-mcp. It wants Python 3.12 for a decorator, which older ones have by another module, and a package
# for language models that no query needs.
import importlib.metadata
import sys
import types
import typing

import typing_extensions

if sys.argv[1:] == ["version"]:
    names = ["postgres-mcp", "psycopg", "psycopg-pool"]
    sys.exit(print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)))
typing.override = typing_extensions.override
sys.modules["instructor"] = types.ModuleType("instructor")
sys.modules["openai"] = types.SimpleNamespace(OpenAI=None)

import postgres_mcp

postgres_mcp.main()
