"""Serves the release in a directory at 127.0.0.1: `serve.py DIRECTORY PORT_FILE [--cut | --damaged]`.

`/releases/download/vVERSION/NAME` is a file of the release, as a repository has it; `/NAME` is npm's page of a
package, as a registry has it. `--cut` closes each connection after half of a file, `--damaged` changes a byte.
"""

import base64
import hashlib
import json
import sys
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DIRECTORY, PORT_FILE, FAULT = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]


def packages() -> dict[str, Path]:
    """Returns npm's packages by their names."""
    return {manifest(file)["name"]: file for file in DIRECTORY.glob("*.tgz")}


def manifest(file: Path) -> dict:
    with tarfile.open(file) as package:
        return json.load(package.extractfile("package/package.json"))


def page(file: Path, address: str) -> bytes:
    version = manifest(file)
    digest = base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()
    version["dist"] = {"tarball": f"{address}/releases/download/v/{file.name}", "integrity": f"sha512-{digest}"}
    number = version["version"]
    whole = {"name": version["name"], "dist-tags": {"latest": number}, "versions": {number: version}}
    return json.dumps(whole).encode()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[1]
        known = packages()
        if self.path.startswith("/releases/download/") and (DIRECTORY / name).is_file():
            body = bytearray((DIRECTORY / name).read_bytes())
        elif name in known:
            body = bytearray(page(known[name], f"http://{self.headers['Host']}"))
        else:
            self.send_error(404)
            return
        length = len(body)
        if "--damaged" in FAULT:
            body[length // 2] ^= 1
        if "--cut" in FAULT:
            del body[length // 2 :]
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    PORT_FILE.write_text(str(server.server_port))
    server.serve_forever()


if __name__ == "__main__":
    main()
