# pgcred's hook for tcsh, a file to source. It starts a process only when a token is due, and waits for none.
set __pgcred_exe = @PGCRED@
set __pgcred_file = @DUE@
set __pgcred_hold = 0
set __pgcred_for = -1

# tcsh has no clock and reads no file, but it knows when a file was changed: `due` says by that when a token is due, and
# `due.clock`, written at every prompt, what time it is. In another user's directory that could be a link to any file.
alias __pgcred_start '@ __pgcred_hold = $__pgcred_now + $__pgcred_pause; set __pgcred_for = $__pgcred_due; ( "$__pgcred_exe" refresh --background --quiet & ) >& /dev/null < /dev/null'
alias __pgcred_known '@ __pgcred_due = ( -M "$__pgcred_of:q" ); @ __pgcred_pause = @PAUSE@'
alias __pgcred_clock 'echo -n >! "$__pgcred_file.clock"; @ __pgcred_now = ( -M "$__pgcred_file.clock" )'
# pgcred writes one such file for each passfile. Inside `pgcred exec` the passfile of the outer shell counts.
alias __pgcred_which 'set __pgcred_of = ""; if ( $?PGPASSFILE ) eval __pgcred_own; if ( $?PGCRED_EXEC_PASSFILE ) eval __pgcred_in_exec; if ( "$__pgcred_of:q" != "" ) set __pgcred_of = "-$__pgcred_of:as,/,%,:as,:,%,"; set __pgcred_of = "$__pgcred_file:q$__pgcred_of:q"'
alias __pgcred_own 'set __pgcred_of = "$PGPASSFILE:q"'
alias __pgcred_in_exec 'if ( "$__pgcred_of:q" == "$PGCRED_EXEC_PASSFILE:q" ) eval __pgcred_outside'
alias __pgcred_outside 'set __pgcred_of = ""; if ( $?PGCRED_OUTER_PASSFILE ) eval __pgcred_outer'
alias __pgcred_outer 'set __pgcred_of = "$PGCRED_OUTER_PASSFILE:q"'
# The same due time is not tried again before the pause is over.
alias __pgcred_look 'set __pgcred_now = 0 __pgcred_due = 0 __pgcred_pause = @LONGEST_PAUSE@; __pgcred_which; if ( -ow "$__pgcred_file:h" ) eval __pgcred_clock; if ( -e "$__pgcred_of:q" ) eval __pgcred_known; if ( ( $__pgcred_due <= $__pgcred_now || $__pgcred_due - $__pgcred_now > @LONGEST_WAIT@ ) && ( $__pgcred_hold <= $__pgcred_now || $__pgcred_hold - $__pgcred_now > @LONGEST_PAUSE@ || $__pgcred_due != $__pgcred_for ) ) eval __pgcred_start'
#[prompt none]
alias __pgcred_hook '__pgcred_look'
#[pwd]
set __pgcred_pwd = ''
alias __pgcred_moved 'set __pgcred_pwd = "$cwd:q"; __pgcred_look'
alias __pgcred_hook 'if ( "$__pgcred_pwd:q" != "$cwd:q" ) eval __pgcred_moved'
#[prompt pwd]
if ( "`alias precmd`" !~ *__pgcred_hook* ) alias precmd "`alias precmd`;__pgcred_hook"
#[always]
alias pgcred_deactivate 'alias precmd "`alias precmd | sed s/\;__pgcred_hook//`"; unalias __pgcred_*; unset __pgcred_*; unalias pgcred_deactivate'
#[undo]
if ( "`alias pgcred_deactivate`" != '' ) eval pgcred_deactivate
#[end]
