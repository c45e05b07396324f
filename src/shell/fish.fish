# pgcred's hook for fish. It starts a process only when a token is due, and waits for none.
set -g __pgcred_exe @PGCRED@
set -g __pgcred_file @DUE@
set -g __pgcred_hold 0
set -g __pgcred_for -1

# fish has no clock of its own, but since 3.6 knows when a file was changed, and how long ago.
if builtin contains -- path (builtin --names); and builtin path mtime / >/dev/null 2>/dev/null
    function __pgcred_clock
        builtin math (builtin path mtime /) + (builtin path mtime --relative /)
    end
else
    function __pgcred_clock
        command date +%s # a process at every prompt: there is no other way
    end
end

#[prompt]
function __pgcred_hook --on-event fish_prompt
#[pwd]
function __pgcred_hook --on-variable PWD
#[none]
function __pgcred_hook
#[end]
    set -l now (__pgcred_clock)
    set -l due
    set -l pause @LONGEST_PAUSE@
    set -l name
    set -l end
    set -l state
    # pgcred writes one such file for each passfile. Inside `pgcred exec` the passfile of the outer shell counts.
    set -l of "$PGPASSFILE"
    if builtin test "$of" = "$PGCRED_EXEC_PASSFILE"
        set of "$PGCRED_OUTER_PASSFILE"
    end
    set -l file $__pgcred_file
    if builtin test -n "$of"
        set file $file-(builtin string replace --all --regex '[/\\\\:]' % -- "$of")
    end
    if builtin test -f $file -a -r $file # a pipe would never end
        set pause @PAUSE@
        begin
            read due
#[segment]
            read --delimiter ' ' name end state
#[end]
        end <$file 2>/dev/null
    end
    # A number that is too long, or a later time than pgcred writes, means a damaged file or a clock that was set back.
    builtin string match --quiet --regex '^[1-9][0-9]{0,10}$' -- "$due"; or set due 0
    set -l ahead (builtin math $due - $now)
    set -l held (builtin math $__pgcred_hold - $now)
    # The same due time is not tried again before the pause is over.
    if builtin test \( $ahead -le 0 -o $ahead -gt @LONGEST_WAIT@ \) -a \( $held -le 0 -o $held -gt @LONGEST_PAUSE@ -o $due != $__pgcred_for \)
        set -g __pgcred_hold (builtin math $now + $pause)
        set -g __pgcred_for $due
        # sh, because what fish leaves behind stays one of its jobs, and is $last_pid.
        command sh -c '"$0" refresh --background --quiet </dev/null >/dev/null 2>&1 &' $__pgcred_exe
    end
#[segment]
    # A text with a control character is not shown: it could be a command to the terminal.
    builtin string match --quiet --regex '\p{Cc}' -- "$name$state"; and set end
    if builtin string match --quiet --regex '^[0-9]{1,11}$' -- "$end"
        set -l left (builtin math $end - $now)
        if builtin test "$state" != ok
        else if builtin test $left -le 0
            set state expired
        else if builtin test $left -lt @SECONDS_BELOW@
            set state "$left s"
        else if builtin test $left -lt @MINUTES_BELOW@
            set state (builtin math --scale 0 $left / 60)" min"
        else if builtin test $left -lt @HOURS_BELOW@
            set state (builtin math --scale 0 $left / 3600)" h"
        else
            set state (builtin math --scale 0 $left / 86400)" d"
        end
        set -gx PGCRED_SEGMENT "$name $state"
    else
        set -gx PGCRED_SEGMENT ''
    end
#[end]
end
#[pwd]
__pgcred_hook
#[end]

function pgcred_deactivate
    builtin functions --erase __pgcred_hook __pgcred_clock pgcred_deactivate
    set -e __pgcred_exe
    set -e __pgcred_file
    set -e __pgcred_hold
    set -e __pgcred_for
    set -e PGCRED_SEGMENT
end
#[undo]
if builtin functions --query pgcred_deactivate
    pgcred_deactivate
end
#[end]
