# Drives pgAdmin 4 in desktop mode over plain HTTP, as its own pages do, and checks what pgcred promises about it.
import http.cookiejar
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

DSQL, RDS = "orders", "billing"


class PgAdmin:
    def __init__(self, base):
        self.base, self.headers = base, {}
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )
        deadline = time.monotonic() + 120
        while self.ping() != "PING":
            assert time.monotonic() < deadline, "pgAdmin did not start"
            time.sleep(0.2)
        assert self.text("GET", "/browser/")[0] == 200
        script = self.text("GET", "/browser/js/utils.js")[1]
        name = re.search(r"csrf_token_header'\] = '([^']+)'", script)[1]
        self.headers[name] = re.search(r"csrf_token'\] = '([^']+)'", script)[1]

    def ping(self):
        try:
            return self.text("GET", "/misc/ping")[1]
        except OSError:
            return None

    def text(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = self.headers | ({"Content-Type": "application/json"} if data else {})
        request = urllib.request.Request(self.base + path, data=data, method=method, headers=headers)
        try:
            with self.opener.open(request, timeout=90) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def call(self, method, path, body=None):
        status, text = self.text(method, path, body)
        return status, json.loads(text)

    def good(self, method, path, body=None):
        status, answer = self.call(method, path, body)
        assert status == 200, (method, path, status, answer)
        return answer

    def servers(self):
        """What the tree shows in the group of the import: name -> path."""
        found = {}
        for group in self.good("GET", "/browser/server_group/nodes/")["data"]:
            if group["label"] == "pgcred":
                for server in self.good("GET", f"/browser/server/nodes/{group['_id']}/")["result"]:
                    found[server["label"]] = f"{group['_id']}/{server['_id']}"
        return found

    def load(self, file, replace=False):
        offered = self.good("POST", "/import_export_servers/load_servers", {"filename": str(file)})["data"]
        chosen = [server["value"].split("_")[0] for group in offered for server in group["children"]]
        wanted = {"type": "import", "filename": str(file), "selected_sever_ids": chosen, "replace_servers": replace}
        self.good("POST", "/import_export_servers/save", wanted)

    def connect(self, server):
        return self.call("POST", f"/browser/server/connect/{server}")

    def disconnect(self, server):
        self.good("DELETE", f"/browser/server/connect/{server}")

    def open_tab(self, server):
        """A query tab has a connection of its own."""
        databases = self.good("GET", f"/browser/database/nodes/{server}/")["data"]
        [database] = [each["_id"] for each in databases if each["label"] == "postgres"]
        tab = random.randint(1, 9999999)
        options = {"user": None, "role": None, "password": None, "dbname": "postgres"}
        status, answer = self.call("POST", f"/sqleditor/initialize/sqleditor/{tab}/{server}/{database}", options)
        return tab, status, answer

    def who(self, tab):
        sql = {"sql": "select current_user || '@' || current_database()", "explain_plan": None}
        self.good("POST", f"/sqleditor/query_tool/start/{tab}", sql)
        while (data := self.good("GET", f"/sqleditor/poll/{tab}")["data"])["status"] == "Busy":
            time.sleep(0.05)
        return data["result"][0][0]

    def assert_tab(self, server, who):
        tab, status, answer = self.open_tab(server)
        assert status == 200, (status, answer)
        assert self.who(tab) == who
        return tab


def main(base, pgcred, work):
    work = pathlib.Path(work)
    started = time.monotonic()

    def done(what):
        print(f"{time.monotonic() - started:5.1f} s  {what}", flush=True)

    def run(*arguments):
        ended = subprocess.run([pgcred, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def accepted():
        lines = (work / "lenient.log").read_text().splitlines()
        return sum(json.loads(line)["outcome"] == "accepted" for line in lines)

    pgadmin = PgAdmin(base)
    done("pgAdmin answers")

    # The import that the dialog does, of the text that --print gives.
    home = pathlib.Path(os.environ["HOME"])
    file = home / ".config/pgcred/pgadmin-servers.json"
    printed = run("setup", "pgadmin", "--print")
    run("setup", "pgadmin", "--yes")
    assert json.loads(file.read_text()) == json.loads(printed)
    assert "orders (not imported yet)" in run("setup")
    pgadmin.load(file)
    servers = pgadmin.servers()
    assert set(servers) == {DSQL, RDS, "strict"}, servers
    shown = run("setup")
    assert all(f"{name} (imported)" in shown for name in servers), shown
    done("imported; pgcred setup shows it")

    for name, who in [(RDS, "app@postgres"), (DSQL, "admin@postgres")]:
        server, before = servers[name], accepted()
        status, answer = pgadmin.connect(server)
        assert status == 200 and answer["data"]["connected"], (name, status, answer)
        pgadmin.assert_tab(server, who)
        assert accepted() > before, "not through the stand-in"
        done(f"{name}: connected, browsed, queried as {who}")

    # The token that the first logins used has ended when the second tab is opened.
    time.sleep(8.1)
    before = accepted()
    pgadmin.assert_tab(servers[DSQL], "admin@postgres")
    assert accepted() > before
    assert run("token", RDS) != run("token", RDS, "--fresh") == run("token", RDS)
    tab = pgadmin.assert_tab(servers[RDS], "app@postgres")
    done("new query tabs take the next token")

    # Nobody is logged in to AWS any more: what is open stays, what is new says why not, and it mends itself.
    credentials = home / ".aws/credentials"
    keys = credentials.read_text()
    credentials.unlink()
    session = "sso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\n"
    account = "sso_account_id = 123456789012\nsso_role_name = dev\n"
    config = credentials.with_name("config")
    config.write_text(f"[default]\n{session}{account}")
    assert pgadmin.who(tab) == "app@postgres"
    _, status, answer = pgadmin.open_tab(servers[RDS])
    assert status == 500 and "returned non-zero exit status 3" in answer["errormsg"], (status, answer)
    pgadmin.disconnect(servers[RDS])
    status, answer = pgadmin.connect(servers[RDS])
    assert status in (401, 428) and "returned non-zero exit status 3" in answer["result"]["errmsg"], (status, answer)
    log = (home / ".pgadmin/pgadmin4.log").read_text()
    assert "login`, then try again" in log, "the reason is not in pgAdmin's log"  # `aws sso login`, where there is an aws
    assert "X-Amz-Signature" not in log, "a token is in pgAdmin's log"
    done("helper ends with 3: tab and connection say so, the log has the command to type")
    config.unlink()
    credentials.write_text(keys)
    status, answer = pgadmin.connect(servers[RDS])
    assert status == 200 and answer["data"]["connected"], (status, answer)
    pgadmin.assert_tab(servers[RDS], "app@postgres")
    done("logged in again: connected")

    # What a real DSQL does after the login.
    status, answer = pgadmin.connect(servers["strict"])
    refused = 'setting configuration parameter "client_min_messages" not supported'
    assert status == 401 and refused in answer["result"]["errmsg"], (status, answer)
    done("DSQL's list of parameters refuses pgAdmin, as issue 9433 says")

    # The file of roots is the one that verifies: without it, pgAdmin does not connect to RDS.
    for name in (RDS, DSQL):
        pgadmin.disconnect(servers[name])
    roots = home / ".local/share/pgcred/roots/rds-eu-west-1.pem"
    right = roots.read_text()
    roots.write_text((work / "lenient.pem").read_text())
    status, answer = pgadmin.connect(servers[RDS])
    assert status == 401 and "certificate verify failed" in answer["result"]["errmsg"], (status, answer)
    done(f"{RDS}: refused by other roots")

    # A person who has root certificates of their own: those are named, for all servers.
    own = home / ".postgresql/root.crt"
    own.parent.mkdir()
    own.write_text(right + (work / "lenient.pem").read_text())
    run("setup", "pgadmin", "--yes")
    written = json.loads(file.read_text())["Servers"].values()
    named = {server["ConnectionParameters"]["sslrootcert"] for server in written}
    assert named == {str(own)}, named
    pgadmin.load(file, replace=True)
    servers = pgadmin.servers()
    for name, who in [(RDS, "app@postgres"), (DSQL, "admin@postgres")]:
        status, answer = pgadmin.connect(servers[name])
        assert status == 200 and answer["data"]["connected"], (name, status, answer)
        pgadmin.assert_tab(servers[name], who)
    done("with ~/.postgresql/root.crt: connected and queried by that")


main(*sys.argv[1:])
