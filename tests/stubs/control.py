#!/usr/bin/env python3
"""Loopback stand-in for AWS's control planes: STS, IAM, Aurora DSQL and RDS; promises to answer as they do, or to misbehave.

It prints its port on the first line of stdout and ends when its stdin closes. Standard library only; every name is made
up. With a file as its argument it appends one JSON line per request: service, operation, region, words, parameters, key.

It verifies the signature of each request (Signature Version 4, secret: SECRET below), which headers are signed, and the
service and the time in it. Key IDs that begin with AKIAGONE are not known, with AKIAEXPIRED have expired.

  STS   GetCallerIdentity     role-NAME: an assumed role; root; else a user. Unsigned: refused, with the time in `Date`
  IAM   GetRole               roles that begin with AWSReservedSSO have a path, with missing are none
        SimulatePrincipalPolicy   implicit, explicit, scp, boundary, condition: denied so; else allowed
  DSQL  GET /cluster/ID       the ID begins with the state (idle...), with locked, or with missing
        GET /cluster          clusters-N: that many, in pages
  RDS   DescribeDBInstances, DescribeDBClusters, DescribeDBProxies, DescribeDBProxyEndpoints
        a name has words with dashes between them: member (of a cluster), off (no IAM), public, missing, renamed, and
        else a state (stopped-db); clusters-N: that many before those that are asked for, in pages

Words in front of the path choose what happens; an endpoint URL may end in any number of them:

  hang close 500 huge garbage html cut redirect    the misbehaviours, the body's too
  throttle-N     refuses the first N requests of each operation
  denied-NAME    the caller may not ask this operation
  error-CODE     refuses everything with this code
  loop           every page names the first one as the next
  skew-SECONDS   the clock of AWS is that far ahead
  account-NUMBER the caller is of this account
"""
import datetime
import email.utils
import hashlib
import hmac
import http.server
import json
import re
import sys
import threading
import time
import urllib.parse

SECRET = "STUBSECRETthatnobodymayprint"
ACCOUNT = "123456789012"
PAGE = 100
WORD = re.compile(r"(hang|close|500|huge|garbage|html|cut|redirect|loop|root|implicit|explicit|scp|boundary|condition"
                  r"|(throttle|denied|error|skew|role|clusters|account)-[^/]+)$")
SERVICES = {"2011-06-15": "sts", "2010-05-08": "iam", "2014-10-31": "rds"}
NOT_FOUND = {"DBInstance": "DBInstanceNotFound", "DBCluster": "DBClusterNotFoundFault", "DBProxy": "DBProxyNotFoundFault",
             "DBProxyEndpoint": "DBProxyEndpointNotFoundFault"}


