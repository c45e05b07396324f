# pgcred's hook for elvish. It starts a process only when a token is due, and waits for none.
use re
use str

var pgcred-exe = @PGCRED@
var pgcred-file = @DUE@
var pgcred-hold = (num 0)
var pgcred-for = (num -1)

# elvish has no clock. Where the system tells how long it has been up, a process now and at every refresh is enough.
var pgcred-began = (num 0)
fn pgcred-up { str:split ' ' (slurp < /proc/uptime) | take 1 }
fn pgcred-set-clock { set pgcred-began = (- (e:date +%s) (pgcred-up)) }
fn pgcred-clock { + $pgcred-began (pgcred-up) }
try { pgcred-set-clock } catch _ {
    set pgcred-set-clock~ = { }
    set pgcred-clock~ = { e:date +%s }
}

# pgcred writes one such file for each passfile. Inside `pgcred exec` the passfile of the outer shell counts.
fn pgcred-due-file {
    var value = {|name| if (has-env $name) { get-env $name } else { put '' } }
    var of = ($value PGPASSFILE)
    if (eq $of ($value PGCRED_EXEC_PASSFILE)) { set of = ($value PGCRED_OUTER_PASSFILE) }
    if (eq $of '') {
        put $pgcred-file
    } else {
        put $pgcred-file'-'(str:replace / % (str:replace \ % (str:replace : % $of)))
    }
}

fn pgcred-hook {
    var now = (pgcred-clock)
    var lines = []
    var due = (num 0)
    var pause = @LONGEST_PAUSE@
    try {
        set lines = [(str:split "\n" (slurp < (pgcred-due-file)))]
        set pause = @PAUSE@
        set due = (num $lines[0])
    } catch _ { }
    # A later time than pgcred writes means a damaged file or a clock that was set back.
    var far = {|time most| or (<= $time $now) (> $time (+ $now $most)) }
    # The same due time is not tried again before the pause is over.
    if (and ($far $due @LONGEST_WAIT@) (or ($far $pgcred-hold @LONGEST_PAUSE@) (not-eq $due $pgcred-for))) {
        set pgcred-for = $due
        try { pgcred-set-clock } catch _ { }
        set now = (pgcred-clock)
        set pgcred-hold = (+ $now $pause)
        # sh, because elvish cannot leave a program behind.
        try { e:sh -c '"$0" refresh --background --quiet </dev/null >/dev/null 2>&1 &' $pgcred-exe } catch _ { }
    }
#[segment]
    var text = ''
    try {
        var name end state = (str:split ' ' $lines[1])
        var left = (- $end $now)
        var whole = {|unit| str:split . (to-string (/ $left $unit)) | take 1 }
        if (not-eq $state ok) {
        } elif (<= $left 0) {
            set state = expired
        } elif (< $left @SECONDS_BELOW@) {
            set state = ($whole (num 1.0))' s'
        } elif (< $left @MINUTES_BELOW@) {
            set state = ($whole (num 60.0))' min'
        } elif (< $left @HOURS_BELOW@) {
            set state = ($whole (num 3600.0))' h'
        } else {
            set state = ($whole (num 86400.0))' d'
        }
        # A text with a control character is not shown: it could be a command to the terminal.
        if (not (re:match '\p{Cc}' $name$state)) { set text = $name' '$state }
    } catch _ { }
    set-env PGCRED_SEGMENT $text
#[end]
}

fn pgcred-others {|hooks| each {|hook|
    var ours = $false
    try { set ours = (str:contains $hook[def] pgcred-hook) } catch _ { }
    if (not $ours) { put $hook }
} $hooks }

#[prompt]
set edit:before-readline = [(pgcred-others $edit:before-readline) { pgcred-hook }]
#[pwd]
set after-chdir = [(pgcred-others $after-chdir) {|_| pgcred-hook }]
pgcred-hook
#[none]
edit:add-var pgcred-hook~ $pgcred-hook~
#[end]
edit:add-var pgcred-deactivate~ {
    set edit:before-readline = [(pgcred-others $edit:before-readline)]
    set after-chdir = [(pgcred-others $after-chdir)]
    unset-env PGCRED_SEGMENT
}
#[undo]
try { pgcred-deactivate } catch _ { } # where there is no hook it is no command
#[end]
