"""Runs a program at a terminal of its own: waits for a question, runs a shell command, then types an answer.

question.py QUESTION COMMAND ANSWER PROGRAM ARGUMENT...; prints what the terminal showed, ends as the program did."""
import os
import pty
import subprocess
import sys

question, command, answer, *program = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(program[0], program)
shown, asked = b"", False
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:  # the program has gone
        break
    if not piece:
        break
    shown += piece
    if not asked and question.encode() in shown:
        asked = True
        subprocess.run(command, shell=True, check=True)
        os.write(terminal, answer.encode() + b"\n")
sys.stdout.write(shown.decode().replace("\r\n", "\n"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
