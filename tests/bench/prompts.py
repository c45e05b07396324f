"""What pgcred's hook costs at a prompt: 1,000 prompts in each shell, with the hook and without it, in one run.

usage: prompts.py PGCRED [--prompts N] [--runs N]

A shell at a pseudo-terminal is given empty lines. Prompts with and without the hook take turns; medians of runs. Wall time,
and processor time of the shell and all it starts, which the machine's other work disturbs less.
"""

import argparse
import os
import pty
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

HOST = "foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws"
# start-up file, command line, line that sets the prompt and reads the hook
SHELLS = {
    "bash": ("rc", ["bash", "--noprofile", "--rcfile", "rc", "-i"], "PS1='P> '", ". {hook}"),
    "zsh": (".zshrc", ["zsh", "-d", "-i"], "PS1='P> '; unsetopt zle", ". {hook}"),
    "fish": (
        ".config/fish/config.fish",
        ["fish", "-i"],
        "set -g fish_greeting; function fish_prompt; echo -n 'P> '; end; function fish_title; end",
        "source {hook}",
    ),
    "tcsh": (".tcshrc", ["tcsh"], "set prompt = 'P> '; unset edit", "source {hook}"),
    "elvish": ("rc", ["elvish", "-rc", "rc"], "set edit:prompt = { put 'P> ' }; set edit:rprompt = { }", "eval (slurp < {hook})"),
    "powershell": ("rc.ps1", ["pwsh", "-NoLogo", "-NoProfile", "-NoExit", "-File", "rc.ps1"], "", ". {hook}"),
}


def run(argv, env, prompts):
    """Returns wall and processor seconds of a shell that shows so many prompts."""
    master, slave = pty.openpty()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shell = subprocess.Popen(
        argv, env=env, cwd=env["HOME"], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
    )
    os.close(slave)
    shown = b""
    while b"P>" not in shown and b"PS" not in shown:
        shown += os.read(master, 65536)
    began = time.perf_counter()
    for _ in range(prompts):
        os.write(master, b"\r")
        part = b""
        while b"P" not in part:
            part = os.read(master, 65536)
    wall = time.perf_counter() - began
    os.write(master, b"exit\r")
    try:
        while os.read(master, 65536):
            pass
    except OSError:
        pass  # nobody has the terminal open any more
    shell.wait()
    os.close(master)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pgcred")
    parser.add_argument("--prompts", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    print(f"{'ms per prompt':14} {'none':>8} {'hook':>8} {'cost':>8} {'cost in processor time':>24}")
    for name, (rc, argv, prompt, read) in SHELLS.items():
        if not shutil.which(argv[0]):
            print(f"{name:14} not here")
            continue
        for segment in ([], ["--segment"]):
            if name == "tcsh" and segment:
                continue
            samples = {False: [], True: []}
            with tempfile.TemporaryDirectory() as home:
                env = {
                    "HOME": home, "PGCRED_HOME": home + "/own", "PATH": os.environ["PATH"], "TERM": "dumb",
                    "LC_ALL": "C.UTF-8", "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
                    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                }
                os.makedirs(home + "/.config/fish")
                os.makedirs(home + "/.local/share/fish/generated_completions")
                pgcred = os.path.abspath(options.pgcred)
                for command in (["add", "-q", "prod", HOST, "--expires-in", "7d"], ["refresh", "-q"]):
                    subprocess.run([pgcred, *command], env=env, check=True)
                hook = os.path.join(home, "hook.ps1" if name == "powershell" else "hook")
                with open(hook, "w") as file:
                    subprocess.run([pgcred, "init", name, *segment], env=env, check=True, stdout=file)
                for _ in range(options.runs):
                    for with_hook in (False, True):
                        with open(os.path.join(home, rc), "w") as file:
                            file.write(f"{prompt}\n{read.format(hook=hook) if with_hook else ''}\n")
                        samples[with_hook].append(run(argv, env, options.prompts))
            median = lambda with_hook, which: (
                statistics.median(sample[which] for sample in samples[with_hook]) * 1000 / options.prompts
            )
            none, hooked = median(False, 0), median(True, 0)
            processor = median(True, 1) - median(False, 1)
            print(f"{name + (' segment' if segment else ''):14} {none:8.3f} {hooked:8.3f} {hooked - none:8.3f} {processor:24.3f}")


main()