class Refused(Exception):
    def __init__(self, status, code, message="the stub says no"):
        self.status, self.code, self.message = status, code, message


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def date_time_string(self, timestamp=None):
        return email.utils.formatdate(time.time() + int(self.word("skew") or 0), usegmt=True)

    def handle_any(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urllib.parse.urlsplit(self.path)
        parts = address.path.lstrip("/").split("/")
        self.words = []
        while parts and WORD.match(parts[0]):
            self.words.append(parts.pop(0))
        self.query = address.query
        given = self.body.decode() if self.command == "POST" else address.query
        self.given = dict(urllib.parse.parse_qsl(given, keep_blank_values=True))
        if self.command == "POST":
            self.service = SERVICES.get(self.given.get("Version"), "?")
            self.operation = self.given.get("Action", "?")
        else:
            self.service, self.cluster = "dsql", parts[1] if parts[1:] else None
            self.operation = "GetCluster" if self.cluster else "ListClusters"
            if parts[0] != "cluster" or parts[2:]:
                self.operation = "?"
        self.key, self.region = None, None
        try:
            self.verify(address.path)
        except Refused as refused:
            self.note()
            return {"hang", "close"} & set(self.words) and self.misbehave() or self.refuse(refused)
        self.note()
        try:
            self.misbehave() or self.serve()
        except Refused as refused:
            self.refuse(refused)

    do_GET = do_POST = handle_any

    def note(self):
        if self.server.log:
            line = {"service": self.service, "operation": self.operation, "region": self.region, "words": self.words,
                    "given": self.given, "key": self.key}
            with self.server.lock, open(self.server.log, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def word(self, kind):
        return next((word[len(kind) + 1:] for word in getattr(self, "words", ()) if word.startswith(kind + "-")), None)

    def verify(self, path):
        """Refuses what AWS would refuse for its signature."""
        found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
                             r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})", self.headers.get("Authorization", ""))
        if not found:
            raise Refused(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        self.key, day, self.region, service, signed, signature = found.groups()
        names = signed.split(";")
        wanted = {name for name in ("host", "x-amz-date", "x-amz-security-token", "content-type") if name in
                  {header.lower() for header in self.headers}}
        if service != self.service or not wanted <= set(names) or names != sorted(names):
            raise Refused(400, "IncompleteSignature", f"{service} {names}")
        if self.key.startswith("AKIAGONE"):
            raise Refused(403, "UnrecognizedClientException" if service == "dsql" else "InvalidClientTokenId")
        if self.key.startswith("AKIAEXPIRED"):
            raise Refused(403, "ExpiredTokenException" if service == "dsql" else "ExpiredToken")
        now = self.headers["X-Amz-Date"]
        quoted = urllib.parse.quote(path, safe="/-_.~")
        query = "&".join(sorted(self.query.split("&"))) if self.query else ""
        headers = "".join(f"{name}:{self.headers[name].strip()}\n" for name in names)
        request = "\n".join([self.command, quoted, query, headers, signed, hashlib.sha256(self.body).hexdigest()])
        scope = f"{day}/{self.region}/{service}/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()])
        key = ("AWS4" + SECRET).encode()
        for part in day, self.region, service, "aws4_request":
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        if hmac.new(key, text.encode(), hashlib.sha256).hexdigest() != signature or not now.startswith(day):
            code = "InvalidSignatureException" if service == "dsql" else "SignatureDoesNotMatch"
            raise Refused(403, code, "The request signature we calculated does not match the signature you provided.")
        there = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=int(self.word("skew") or 0))
        sent = datetime.datetime.strptime(now, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        if abs((there - sent).total_seconds()) > 300:
            code = "InvalidSignatureException" if service == "dsql" else "SignatureDoesNotMatch"
            raise Refused(403, code, f"Signature expired: {now} is now earlier than {there:%Y%m%dT%H%M%SZ}")

    def misbehave(self):
        counted = (tuple(self.words), self.operation)
        with self.server.lock:
            self.server.asked[counted] = self.server.asked.get(counted, 0) + 1
            asked = self.server.asked[counted]
        if "hang" in self.words:
            self.rfile.read(1)  # until the client gives up
        elif "close" in self.words:
            self.close_connection = True
        elif "500" in self.words:
            raise Refused(500, "InternalFailure")
        elif "huge" in self.words:
            self.answer(200, "A" * 9_000_000, "text/xml")
        elif "garbage" in self.words:
            self.answer(200, f"\x00\xff{SECRET}", "text/xml")
        elif "html" in self.words:
            self.answer(200, "<!DOCTYPE html><html><p>Log in to the guest network</html>", "text/html")
        elif "redirect" in self.words:
            self.answer(302, "", "text/html")
        elif asked <= int(self.word("throttle") or 0):
            raise Refused(429, "ThrottlingException", "Rate exceeded") if self.service == "dsql" else \
                Refused(400, "Throttling", "Rate exceeded")
        elif "denied-" + self.operation in self.words:
            who = f"arn:aws:iam::{ACCOUNT}:user/jane"
            raise Refused(403, "AccessDeniedException" if self.service == "dsql" else "AccessDenied",
                          f"User: {who} is not authorized to perform: {self.service}:{self.operation}")
        elif error := self.word("error"):
            raise Refused(403, error)
        else:
            return False
        return True

    def refuse(self, refused):
        if self.service == "dsql":
            return self.answer(refused.status, json.dumps({"message": refused.message}), "application/json", refused.code)
        self.answer(refused.status, f'<ErrorResponse xmlns="https://stub/"><Error><Type>Sender</Type><Code>{refused.code}</Code>'
                                    f"<Message>{refused.message}</Message></Error><RequestId>r</RequestId></ErrorResponse>", "text/xml")

    def answer(self, status, body, kind, error=None):
        body = body.encode("latin-1")
        if "cut" in self.words:
            body = body[:len(body) * 2 // 3]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "https://stub.example/")
        if error:
            self.send_header("x-amzn-ErrorType", f"{error}:http://internal.amazon.com/coral/")
        self.end_headers()
        self.wfile.write(body)

    def xml(self, result):
        name = self.operation
        self.answer(200, f'<{name}Response xmlns="https://stub/"><{name}Result>{result}</{name}Result><ResponseMetadata>'
                         f"<RequestId>r</RequestId></ResponseMetadata></{name}Response>", "text/xml")

    def serve(self):
        serve = getattr(self, "serve_" + self.service, None)
        if not serve:
            raise Refused(400, "InvalidAction", self.operation)
        serve()

    def serve_sts(self):
        name = "user/jane"
        if role := self.word("role"):
            name = f"assumed-role/{role}/jane@example.com"
        service = "sts" if role else "iam"
        if "root" in self.words:
            name = "root"
        account = self.word("account") or ACCOUNT
        self.xml(f"<Arn>arn:aws:{service}::{account}:{name}</Arn><UserId>AIDA</UserId><Account>{account}</Account>")

    def role_arn(self, name):
        path = "aws-reserved/sso.amazonaws.com/eu-west-1/" if name.startswith("AWSReservedSSO") else ""
        return f"arn:aws:iam::{ACCOUNT}:role/{path}{name}"

    def serve_iam(self):
        if self.operation == "GetRole":
            name = self.given["RoleName"]
            if name.startswith("missing"):
                raise Refused(404, "NoSuchEntity", f"The role with name {name} cannot be found.")
            return self.xml(f"<Role><RoleName>{name}</RoleName><Arn>{self.role_arn(name)}</Arn></Role>")
        principal, action = self.given["PolicySourceArn"], self.given["ActionNames.member.1"]
        resource = self.given["ResourceArns.member.1"]
        name = principal.rsplit("/", 1)[-1]
        if principal not in (f"arn:aws:iam::{ACCOUNT}:user/jane", self.role_arn(name)):
            raise Refused(404, "NoSuchEntity", f"{principal} cannot be found.")
        if not re.fullmatch(r"dsql:DbConnect(Admin)?|rds-db:connect", action) or not re.fullmatch(
                r"arn:aws[a-z-]*:(dsql:[a-z0-9-]+:\d{12}:cluster/[a-z0-9]{26}"
                r"|rds-db:[a-z0-9-]+:\d{12}:dbuser:(db|cluster|prx)-[A-Z0-9]+/.+)", resource):
            raise Refused(400, "InvalidInput", f"{action} {resource}")
        matched = "<MatchedStatements><member><SourcePolicyId>PolicyOfStub</SourcePolicyId></member></MatchedStatements>"
        decision, details = "allowed", matched
        if "implicit" in self.words:
            decision, details = "implicitDeny", ""
        if "explicit" in self.words:
            decision = "explicitDeny"
        if "scp" in self.words:
            decision, details = "implicitDeny", "<OrganizationsDecisionDetail><AllowedByOrganizations>false" \
                                                "</AllowedByOrganizations></OrganizationsDecisionDetail>"
        if "boundary" in self.words:
            decision, details = "implicitDeny", "<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false" \
                                                "</AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>"
        if "condition" in self.words:
            decision = "implicitDeny"
            details = "<MissingContextValues><member>aws:SourceVpc</member></MissingContextValues>"
        self.xml(f"<IsTruncated>false</IsTruncated><EvaluationResults><member><EvalActionName>{action}</EvalActionName>"
                 f"<EvalResourceName>{resource}</EvalResourceName><EvalDecision>{decision}</EvalDecision>{details}"
                 "</member></EvaluationResults>")

    def page(self, all_, mark):
        """Returns a page of a list, and the mark of the next one."""
        begin = int(mark or 0)
        next_ = str(begin + PAGE) if begin + PAGE < len(all_) else None
        return all_[begin:begin + PAGE], "0" if "loop" in self.words else next_

    def serve_dsql(self):
        arn = f"arn:aws:dsql:{self.region}:{ACCOUNT}:cluster/"
        if self.operation == "ListClusters":
            ids = [f"c{number:025}" for number in range(int(self.word("clusters") or 0))]
            found, next_ = self.page(ids, self.given.get("next-token"))
            answer = {"clusters": [{"identifier": id_, "arn": arn + id_} for id_ in found]}
            if next_:
                answer["nextToken"] = next_
            return self.answer(200, json.dumps(answer), "application/json")
        id_ = self.cluster
        if self.operation != "GetCluster" or not re.fullmatch("[a-z0-9]{26}", id_) or id_.startswith("missing"):
            raise Refused(404, "ResourceNotFoundException", f"cluster/{id_} was not found")
        states = ["creating", "idle", "inactive", "failed", "deleting"]
        state = next((state for state in states if id_.startswith(state)), "active")
        locked = id_.startswith("locked")
        self.answer(200, json.dumps({
            "identifier": id_, "arn": arn + id_, "status": state.upper(), "creationTime": 1764000000.0,
            "deletionProtectionEnabled": True, "tags": {"Name": "stub"}, "endpoint": f"{id_}.dsql.{self.region}.on.aws",
            "encryptionDetails": {"encryptionType": "CUSTOMER_MANAGED_KMS_KEY",
                                  "encryptionStatus": "KMS_KEY_INACCESSIBLE" if locked else "ENABLED"}}), "application/json")

    def serve_rds(self):
        kind = self.operation.removeprefix("Describe")
        kind = {"DBProxies": "DBProxy"}.get(kind, kind.removesuffix("s"))
        if kind not in NOT_FOUND:
            raise Refused(400, "InvalidAction", self.operation)
        name = self.given.get(kind + ("Identifier" if kind in ("DBInstance", "DBCluster") else "Name"))
        if name and "missing" in name.split("-"):
            raise Refused(404, NOT_FOUND[kind], f"{kind} {name} not found.")
        names = [name] if name else [f"c{number}" for number in range(int(self.word("clusters") or 0))] + ["custom-main"]
        found, next_ = self.page(names, self.given.get("Marker"))
        tag = kind if kind in ("DBInstance", "DBCluster") else "member"
        list_ = "".join(f"<{tag}>{getattr(self, kind)(name, name.split('-'))}</{tag}>" for name in found)
        plural = self.operation.removeprefix("Describe")
        self.xml(f"<{plural}>{list_}</{plural}>" + (f"<Marker>{next_}</Marker>" if next_ else ""))

    def host(self, name, words, kind):
        name = "another" if "renamed" in words else name
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"{name}.{kind}c1a2b3c4d5e6.{self.region}.rds.{suffix}"

    def common(self, words):
        return (f"<IAMDatabaseAuthenticationEnabled>{str('off' not in words).lower()}</IAMDatabaseAuthenticationEnabled>"
                f"<PubliclyAccessible>{str('public' in words).lower()}</PubliclyAccessible>")

    def state(self, words):
        return next((word for word in words if word in ("stopped", "creating", "upgrading")), "available")

    def arn(self, kind, name):
        return f"arn:aws:rds:{self.region}:{ACCOUNT}:{kind}:{name}"

    def DBInstance(self, name, words):
        cluster = "<DBClusterIdentifier>main</DBClusterIdentifier>" if "member" in words else ""
        endpoint = "" if "creating" in words else \
            f"<Endpoint><Address>{self.host(name, words, '')}</Address><Port>5433</Port></Endpoint>"
        return (f"<DBInstanceIdentifier>{name}</DBInstanceIdentifier><DBInstanceArn>{self.arn('db', name)}</DBInstanceArn>"
                f"<DbiResourceId>db-ABCDEFGHIJKL01234</DbiResourceId><DBInstanceStatus>{self.state(words)}</DBInstanceStatus>"
                f"{endpoint}{cluster}{self.common(words)}<CACertificateIdentifier>rds-ca-rsa2048-g1</CACertificateIdentifier>")

    def DBCluster(self, name, words):
        custom = self.host("own", words, "cluster-custom-") if name == "custom-main" else "x"
        return (f"<DBClusterIdentifier>{name}</DBClusterIdentifier><DBClusterArn>{self.arn('cluster', name)}</DBClusterArn>"
                f"<DbClusterResourceId>cluster-ABCDEFGHIJKL01234</DbClusterResourceId><Status>{self.state(words)}</Status>"
                f"<Endpoint>{self.host(name, words, 'cluster-')}</Endpoint><Port>5432</Port>"
                f"<ReaderEndpoint>{self.host(name, words, 'cluster-ro-')}</ReaderEndpoint>"
                f"<CustomEndpoints><member>{custom}</member></CustomEndpoints>{self.common(words)}")

    def DBProxy(self, name, words):
        iam = "DISABLED" if "off" in words else "REQUIRED"
        return (f"<DBProxyName>{name}</DBProxyName><DBProxyArn>{self.arn('db-proxy', 'prx-ABCDEFGHIJKL01234')}</DBProxyArn>"
                f"<Status>{self.state(words)}</Status><RequireTLS>true</RequireTLS><Auth><member><IAMAuth>{iam}</IAMAuth></member>"
                f"</Auth><EngineFamily>POSTGRESQL</EngineFamily><Endpoint>{self.host(name, words, 'proxy-')}</Endpoint>")

    def DBProxyEndpoint(self, name, words):
        return (f"<DBProxyEndpointName>{name}</DBProxyEndpointName><DBProxyName>main</DBProxyName><Status>{self.state(words)}"
                f"</Status><Endpoint>{self.host(name, words, 'endpoint.proxy-')}</Endpoint><IsDefault>false</IsDefault>")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # clients that give up are what the tests are about


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    server.log, server.lock, server.asked = (sys.argv[1:] or [None])[0], threading.Lock(), {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
