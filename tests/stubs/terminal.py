#!/usr/bin/env python3
"""Runs a command at a pseudo-terminal of its own, which is its stdin and stderr; promises the command's exit code.

  terminal.py [TEXT SECONDS ANSWER] -- COMMAND...

stdout stays what it is, and what the terminal shows, echo included, goes to stderr. Once it shows TEXT, ANSWER and a line
end are typed SECONDS later.
"""
import fcntl
import os
import pty
import select
import sys
import termios
import time


def main():
    split = sys.argv.index("--")
    text, seconds, answer = sys.argv[1:split] or (None, 0, "")
    command = sys.argv[split + 1:]
    master, slave = pty.openpty()
    child = os.fork()
    if child == 0:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        os.dup2(slave, 0)
        os.dup2(slave, 2)
        os.close(slave)
        os.close(master)
        os.execvp(command[0], command)
    os.close(slave)
    shown, due, ended = b"", None, None
    while True:
        ready = select.select([master], [], [], 0.02)[0]
        if not ready and ended is not None:
            break
        try:
            data = os.read(master, 65536) if ready else None
        except OSError:  # nobody has the terminal open any more
            data = b""
        if data:
            shown += data
            os.write(2, data)
        if text and due is None and text.encode() in shown:
            due = time.monotonic() + float(seconds)
        if text and due is not None and time.monotonic() >= due:
            os.write(master, answer.encode() + b"\n")
            text = None
        if ended is None:
            pid, status = os.waitpid(child, 0 if data == b"" else os.WNOHANG)
            ended = status if pid else None
        elif data == b"":
            break
    sys.exit(os.waitstatus_to_exitcode(ended))


if __name__ == "__main__":
    main()
