# pgcred's hook for PowerShell, 5.1 and newer. It starts a process only when a token is due, and waits for none.
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') { return } # no method may be called
$global:__pgcred_exe = @PGCRED@
$global:__pgcred_file = @DUE@
$global:__pgcred_hold = [long]0
$global:__pgcred_for = [long]-1
#[pwd]
$global:__pgcred_pwd = ''
#[end]

function global:__pgcred_hook {
#[pwd]
    if ($global:__pgcred_pwd -eq "$PWD") { return }
    $global:__pgcred_pwd = "$PWD"
#[end]
    $now = [DateTimeOffset]::UtcNow.ToUnixTimeSeconds()
    $due = [long]0
    $pause = @LONGEST_PAUSE@
    $lines = @()
    # pgcred writes one such file for each passfile. Inside `pgcred exec` the passfile of the outer shell counts.
    $of = "$env:PGPASSFILE"
    if ($of -ceq "$env:PGCRED_EXEC_PASSFILE") { $of = "$env:PGCRED_OUTER_PASSFILE" }
    $file = $global:__pgcred_file
    if ($of) { $file = $file + '-' + $of.Replace('/', '%').Replace('\', '%').Replace(':', '%') }
    if ([IO.File]::Exists($file)) {
        $pause = @PAUSE@
        try { $lines = [IO.File]::ReadAllLines($file) } catch { $global:Error.RemoveAt(0) }
    }
    if ($lines.Length -ge 1) { $null = [long]::TryParse($lines[0], [ref]$due) }
    # A later time than pgcred writes means a damaged file or a clock that was set back.
    # The same due time is not tried again before the pause is over.
    if (($now -ge $due -or $due - $now -gt @LONGEST_WAIT@) -and
        ($now -ge $global:__pgcred_hold -or $global:__pgcred_hold - $now -gt @LONGEST_PAUSE@ -or $due -ne $global:__pgcred_for)) {
        $global:__pgcred_hold = $now + $pause
        $global:__pgcred_for = $due
        try {
            $start = [Diagnostics.ProcessStartInfo]::new($global:__pgcred_exe, 'refresh --background --quiet')
            $start.UseShellExecute = $false
            $start.CreateNoWindow = $true
            $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
            $process = [Diagnostics.Process]::Start($start)
            $process.StandardInput.Close()
            $process.StandardOutput.Close()
            $process.StandardError.Close()
            $process.Dispose()
        } catch { $global:Error.RemoveAt(0) }
    }
#[segment]
    $env:PGCRED_SEGMENT = ''
    $end = [long]0
    # A text with a control character is not shown: it could be a command to the terminal.
    $words = @(if ($lines.Length -ge 2 -and $lines[1] -notmatch '\p{Cc}') { $lines[1].Split(' ') })
    if ($words.Length -eq 3 -and [long]::TryParse($words[1], [ref]$end)) {
        $left = $end - $now
        $state = if ($words[2] -ne 'ok') { $words[2] }
        elseif ($left -le 0) { 'expired' }
        elseif ($left -lt @SECONDS_BELOW@) { "$left s" }
        elseif ($left -lt @MINUTES_BELOW@) { "$([Math]::Floor($left / 60)) min" }
        elseif ($left -lt @HOURS_BELOW@) { "$([Math]::Floor($left / 3600)) h" }
        else { "$([Math]::Floor($left / 86400)) d" }
        $env:PGCRED_SEGMENT = "$($words[0]) $state"
    }
#[end]
}

#[prompt pwd]
# Around whatever prompt is there, unless that is ours. Each wrapper keeps the prompt that it has found: another tool may have
# put an older one of ours away, and goes on calling it.
if ("${function:prompt}" -notlike '*__pgcred_prompt*') {
    ${function:global:prompt} = & {
        param($__pgcred_prompt)
        {
            $__pgcred_ok = $?
            if ($args) { return $__pgcred_prompt } # to pgcred_deactivate
            $null = __pgcred_hook
            # The prompt that was there finds $? as the command left it; nothing here changes $LASTEXITCODE.
            if (-not $__pgcred_ok) { Write-Error '' -ErrorAction Ignore }
            & $__pgcred_prompt
        }.GetNewClosure()
    } ${function:prompt}
}
#[end]

function global:pgcred_deactivate {
    if ("${function:prompt}" -like '*__pgcred_prompt*') {
        ${function:global:prompt} = & ${function:prompt} 'What was there before?'
    }
    # It stays, empty: another tool may have put our prompt away.
    function global:__pgcred_hook { }
    $names = '__pgcred_exe', '__pgcred_file', '__pgcred_hold', '__pgcred_for', '__pgcred_pwd'
    Remove-Variable -Scope Global -Name $names -ErrorAction Ignore
    Remove-Item -Path 'Env:PGCRED_SEGMENT', 'Function:pgcred_deactivate' -ErrorAction Ignore
}
#[undo]
if (Test-Path -Path 'Function:pgcred_deactivate') { pgcred_deactivate }
#[end]
