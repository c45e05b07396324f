#!/usr/bin/env python3
"""Loopback stand-in for the AWS services that hand out credentials; promises to answer as they do, or to misbehave.

It prints its port on the first line of stdout and ends when its stdin closes. Standard library only; every key is made
up. With a file as its argument it appends one JSON line per request: id, method, path, headers, body, and `proxy` if the
client took it for one: an address in full is served like a path, and CONNECT, whatever the host, leads back here. With a
certificate and its key as further arguments it speaks TLS where the client does; without them CONNECT is refused.

  container credentials  GET  /ecs/...                    magic in the path: needauth, short, past, forever, offset
  IMDSv2                 PUT  /latest/api/token, GET /latest/meta-data/...
  SSO portal             GET  /federation/credentials     wants the bearer token `ssotoken`
  SSO OIDC               POST /token, /client/register, /device_authorization
  sign-in                POST /v1/token                   wants a valid DPoP header
  STS                    POST /                           AssumeRole, AssumeRoleWithWebIdentity; the key is ASIASTS + role
  RDS's trust store      GET  /REGION/REGION-bundle.pem   that file, where it stands beside the stub's certificate

Words in front of the path choose what happens; a service's endpoint URL may end in any number of them:

  hang trickle close 500 huge garbage redirect endless    the misbehaviours: never answers, one byte a second, hangs up,
                 ... (endless: a body in chunks without an end)
  error-NAME     the service's own error of that name          pending-N    the device grant is pending N times
  grant-NAME     that error for the device grant only          slow-N       it asks for patience N times
  past           credentials that have expired                 version-1    IMDS without version 2
  no-role        an instance without a role                    no-refresh   OIDC answers without a refresh token
  late           IMDS hands out its token before it misbehaves
  mfa-wrong      STS's error is about the MFA code
  wordy          STS's error has a long message
  foreign        the device grant's page has another scheme and an escape sequence
  brief          the device grant ends after 2 s, and asks for pauses of 68 years
  zone-only      an IMDS that knows the zone, and not the region
  id-NAME        only marks the request in the log
"""
import base64
import datetime
import hashlib
import http.server
import json
import pathlib
import re
import socket
import ssl
import sys
import threading
import time
import urllib.parse

SECRET = "STUBSECRETthatnobodymayprint"  # in every answer; tests look for it where it must not be
WORD = re.compile(r"(hang|trickle|close|500|huge|garbage|redirect|endless|past|late|version-1|zone-only|foreign|brief|no-role|no-refresh|mfa-wrong|wordy|(error|grant|pending|slow|id)-[^/]+)$")
LOGGED = ("authorization", "dpop", "host", "x-amz-sso_bearer_token", "x-aws-ec2-metadata-token",
          "x-aws-ec2-metadata-token-ttl-seconds", "content-type", "x-amz-security-token")
OIDC_CODES = {"AuthorizationPendingException": "authorization_pending", "SlowDownException": "slow_down",
              "InvalidGrantException": "invalid_grant", "ExpiredTokenException": "expired_token",
              "UnauthorizedClientException": "unauthorized_client", "AccessDeniedException": "access_denied",
              "InvalidClientException": "invalid_client", "InvalidRequestException": "invalid_request"}


