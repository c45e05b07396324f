# pgcred's hook for zsh. It starts a process only when a token is due, and waits for none.
\builtin typeset -g __pgcred_exe=@PGCRED@
\builtin typeset -g __pgcred_file=@DUE@
\builtin typeset -g __pgcred_hold=0
\builtin typeset -g __pgcred_for=-1
\builtin zmodload zsh/datetime

__pgcred_hook() {
    \builtin emulate -L zsh
    \builtin local __pgcred_now=$EPOCHSECONDS __pgcred_due='' __pgcred_pause=@LONGEST_PAUSE@
    \builtin local __pgcred_name='' __pgcred_end='' __pgcred_state=''
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
        } 2>/dev/null <$__pgcred_of || __pgcred_due=''
    fi
    # A number that is too long, or a later time than pgcred writes, means a damaged file or a clock that was set back.
    [[ $__pgcred_due == [1-9]* && $__pgcred_due == <-> && $#__pgcred_due -lt 12 ]] || __pgcred_due=0
    # The same due time is not tried again before the pause is over.
    if (((__pgcred_now >= __pgcred_due || __pgcred_due - __pgcred_now > @LONGEST_WAIT@) &&
        (__pgcred_now >= __pgcred_hold || __pgcred_hold - __pgcred_now > @LONGEST_PAUSE@ || __pgcred_due != __pgcred_for))); then
        __pgcred_hold=$((__pgcred_now + __pgcred_pause))
        __pgcred_for=$__pgcred_due
        ($__pgcred_exe refresh --background --quiet &) </dev/null >/dev/null 2>&1
    fi
#[segment]
    # A text with a control character is not shown: it could be a command to the terminal.
    [[ $__pgcred_name$__pgcred_state != *[[:cntrl:]]* ]] || __pgcred_end=''
    if [[ $__pgcred_end == <-> && $#__pgcred_end -lt 12 ]]; then
        __pgcred_end=$((__pgcred_end - __pgcred_now))
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
    else
        __pgcred_name=''
    fi
    \builtin export PGCRED_SEGMENT="${__pgcred_name:+$__pgcred_name $__pgcred_state}"
#[end]
    \builtin return 0 # zsh itself gives the prompt and the other hooks the command's exit status
}

#[prompt]
() {
    \builtin emulate -L zsh
    \builtin typeset -ga precmd_functions
    precmd_functions=("${(@)precmd_functions:#__pgcred_hook}" __pgcred_hook)
}
#[pwd]
() {
    \builtin emulate -L zsh
    \builtin typeset -ga chpwd_functions
    chpwd_functions=("${(@)chpwd_functions:#__pgcred_hook}" __pgcred_hook)
}
__pgcred_hook
#[end]

pgcred_deactivate() {
    \builtin emulate -L zsh
    precmd_functions=("${(@)precmd_functions:#__pgcred_hook}")
    chpwd_functions=("${(@)chpwd_functions:#__pgcred_hook}")
    \builtin unset __pgcred_exe __pgcred_file __pgcred_hold __pgcred_for PGCRED_SEGMENT
    \builtin unfunction __pgcred_hook pgcred_deactivate
}
#[undo]
if (( ${+functions[pgcred_deactivate]} )); then pgcred_deactivate; fi
#[end]
