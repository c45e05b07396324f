"""Two name servers that disagree, as with a VPN or WSL, and a program between them.

    unshare --net --mount python3 name_servers.py DIRECTORY COMMAND...

In a network of its own, 127.0.0.1 is the name server of the VPN: it answers late, knows the names of the
company, and cannot answer for others (SERVFAIL). 127.0.0.2 is the public one: it answers at once, knows the
other names, and says that those of the company do not exist. `resolv.conf` names the VPN's first. COMMAND
runs here, with a `resolv.conf` of DIRECTORY.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading
import time

NXDOMAIN, SERVFAIL = 3, 2
COMPANY = {"db.company.test": "10.1.2.3"}
PUBLIC = {"db.public.test": "10.9.8.7"}
IPV4 = 1
SET_FLAGS, UP = 0x8914, 1  # SIOCSIFFLAGS, IFF_UP


def name_in(query: bytes) -> tuple[str, int, bytes]:
    """Returns the name, the type and the bytes of the question in a query."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += query[at] + 1
    kind = struct.unpack("!H", query[at + 1 : at + 3])[0]
    return ".".join(labels).lower(), kind, query[12 : at + 5]


def answer(query: bytes, names: dict[str, str], unknown: int) -> bytes:
    name, kind, question = name_in(query)
    address = names.get(name)
    records = b""
    if address and kind == IPV4:
        records = b"\xc0\x0c" + struct.pack("!HHIH", IPV4, 1, 60, 4) + socket.inet_aton(address)
    code = 0 if address else unknown
    header = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, 1 if records else 0, 0, 0)
    return header + question + records


def serve(server: socket.socket, names: dict[str, str], unknown: int, delay: float) -> None:
    while True:
        query, client = server.recvfrom(4096)
        time.sleep(delay)
        server.sendto(answer(query, names, unknown), client)


def start(address: str, names: dict[str, str], unknown: int, delay: float) -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    threading.Thread(target=serve, args=(server, names, unknown, delay), daemon=True).start()


def main() -> int:
    directory, command = sys.argv[1], sys.argv[2:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH14x", b"lo", UP))
    start("127.0.0.1", COMPANY, SERVFAIL, 0.2)
    start("127.0.0.2", PUBLIC, NXDOMAIN, 0.0)
    own = os.path.join(directory, "resolv.conf")
    with open(own, "w") as file:
        file.write("nameserver 127.0.0.1\nnameserver 127.0.0.2\n")
    subprocess.run(["mount", "--bind", own, os.path.realpath("/etc/resolv.conf")], check=True)
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode


sys.exit(main())
