#!/usr/bin/env bash
# Signs the program in the archive of TARGET in DIR, where the variables with a certificate are set; otherwise it
# changes nothing. It runs after packaging/build.sh, so that no code of a crate sees a certificate.
#
#   packaging/sign.sh DIR TARGET
#
# macOS, on macOS: APPLE_CERTIFICATE (a Developer ID certificate with its key: PKCS #12, base64) and
# APPLE_CERTIFICATE_PASSWORD sign. APPLE_API_KEY (base64), APPLE_API_KEY_ID and APPLE_API_ISSUER have Apple check it.
# Windows: WINDOWS_CERTIFICATE (PKCS #12, base64) and WINDOWS_CERTIFICATE_PASSWORD, by osslsigncode or signtool.
# TIMESTAMP_SERVER, if it is empty, leaves out the time, without which a signature ends with its certificate.
#
# Tried with osslsigncode and a throw-away certificate; codesign, notarytool and signtool were not tried.
set -euo pipefail
directory=$(cd "${1:?DIR is missing}" && pwd)
target=${2:?TARGET is missing}
cd "$(dirname "$0")/.."
case $target in
    *-apple-*) system=macos program=pgcred suffix=tar.gz certificate=${APPLE_CERTIFICATE:-} ;;
    *-windows-*) system=windows program=pgcred.exe suffix=zip certificate=${WINDOWS_CERTIFICATE:-} ;;
    *) exit 0 ;;
esac
if [[ -z $certificate ]]; then
    echo "packaging/sign.sh: there is no certificate: the program for $target stays without a signature" >&2
    exit 0
fi
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -c safe.directory="$PWD" log -1 --format=%ct)}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name=pgcred-$version-$target
clock=${TIMESTAMP_SERVER-http://timestamp.digicert.com}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
base64 -d <<<"$certificate" >"$work/certificate.p12"

sign_for_macos() {
    local keychain=$work/sign.keychain password
    password=$(openssl rand -hex 16)
    security create-keychain -p "$password" "$keychain"
    security unlock-keychain -p "$password" "$keychain"
    security import "$work/certificate.p12" -k "$keychain" -P "$APPLE_CERTIFICATE_PASSWORD" -T /usr/bin/codesign
    security set-key-partition-list -S apple-tool:,apple: -s -k "$password" "$keychain" >/dev/null
    codesign --sign 'Developer ID Application' --keychain "$keychain" --options runtime --timestamp --force \
        --identifier pgcred "$1"
    codesign --verify --strict "$1"
    security delete-keychain "$keychain"
    [[ ${APPLE_API_KEY:-} ]] || return 0
    # A program cannot carry Apple's answer: macOS asks for it at the first start.
    base64 -d <<<"$APPLE_API_KEY" >"$work/key.p8"
    ditto -c -k "$1" "$work/pgcred.zip"
    xcrun notarytool submit "$work/pgcred.zip" --wait --key "$work/key.p8" --key-id "$APPLE_API_KEY_ID" \
        --issuer "$APPLE_API_ISSUER"
}

# Windows' SDK does not put its programs on PATH.
newest_signtool() {
    compgen -G '/c/Program Files (x86)/Windows Kits/10/bin/10.*/x64/signtool.exe' | sort -V | tail -n 1
}

sign_for_windows() {
    if command -v osslsigncode >/dev/null; then
        printf %s "$WINDOWS_CERTIFICATE_PASSWORD" >"$work/password"
        osslsigncode sign -pkcs12 "$work/certificate.p12" -readpass "$work/password" -h sha256 -n pgcred \
            ${clock:+-ts "$clock"} -in "$1" -out "$work/signed"
        mv "$work/signed" "$1"
    else
        # Git's bash takes options that begin with a slash for paths.
        MSYS2_ARG_CONV_EXCL='*' "$(newest_signtool)" sign /fd sha256 /td sha256 /tr "$clock" /d pgcred \
            /f "$(cygpath -w "$work/certificate.p12")" /p "$WINDOWS_CERTIFICATE_PASSWORD" "$(cygpath -w "$1")"
    fi
    cp "$1" "${1%.exe}-aws.exe"
}

case $suffix in
    zip) python3 -m zipfile -e "$directory/$name.zip" "$work" ;;
    *) tar -x -C "$work" -f "$directory/$name.tar.gz" ;;
esac
"sign_for_$system" "$work/$name/$program"
python3 packaging/archive.py "$work/$name" "$directory/$name.$suffix"
python3 packaging/sums.py "$directory"
