# pgcred's hook for bash, 3.2 and newer. It starts a process only when a token is due, and waits for none.
__pgcred_exe=@PGCRED@
__pgcred_file=@DUE@
__pgcred_hold=0
__pgcred_for=-1
# For PROMPT_COMMAND: before `&&` a status is handed on without an ERR trap, and a child that inherits no hook calls none.
__pgcred_call='case ${__pgcred_exe+x} in x) __pgcred_hook && :; esac'

if ((BASH_VERSINFO[0] >= 5)); then
    __pgcred_clock() { __pgcred_now=$EPOCHSECONDS; }
elif ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 402)); then
    __pgcred_clock() { \builtin printf -v __pgcred_now '%(%s)T' -1; }
else
    # SECONDS counts from the start of the shell; one process, now, tells when that was.
    __pgcred_began=$(($(\command date +%s) - SECONDS))
    __pgcred_clock() { __pgcred_now=$((__pgcred_began + SECONDS)); }
fi

__pgcred_hook() {
    \builtin local __pgcred_status="$?" __pgcred_now=0 __pgcred_due='' __pgcred_pause=@LONGEST_PAUSE@
    \builtin local __pgcred_name='' __pgcred_end='' __pgcred_state=''
    # With `set -e` an exit status that is passed on would end the shell.
    case $- in *e*) __pgcred_status=0 ;; esac
#[pwd]
    [[ $PWD != "${__pgcred_pwd-}" ]] || \builtin return "$__pgcred_status"
    __pgcred_pwd=$PWD
#[end]
    __pgcred_clock
    # pgcred writes one such file for each passfile. Inside `pgcred exec` the passfile of the outer shell counts.
    \builtin local __pgcred_of=${PGPASSFILE-}
    [[ $__pgcred_of != "${PGCRED_EXEC_PASSFILE-}" ]] || __pgcred_of=${PGCRED_OUTER_PASSFILE-}
    __pgcred_of=${__pgcred_of//[\/\\:]/%}
    __pgcred_of=$__pgcred_file${__pgcred_of:+-$__pgcred_of}
    if [[ -f $__pgcred_of && -r $__pgcred_of ]]; then # a pipe would never end
        __pgcred_pause=@PAUSE@
        {
            IFS=' ' \builtin read -r __pgcred_due || __pgcred_due=''
#[segment]
            IFS=' ' \builtin read -r __pgcred_name __pgcred_end __pgcred_state || __pgcred_name=''
#[end]
        } 2>/dev/null <"$__pgcred_of" || __pgcred_due=''
    fi
    # An octal number, a number that is too long, or a later time than pgcred writes means a damaged file or a clock that was set back.
    case $__pgcred_due in '' | 0* | *[!0123456789]* | ????????????*) __pgcred_due=0 ;; esac
    # The same due time is not tried again before the pause is over.
    if (((__pgcred_now >= __pgcred_due || __pgcred_due - __pgcred_now > @LONGEST_WAIT@) &&
        (__pgcred_now >= __pgcred_hold || __pgcred_hold - __pgcred_now > @LONGEST_PAUSE@ || __pgcred_due != __pgcred_for))); then
        __pgcred_hold=$((__pgcred_now + __pgcred_pause))
        __pgcred_for=$__pgcred_due
        ("$__pgcred_exe" refresh --background --quiet </dev/null >/dev/null 2>&1 &)
    fi
#[segment]
    # A text with a control character is not shown: it could be a command to the terminal.
    case $__pgcred_name$__pgcred_state in *[[:cntrl:]]*) __pgcred_end='' ;; esac
    case $__pgcred_end in
        '' | 0?* | *[!0123456789]* | ????????????*) __pgcred_name='' __pgcred_state='' ;;
        *)
            ((__pgcred_end -= __pgcred_now)) || :
            if [[ $__pgcred_state != ok ]]; then
                :
            elif ((__pgcred_end <= 0)); then
                __pgcred_state=expired
            elif ((__pgcred_end < @SECONDS_BELOW@)); then
                __pgcred_state="$__pgcred_end s"
            elif ((__pgcred_end < @MINUTES_BELOW@)); then
                __pgcred_state="$((__pgcred_end / 60)) min"
            elif ((__pgcred_end < @HOURS_BELOW@)); then
                __pgcred_state="$((__pgcred_end / 3600)) h"
            else
                __pgcred_state="$((__pgcred_end / 86400)) d"
            fi
            ;;
    esac
    PGCRED_SEGMENT="${__pgcred_name:+$__pgcred_name $__pgcred_state}"
    \builtin export PGCRED_SEGMENT
#[end]
    \builtin return "$__pgcred_status"
}

#[prompt pwd]
# Last, so that other hooks find $? and PIPESTATUS as the command left them. A line end also parts from what ends in `;`.
if [[ "${PROMPT_COMMAND[*]-}" != *__pgcred_hook* ]]; then
    if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)) &&
        [[ "$(\builtin declare -p PROMPT_COMMAND 2>/dev/null)" == 'declare -a'* ]]; then
        PROMPT_COMMAND+=("$__pgcred_call")
    else
        PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}$__pgcred_call
    fi
fi
#[end]

pgcred_deactivate() {
    \builtin local __pgcred_i __pgcred_found=''
    [[ "${PROMPT_COMMAND[*]-}" != *"$__pgcred_call"* ]] || __pgcred_found=yes
    if [[ "$(\builtin declare -p PROMPT_COMMAND 2>/dev/null)" == 'declare -a'* ]]; then
        for __pgcred_i in "${!PROMPT_COMMAND[@]}"; do
            PROMPT_COMMAND[__pgcred_i]=${PROMPT_COMMAND[__pgcred_i]//$'\n'"$__pgcred_call"/}
            PROMPT_COMMAND[__pgcred_i]=${PROMPT_COMMAND[__pgcred_i]//"$__pgcred_call"/}
            [[ -n ${PROMPT_COMMAND[__pgcred_i]} ]] || \builtin unset "PROMPT_COMMAND[$__pgcred_i]"
        done
    elif [[ -n $__pgcred_found ]]; then
        PROMPT_COMMAND=${PROMPT_COMMAND//$'\n'"$__pgcred_call"/}
        PROMPT_COMMAND=${PROMPT_COMMAND//"$__pgcred_call"/}
        [[ -n $PROMPT_COMMAND ]] || \builtin unset PROMPT_COMMAND
    fi
    \builtin unset -f __pgcred_hook __pgcred_clock pgcred_deactivate
    \builtin unset -v __pgcred_exe __pgcred_file __pgcred_hold __pgcred_for __pgcred_call __pgcred_began __pgcred_pwd PGCRED_SEGMENT
    # Another tool, or the user, has the hook's name elsewhere and goes on calling it.
    if [[ -z $__pgcred_found || "${PROMPT_COMMAND[*]-}" == *__pgcred_hook* ]]; then
        __pgcred_exe=''
        __pgcred_hook() { \builtin return "$?"; }
    fi
}
#[undo]
if \builtin declare -F pgcred_deactivate >/dev/null; then pgcred_deactivate; fi
#[end]
