# Downloads pgcred @VERSION@ for Windows, checks it, and installs it for one user.
#
#   powershell -ExecutionPolicy Bypass -File pgcred-install.ps1 [-Prefix DIR] [-Version VERSION] [-Uninstall]
#
# The checksums of this version are in this script: what the script downloads is what was released with
# it. It needs no administrator, and changes neither PATH nor a profile.
[CmdletBinding()]
param(
    [string] $Prefix = (Join-Path $env:LOCALAPPDATA 'Programs\pgcred'),
    [string] $Version = '@VERSION@',
    [string] $Target = 'x86_64-pc-windows-msvc',
    [switch] $Uninstall
)
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
Set-StrictMode -Version 3.0
[Net.ServicePointManager]::SecurityProtocol = 'Tls12' # what Windows Server 2016 does not ask for

# Hash and name of each archive of version @VERSION@.
$checksums = @'
@CHECKSUMS@
'@

$repository = '@REPOSITORY@'
if ($env:PGCRED_REPOSITORY) { $repository = $env:PGCRED_REPOSITORY }

function Get-Checksum([string] $Text, [string] $Name) {
    foreach ($line in $Text -split "`r?`n") {
        $hash, $file = $line -split '  ', 2
        if ($file -eq $Name) { return $hash }
    }
    throw "version $Version has no build for $Target"
}

function Install-Pgcred {
    $from = "$repository/releases/download/v$Version"
    if ($Version -ne '@VERSION@') {
        # They tell a damaged file, but not a false one. The installer of that version has them inside.
        $checksums = [string] (Invoke-RestMethod -UseBasicParsing "$from/SHA256SUMS")
    }
    $name = "pgcred-$Version-$Target"
    $expected = Get-Checksum $checksums "$name.zip"
    $work = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
    New-Item -ItemType Directory $work | Out-Null
    try {
        $archive = Join-Path $work 'pgcred.zip'
        Invoke-WebRequest -UseBasicParsing "$from/$name.zip" -OutFile $archive
        $actual = (Get-FileHash -Algorithm SHA256 $archive).Hash.ToLowerInvariant()
        if ($actual -ne $expected) {
            throw "the checksum of $from/$name.zip is wrong, nothing was installed: expected $expected, received $actual"
        }
        Expand-Archive $archive $work
        New-Item -ItemType Directory -Force $Prefix | Out-Null
        foreach ($file in Get-ChildItem (Join-Path $work $name)) {
            Copy-Item -Recurse -Force $file.FullName $Prefix
        }
    } finally {
        Remove-Item -Recurse -Force $work
    }
    $pgcred = Join-Path $Prefix 'pgcred.exe'
    Write-Output "installed ${pgcred}: $(& $pgcred --version)"
    if (($env:PATH -split ';') -notcontains $Prefix) {
        Write-Output "note: $Prefix is not on PATH; add it, or call pgcred by its full path"
    }
}

# Tools and tokens come first: when the program is gone, nothing can find them any more.
function Uninstall-Pgcred {
    $pgcred = Join-Path $Prefix 'pgcred.exe'
    if (-not (Test-Path $pgcred)) { throw "there is no $pgcred" }
    & $pgcred setup --undo --yes
    if ($LASTEXITCODE -ne 0) { throw 'nothing was removed, because some tools are still set up' }
    & $pgcred erase --all
    if ($LASTEXITCODE -ne 0) { throw 'nothing was removed, because some tokens are still there' }
    foreach ($name in 'pgcred.exe', 'pgcred-aws.exe', 'completions', 'man', 'LICENSE', 'THIRD-PARTY.txt',
        'README.md', 'CHANGELOG.md') {
        Remove-Item -Recurse -Force -ErrorAction SilentlyContinue (Join-Path $Prefix $name)
    }
    if (-not (Get-ChildItem -Force $Prefix)) { Remove-Item $Prefix }
    Write-Output "removed $pgcred"
}

if ($Uninstall) { Uninstall-Pgcred } else { Install-Pgcred }
