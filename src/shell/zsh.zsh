# pgcred's hook for zsh. It starts a process only when a token is due, and waits for none.
\builtin typeset -g __pgcred_exe=@PGCRED@
\builtin typeset -g __pgcred_file=@DUE@
\builtin typeset -g __pgcred_hold=0
\builtin typeset -g __pgcred_for=-1
\builtin zmodload zsh/datetime

__pgcred_hook() {
    \builtin emulate -L zsh
    \builtin local __pgcred_now=$EPOCHSECONDS __pgcred_due='' __pgcred_pause=300
    \builtin local __pgcred_name='' __pgcred_end='' __pgcred_state=''
    # Each passfile has a file of its own; inside `pgcred exec` it is the passfile from outside that counts.
    \builtin local __pgcred_of=${PGPASSFILE-}
    [[ $__pgcred_of != "${PGCRED_EXEC_PASSFILE-}" ]] || __pgcred_of=${PGCRED_OUTER_PASSFILE-}
    __pgcred_of=${__pgcred_of//[\/\\:]/%}
    __pgcred_of=$__pgcred_file${__pgcred_of:+-$__pgcred_of}
    if [[ -f $__pgcred_of && -r $__pgcred_of ]]; then # a pipe would never end
        __pgcred_pause=60
        {
            IFS=' ' \builtin read -r __pgcred_due || __pgcred_due=''
#[segment]
            IFS=' ' \builtin read -r __pgcred_name __pgcred_end __pgcred_state || __pgcred_name=''
#[end]
        } 2>/dev/null <$__pgcred_of || __pgcred_due=''
    fi
    # Too long, or later than pgcred ever writes: the file is damaged, or the clock was set back.
    [[ $__pgcred_due == [1-9]* && $__pgcred_due == <-> && $#__pgcred_due -lt 12 ]] || __pgcred_due=0
    # What is due for the same reason is not tried again before the pause is over.
    if (((__pgcred_now >= __pgcred_due || __pgcred_due - __pgcred_now > 3600) &&
        (__pgcred_now >= __pgcred_hold || __pgcred_hold - __pgcred_now > 300 || __pgcred_due != __pgcred_for))); then
        __pgcred_hold=$((__pgcred_now + __pgcred_pause))
        __pgcred_for=$__pgcred_due
        ($__pgcred_exe refresh --background --quiet &) </dev/null >/dev/null 2>&1
    fi
#[segment]
    # No terminal is told what to do.
    [[ $__pgcred_name$__pgcred_state != *[[:cntrl:]]* ]] || __pgcred_end=''
    if [[ $__pgcred_end == <-> && $#__pgcred_end -lt 12 ]]; then
        __pgcred_end=$((__pgcred_end - __pgcred_now))
        if [[ $__pgcred_state != ok ]]; then
            :
        elif ((__pgcred_end <= 0)); then
            __pgcred_state=expired
        elif ((__pgcred_end < 120)); then
            __pgcred_state="$__pgcred_end s"
        elif ((__pgcred_end < 7200)); then
            __pgcred_state="$((__pgcred_end / 60)) min"
        elif ((__pgcred_end < 172800)); then
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
