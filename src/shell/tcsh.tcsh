# pgcred's hook for tcsh, a file to source. It starts a process only when a token is due, and waits for none.
set __pgcred_exe = @PGCRED@
set __pgcred_file = @DUE@
set __pgcred_hold = 0

# tcsh has no clock and reads no file, but it knows when a file was changed: `due` says by that when a token is due, and
# `due.clock`, written at every prompt, what time it is.
alias __pgcred_start '@ __pgcred_hold = $__pgcred_now + $__pgcred_pause; ( "$__pgcred_exe" refresh --background --quiet & ) >& /dev/null < /dev/null'
alias __pgcred_known '@ __pgcred_due = ( -M "$__pgcred_file" ); @ __pgcred_pause = 60'
alias __pgcred_clock 'echo -n >! "$__pgcred_file.clock"; @ __pgcred_now = ( -M "$__pgcred_file.clock" )'
alias __pgcred_look 'set __pgcred_now = 0 __pgcred_due = 0 __pgcred_pause = 300; if ( -w "$__pgcred_file:h" ) eval __pgcred_clock; if ( -e "$__pgcred_file" ) eval __pgcred_known; if ( ( $__pgcred_due <= $__pgcred_now || $__pgcred_due - $__pgcred_now > 3600 ) && ( $__pgcred_hold <= $__pgcred_now || $__pgcred_hold - $__pgcred_now > 300 ) ) eval __pgcred_start'
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