def ends(seconds):
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return end.strftime("%Y-%m-%dT%H:%M:%SZ")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def setup(self):
        self.tunnel = None
        if self.server.tls and self.request.recv(1, socket.MSG_PEEK) == b"\x16":
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_CONNECT(self):
        self.body, self.words, self.rest = b"", [], self.path
        self.proxied = self.tunnel = self.path
        self.note()
        if not self.server.tls:
            return self.answer({}, 502)
        self.send_response_only(200)
        self.end_headers()
        self.request = self.server.tls.wrap_socket(self.connection, server_side=True)
        super().setup()

    def handle_any(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urllib.parse.urlsplit(self.path)
        self.proxied = self.tunnel or address.netloc or None
        self.path = address._replace(scheme="", netloc="").geturl()
        parts = self.path.lstrip("/").split("/")
        self.words = []
        while parts and WORD.match(parts[0]):
            self.words.append(parts.pop(0))
        self.rest = "/" + "/".join(parts)
        self.note()
        if "late" in self.words and self.command == "PUT":
            self.words = []
        if "hang" in self.words:
            self.rfile.read(1)  # until the client gives up
        elif "close" in self.words:
            self.close_connection = True
        elif "500" in self.words:
            self.answer({"message": "broken"}, 500)
        elif "huge" in self.words:
            self.answer(raw=SECRET + "A" * 10_000_000)
        elif "garbage" in self.words:
            self.answer(raw=f"<html>{SECRET} is not what you asked for\x00\xff</html>")
        elif "endless" in self.words:
            self.endless()
        elif "redirect" in self.words:
            self.send_response(302)
            self.send_header("Location", self.path.replace("redirect/", "", 1))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.serve(self.rest.split("?")[0])

    do_GET = do_PUT = do_POST = handle_any

    def endless(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:  # until the client gives up
            self.wfile.write(b"4000\r\n" + b"A" * 0x4000 + b"\r\n")

    def note(self):
        if self.server.log:
            line = {"id": self.word("id"), "method": self.command, "path": self.rest, "words": self.words,
                    "headers": {name.lower(): value for name, value in self.headers.items() if name.lower() in LOGGED},
                    "body": self.fields(), "proxy": self.proxied}
            with self.server.lock, open(self.server.log, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def fields(self):
        text = self.body.decode("utf-8", "replace")
        if text.startswith("{"):
            return json.loads(text)
        return {name: values[0] for name, values in urllib.parse.parse_qs(text, keep_blank_values=True).items()}

    def word(self, kind):
        return next((word[len(kind) + 1:] for word in self.words if word.startswith(kind + "-")), None)

    def answer(self, value=None, code=200, raw=None, error=None, kind="application/json"):
        body = (raw if raw is not None else json.dumps(value)).encode("latin-1")
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if error:
            self.send_header("x-amzn-ErrorType", error)
        if self.command == "PUT":
            self.send_header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
        self.end_headers()
        if "trickle" in self.words:
            for byte in body:
                self.wfile.write(bytes([byte]))
                time.sleep(1)
        else:
            self.wfile.write(body)

    def serve(self, path):
        if path.startswith("/ecs"):
            self.container(path)
        elif path.startswith("/latest/"):
            self.imds(path)
        elif path == "/federation/credentials":
            self.portal()
        elif path in ("/token", "/client/register", "/device_authorization"):
            self.oidc(path)
        elif path == "/v1/token":
            self.sign_in()
        elif bundle := re.fullmatch(r"/([a-z0-9-]+)/(\1-bundle\.pem)", path):
            self.trust_store(bundle[2])
        elif path in ("", "/") and self.command == "POST":
            self.sts(self.fields())
        else:
            self.answer({"message": "not found"}, 404)

    def trust_store(self, name):
        file = self.server.directory and self.server.directory / name
        if not file or not file.exists():
            return self.answer(raw="<Error><Code>NoSuchKey</Code></Error>", code=404, kind="application/xml")
        return self.answer(raw=file.read_text(encoding="latin-1"), kind="binary/octet-stream")

    def container(self, path):
        if error := self.word("error"):
            return self.answer({"code": error, "message": "no credentials for you"}, 400)
        if "needauth" in path and self.headers.get("Authorization") != "tok123":
            return self.answer({"code": "AccessDenied", "message": "bad auth"}, 401)
        past = "past" in path or "past" in self.words
        found = {"AccessKeyId": "ASIAECS", "SecretAccessKey": SECRET, "Token": "ecstoken",
                 "Expiration": ends(-600 if past else 120 if "short" in path else 3600)}
        if "offset" in path:
            found["Expiration"] = found["Expiration"].replace("Z", "+00:00")
        if "forever" in path:
            del found["Expiration"]
        return self.answer(found)

    def imds(self, path):
        if path == "/latest/api/token":
            wanted = self.command == "PUT" and self.headers.get("x-aws-ec2-metadata-token-ttl-seconds")
            if "version-1" in self.words or not wanted:
                return self.answer({}, 404 if wanted else 400)
            return self.answer(raw="imdstoken", kind="text/plain")
        if "version-1" not in self.words and self.headers.get("x-aws-ec2-metadata-token") != "imdstoken":
            return self.answer({}, 401)
        place, roles = "/latest/meta-data/placement/", "/latest/meta-data/iam/security-credentials/"
        if path == place + "region" and "zone-only" not in self.words:
            return self.answer(raw="ap-southeast-4", kind="text/plain")
        if path.rstrip("/") == place + "availability-zone":  # which is what the AWS CLI asks for
            return self.answer(raw="ap-southeast-4a", kind="text/plain")
        if path.rstrip("/") + "/" == roles and "no-role" not in self.words:
            return self.answer(raw="role-past" if "past" in self.words else "role-ok", kind="text/plain")
        if path.startswith(roles + "role-") and (error := self.word("error")):
            return self.answer({"Code": error, "Message": "the role cannot be assumed", "LastUpdated": ends(-60)})
        if path in (roles + "role-past", roles + "role-ok"):
            past = path.endswith("past")
            return self.answer({"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "ASIAIMDSPAST" if past else "ASIAIMDS",
                                "SecretAccessKey": SECRET, "Token": "t",
                                "LastUpdated": ends(-9000 if past else -60), "Expiration": ends(-3600 if past else 3600)})
        return self.answer({}, 404)

    def portal(self):
        if error := self.word("error"):
            return self.answer({"message": "no"}, 401 if error.startswith("Unauthorized") else 403, error=error)
        if self.headers.get("x-amz-sso_bearer_token") != "ssotoken":
            return self.answer({"message": "Session token not found or invalid"}, 401, error="UnauthorizedException")
        past = "past" in self.words
        return self.answer({"roleCredentials": {
            "accessKeyId": "ASIASSO", "secretAccessKey": SECRET, "sessionToken": "ssosess",
            "expiration": int(time.time() + (-600 if past else 1800)) * 1000}})

    def oidc(self, path):
        if error := self.word("error"):
            return self.oidc_error(error)
        if path == "/client/register":
            now = int(time.time())
            return self.answer({"clientId": "client", "clientSecret": SECRET, "clientIdIssuedAt": now,
                                "clientSecretExpiresAt": now + 7_776_000})
        if path == "/device_authorization":
            here = f"http://{self.headers.get('Host')}/device"
            if "foreign" in self.words:
                here = "vscode://evil.example/run\x1b]0;x\x07"
            brief = "brief" in self.words
            return self.answer({"deviceCode": "device", "userCode": "ABCD-EFGH", "verificationUri": here,
                                "verificationUriComplete": here + "?user_code=ABCD-EFGH",
                                "expiresIn": 2 if brief else 600, "interval": 2147483647 if brief else 1})
        if self.fields().get("grantType") == "urn:ietf:params:oauth:grant-type:device_code":
            key = tuple(self.words)
            with self.server.lock:
                self.server.asked[key] = self.server.asked.get(key, 0) + 1
                asked = self.server.asked[key] - int(self.word("slow") or 0)
            if asked <= 0:
                return self.oidc_error("SlowDownException")
            if asked <= int(self.word("pending") or 0):
                return self.oidc_error("AuthorizationPendingException")
            if error := self.word("grant"):
                return self.oidc_error(error)
        found = {"accessToken": "ssotoken", "expiresIn": 3600, "refreshToken": "r2" + SECRET, "tokenType": "Bearer"}
        if "no-refresh" in self.words:
            del found["refreshToken"]
        return self.answer(found)

    def oidc_error(self, error):
        said = {"error": OIDC_CODES.get(error, "invalid_request"), "error_description": "the stub says no"}
        self.answer(said, 401 if error == "InvalidClientException" else 400, error=error)

    def sign_in(self):
        if error := self.word("error"):
            return self.answer({"error": error, "message": "the stub says no"}, 401, error="AccessDeniedException")
        fields = self.fields()
        trouble = dpop_trouble(self.headers.get("DPoP"))
        if not trouble and (fields.get("grantType"), bool(fields.get("refreshToken"))) != ("refresh_token", True):
            trouble = "grantType or refreshToken is wrong"
        if trouble:
            return self.answer({"error": "INVALID_REQUEST", "message": trouble}, 400, error="ValidationException")
        return self.answer({"accessToken": {"accessKeyId": "ASIALOGIN2", "secretAccessKey": SECRET, "sessionToken": "lt2"},
                            "tokenType": "aws_sigv4", "expiresIn": 900, "refreshToken": "r2" + SECRET})

    def sts(self, fields):
        action = fields.get("Action", "")
        if error := self.word("error"):
            why = f"the stub says no to {fields.get('RoleArn')}" + " and so on" * (7000 if "wordy" in self.words else 0)
            if "mfa-wrong" in self.words:
                why = "MultiFactorAuthentication failed with invalid MFA one time pass code."
            said = f"<Error><Type>Sender</Type><Code>{error}</Code><Message>{why}</Message></Error>"
            body = f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{said}</ErrorResponse>'
            return self.answer(raw=body, code=400 if error == "ExpiredTokenException" else 403, kind="text/xml")
        lengths = {"RoleArn": 20, "RoleSessionName": 2, "ExternalId": 2, "WebIdentityToken": 4}
        short = [name for name, least in lengths.items() if name in fields and len(fields[name]) < least]
        if short or not 900 <= int(fields.get("DurationSeconds", 900)) <= 43200:
            said = f"<Error><Code>ValidationError</Code><Message>{' '.join(short) or 'DurationSeconds'}</Message></Error>"
            return self.answer(raw=f"<ErrorResponse>{said}</ErrorResponse>", code=400, kind="text/xml")
        role, session = fields.get("RoleArn", "").split("/")[-1], fields.get("RoleSessionName", "")
        left = -600 if "past" in self.words else int(fields.get("DurationSeconds", 3600))
        return self.answer(kind="text/xml", raw=(
            f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>'
            f"<AssumedRoleUser><AssumedRoleId>AROA:{session}</AssumedRoleId>"
            f"<Arn>arn:aws:sts::123456789012:assumed-role/{role}/{session}</Arn></AssumedRoleUser>"
            f"<Credentials><AccessKeyId>ASIASTS{role}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>"
            f"<SessionToken>sts{role}</SessionToken><Expiration>{ends(left)}</Expiration></Credentials>"
            f"</{action}Result><ResponseMetadata><RequestId>stub</RequestId></ResponseMetadata></{action}Response>"))


def dpop_trouble(header):
    """Says what is wrong with a DPoP proof (RFC 9449, ES256), None if nothing is."""
    try:
        head, payload, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in header.split("."))
        head, payload, jwk = json.loads(head), json.loads(payload), json.loads(head)["jwk"]
        x, y = (int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "=="), "big") for name in "xy")
        signed = hashlib.sha256(header.rpartition(".")[0].encode()).digest()
        if (head["typ"], head["alg"], jwk["crv"], payload["htm"]) != ("dpop+jwt", "ES256", "P-256", "POST"):
            return "the DPoP header is not a proof for this request"
        if abs(payload["iat"] - time.time()) > 300 or not payload["jti"] or not payload["htu"].endswith("/v1/token"):
            return "the DPoP payload is not for this request"
        return None if len(signature) == 64 and p256_verifies(x, y, signed, signature) else "the DPoP signature is wrong"
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return f"the DPoP header is unusable: {error!r}"


def p256_verifies(x, y, digest, signature):
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    base = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
            0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)

    def add(one, two):
        if one is None or two is None:
            return one or two
        if one[0] == two[0] and (one[1] + two[1]) % p == 0:
            return None
        slope = (3 * one[0] ** 2 - 3) * pow(2 * one[1], -1, p) if one == two else \
            (two[1] - one[1]) * pow(two[0] - one[0], -1, p)
        third = (slope**2 - one[0] - two[0]) % p
        return third, (slope * (one[0] - third) - one[1]) % p

    def times(factor, point):
        sum_ = None
        while factor:
            if factor & 1:
                sum_ = add(sum_, point)
            point, factor = add(point, point), factor >> 1
        return sum_

    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < order and 0 < s < order):
        return False
    inverse = pow(s, -1, order)
    point = add(times(int.from_bytes(digest, "big") * inverse % order, base), times(r * inverse % order, (x, y)))
    return point is not None and point[0] % order == r


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # clients that give up are what the tests are about


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    server.log, server.lock, server.asked, server.tls = (sys.argv[1:] or [None])[0], threading.Lock(), {}, None
    server.directory = None
    if sys.argv[2:]:
        server.directory = pathlib.Path(sys.argv[2]).parent
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(*sys.argv[2:])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
