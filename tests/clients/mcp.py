# The client that an agent is to an MCP server: starts SERVER with the URL in URL, and has it run a query, over stdio. `url`: one
# query. `ended`, `idle`: waits after it for the file `refreshed`, ends the session or is idle for as long as a pool keeps a session
# that nobody uses, and has the same server run the query again.
import json
import os
import re
import subprocess
import sys
import threading
import time

here = os.path.dirname(os.path.abspath(__file__))
target = f"{here}/../../target"
npm = f"{target}/clients/node_modules/@modelcontextprotocol/server-postgres"


def postgres_mcp(*arguments):
    return [f"{target}/mcp/bin/python", "-IB", f"{here}/postgres-mcp.py", *arguments]


def server_postgres(*arguments):
    return ["node", f"{npm}/dist/index.js", *arguments]


# Each server with its command, and the tool that runs a query.
start, tool = {"postgres-mcp": (postgres_mcp, "execute_sql"), "server-postgres": (server_postgres, "query")}[sys.argv[1]]
how = sys.argv[2]
if how == "version":
    if start is postgres_mcp:
        sys.exit(subprocess.call(start("version")))
    with open(f"{npm}/package.json") as file:
        sys.exit(print(f"server-postgres {json.load(file)['version']}"))

# What stands in the configuration of an MCP client, or the URL alone.
entry = json.loads(os.environ.get("ENTRY", "null"))
words = [entry["command"], *entry["args"]] if entry else start(os.environ["URL"])
server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def watch():
    for line in server.stderr:
        sys.stderr.write(line)
        if "error connecting" in line:  # postgres-mcp tries again for a minute
            server.kill()


watcher = threading.Thread(target=watch, daemon=True)
watcher.start()


def send(**message):
    server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    server.stdin.flush()


def ask(method, params):
    ask.id += 1
    send(id=ask.id, method=method, params=params)
    for line in server.stdout:
        message = json.loads(line)
        if message.get("id") == ask.id:
            return message
    watcher.join()
    sys.exit("the server has ended")


ask.id = 0


def query(sql):
    answer = ask("tools/call", {"name": tool, "arguments": {"sql": sql}})
    return json.dumps(answer.get("result", answer)).replace('\\"', "'")


def who():
    text = query("select current_user || '@' || current_database() as who")
    found = re.search(r"'who': '([^']*)'", text)
    return found[1] if found else sys.exit(text)


ask("initialize", {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}})
send(method="notifications/initialized")
print(who(), flush=True)
if how != "url":
    while not os.path.exists("refreshed"):
        time.sleep(0.02)
    if how == "ended":
        query("select pg_terminate_backend(pg_backend_pid())")
    else:
        time.sleep(11)
    print(who())
server.stdin.close()
sys.exit(server.wait())
