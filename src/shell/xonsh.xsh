# pgcred's hook for xonsh. It starts a process only when a token is due, and waits for none.
def __pgcred_make():
    import builtins
    import os
    import subprocess
    import time

    exe, file = @PGCRED@, @DUE@
    hold, tried = 0, None
    started = None

    def __pgcred_hook(**_):
        nonlocal hold, tried, started
        if started and started.poll() is not None:
            started = None  # until it is asked for, what has ended stays in the system's table
        now, pause = int(time.time()), @PAUSE@
        # pgcred writes one such file for each passfile. Inside `pgcred exec` the passfile of the outer shell counts.
        env = __xonsh__.env
        of = str(env.get("PGPASSFILE", ""))
        if of == str(env.get("PGCRED_EXEC_PASSFILE", "")):
            of = str(env.get("PGCRED_OUTER_PASSFILE", ""))
        if of:
            of = "-" + of.replace("/", "%").replace("\\", "%").replace(":", "%")
        try:
            if os.path.exists(file + of) and not os.path.isfile(file + of):
                raise ValueError  # a pipe would never end
            with open(file + of, encoding="utf-8") as opened:
                lines = opened.read().split("\n")
            due = int(lines[0])
        except FileNotFoundError:
            lines, due, pause = [], 0, @LONGEST_PAUSE@
        except (OSError, ValueError):
            lines, due = [], 0
        # A later time than pgcred writes means a damaged file or a clock that was set back.
        # The same due time is not tried again before the pause is over.
        if not now < due <= now + @LONGEST_WAIT@ and not (now < hold <= now + @LONGEST_PAUSE@ and due == tried):
            hold, tried = now + pause, due
            null = subprocess.DEVNULL
            try:
                started = subprocess.Popen(
                    [exe, "refresh", "--background", "--quiet"],
                    stdin=null, stdout=null, stderr=null, start_new_session=True,
                )
            except OSError:
                pass
#[segment]
        text = ""
        try:
            name, end, state = lines[1].split(" ")
            left = int(end) - now
            if state != "ok":
                pass
            elif left <= 0:
                state = "expired"
            elif left < @SECONDS_BELOW@:
                state = f"{left} s"
            elif left < @MINUTES_BELOW@:
                state = f"{left // 60} min"
            elif left < @HOURS_BELOW@:
                state = f"{left // 3600} h"
            else:
                state = f"{left // 86400} d"
            text = f"{name} {state}"
            if not text.isprintable():
                text = ""  # a control character could be a command to the terminal
        except (IndexError, ValueError):
            pass
        __xonsh__.env["PGCRED_SEGMENT"] = text
#[end]

    return __pgcred_hook


def __pgcred_remove():
    for event in (events.on_pre_prompt, events.on_chdir):
        for handler in [handler for handler in event if handler.__name__ == "__pgcred_hook"]:
            event.discard(handler)


def pgcred_deactivate():
    __pgcred_remove()
    __xonsh__.env.pop("PGCRED_SEGMENT", None)
    for name in ("__pgcred_hook", "__pgcred_make", "__pgcred_remove", "pgcred_deactivate"):
        __xonsh__.ctx.pop(name, None)


__pgcred_remove()
__pgcred_hook = __pgcred_make()
#[prompt]
events.on_pre_prompt(__pgcred_hook)
#[pwd]
events.on_chdir(__pgcred_hook)
__pgcred_hook()
#[undo]
if "pgcred_deactivate" in __xonsh__.ctx:
    __xonsh__.ctx["pgcred_deactivate"]()
#[end]
