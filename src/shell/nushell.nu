# pgcred's hook for nushell. It starts a process only when a token is due, and waits for none.
$env.__pgcred_hold = 0
$env.__pgcred_for = -1

def --env __pgcred_hook [] {
    let now = (date now | into int) // 1_000_000_000
    # pgcred writes one such file for each passfile. Inside `pgcred exec` the passfile of the outer shell counts.
    let of = $env.PGPASSFILE? | default ""
    let of = if $of == ($env.PGCRED_EXEC_PASSFILE? | default "") { $env.PGCRED_OUTER_PASSFILE? | default "" } else { $of }
    let file = if ($of | is-empty) { @DUE@ } else { @DUE@ + "-" + ($of | str replace --all --regex '[/\\:]' '%') }
    let lines = try { open --raw $file | lines } catch { [] }
    let due = try { $lines | get 0 | into int } catch { 0 }
    let ahead = $due - $now
    let held = $env.__pgcred_hold - $now
    # A later time than pgcred writes means a damaged file or a clock that was set back.
    # The same due time is not tried again before the pause is over.
    if ($ahead <= 0 or $ahead > @LONGEST_WAIT@) and ($held <= 0 or $held > @LONGEST_PAUSE@ or $due != $env.__pgcred_for) {
        $env.__pgcred_for = $due
        $env.__pgcred_hold = $now + (if ($lines | is-empty) { @LONGEST_PAUSE@ } else { @PAUSE@ })
        try {
            if $nu.os-info.name == "windows" {
                job spawn { ^@PGCRED@ refresh --background --quiet | complete | ignore }
            } else {
                # sh, because nushell cannot leave a program behind.
                ^/bin/sh -c '"$0" refresh --background --quiet </dev/null >/dev/null 2>&1 &' @PGCRED@
            }
        }
    }
#[segment]
    $env.PGCRED_SEGMENT = try {
        let words = $lines | get 1 | split row " "
        let left = ($words.1 | into int) - $now
        let state = if $words.2 != "ok" {
            $words.2
        } else if $left <= 0 {
            "expired"
        } else if $left < @SECONDS_BELOW@ {
            $"($left) s"
        } else if $left < @MINUTES_BELOW@ {
            $"($left // 60) min"
        } else if $left < @HOURS_BELOW@ {
            $"($left // 3600) h"
        } else {
            $"($left // 86400) d"
        }
        $"($words.0) ($state)"
    } catch { "" }
#[end]
}

def --env pgcred_deactivate [] {
    let others = {|hooks| $hooks | default [] | where {|hook| ($hook | describe) !~ __pgcred } }
    $env.config.hooks.pre_prompt = do $others $env.config.hooks.pre_prompt?
    $env.config.hooks.env_change.PWD = do $others $env.config.hooks.env_change.PWD?
    hide-env --ignore-errors __pgcred_hold __pgcred_for PGCRED_SEGMENT
}
#[prompt pwd]

if true {
    let others = {|hooks| $hooks | default [] | where {|hook| ($hook | describe) !~ __pgcred } }
#[prompt]
    $env.config.hooks.pre_prompt = (do $others $env.config.hooks.pre_prompt?
        | append { __pgcred: true, code: {|| __pgcred_hook } })
#[pwd]
    $env.config.hooks.env_change.PWD = (do $others $env.config.hooks.env_change.PWD?
        | append { __pgcred: true, code: {|| __pgcred_hook } })
#[prompt pwd]
}
#[undo]
pgcred_deactivate
#[end]
