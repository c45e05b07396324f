# pgcred's hook for fish. It starts a process only when a token is due, and waits for none.
set -g __pgcred_exe @PGCRED@
set -g __pgcred_file @DUE@
set -g __pgcred_hold 0

# fish has no clock of its own, but since 3.6 knows when a file was changed, and how long ago.
if contains -- path (builtin --names); and path mtime / >/dev/null 2>/dev/null
    function __pgcred_clock
        math (path mtime /) + (path mtime --relative /)
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
    set -l pause 300
    set -l name
    set -l end
    set -l state
    if test -r $__pgcred_file
        set pause 60
        begin
            read due
#[segment]
            read --delimiter ' ' name end state
#[end]
        end <$__pgcred_file 2>/dev/null
    end
    # Too long, or later than pgcred ever writes: the file is damaged, or the clock was set back.
    string match --quiet --regex '^[1-9][0-9]{0,10}$' -- "$due"; or set due 0
    set -l ahead (math $due - $now)
    set -l held (math $__pgcred_hold - $now)
    if test \( $ahead -le 0 -o $ahead -gt 3600 \) -a \( $held -le 0 -o $held -gt 300 \)
        set -g __pgcred_hold (math $now + $pause)
        $__pgcred_exe refresh --background --quiet </dev/null >/dev/null 2>/dev/null &
        disown $last_pid 2>/dev/null
    end
#[segment]
    if string match --quiet --regex '^[0-9]{1,11}$' -- "$end"
        set -l left (math $end - $now)
        if test "$state" != ok
        else if test $left -le 0
            set state expired
        else if test $left -lt 120
            set state "$left s"
        else if test $left -lt 7200
            set state (math --scale 0 $left / 60)" min"
        else if test $left -lt 172800
            set state (math --scale 0 $left / 3600)" h"
        else
            set state (math --scale 0 $left / 86400)" d"
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
    functions --erase __pgcred_hook __pgcred_clock pgcred_deactivate
    set -e __pgcred_exe
    set -e __pgcred_file
    set -e __pgcred_hold
    set -e PGCRED_SEGMENT
end
#[undo]
if functions --query pgcred_deactivate
    pgcred_deactivate
end
#[end]
