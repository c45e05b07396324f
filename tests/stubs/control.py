#!/usr/bin/env python3
"""Loopback stand-in for AWS's control planes: STS, IAM, Aurora DSQL and RDS; promises to answer as they do, or to misbehave.

It prints its port on the first line of stdout and ends when its stdin closes. Standard library only; every name is made
up. With a file as its argument it appends one JSON line per request: service, operation, region, words, given (the parameters), key.

It verifies the signature of each request (Signature Version 4, secret: SECRET below), which headers are signed, and the
service and the time in it. Key IDs that begin with AKIAGONE are not known, with AKIAEXPIRED have expired.

  STS   GetCallerIdentity     role-NAME: an assumed role; root; else a user. Unsigned: refused, with the time in `Date`
  IAM   GetRole               roles that begin with AWSReservedSSO have a path, with missing are none
        SimulatePrincipalPolicy   implicit, explicit, scp, boundary, condition: denied so; else allowed
  DSQL  GET /cluster/ID       the ID begins with the state (idle...), with locked, with missing, or with multi: two regions
        GET /cluster          clusters-N: that many, in pages
  RDS   DescribeDBInstances, DescribeDBClusters, DescribeDBProxies, DescribeDBProxyEndpoints
        a name has words with dashes between them: member (of a cluster), off (no IAM), public, missing, renamed, and
        else a state (stopped-db); clusters-N: that many before those that are asked for, in pages

Words in front of the path choose what happens; an endpoint URL may end in any number of them:

  hang close 500 huge garbage html cut redirect    the misbehaviours, the body's too
  throttle-N     refuses the first N requests of each operation
  denied-NAME    the caller may not ask this operation
  error-CODE     refuses everything with this code
  forged         the names of things are not those that AWS gives
  loop           every page names the first one as the next
  skew-SECONDS   the clock of AWS is that far ahead
  delay-MS       every answer takes so long
  account-NUMBER the caller is of this account

With a file that ends in .json as an argument DSQL and RDS have what that file declares, and nothing else. It is read
again when it changes. Everything in it may be left out but `id`; the values here are those that count then:

  {"keys": {"AKIAPROD": "111122223333"},     key IDs that begin so are of that account; all others are of ACCOUNT
   "delay": 0,                               milliseconds before each answer
   "accounts": {"123456789012": {            ACCOUNT, or one of `keys`; "*": those that are not named
     "eu-west-1": {                          a region; "*": the regions that are not named
       "delay": 0,                           for this region alone
       "refuse": {"GetCluster": "AccessDenied", "*": "OptInRequired"},   a code by operation; "*": all operations but STS's
       "throttle": {"ListClusters": 2},      so many requests of the operation are refused at first
       "hang": ["DescribeDBProxies"],        operations without an answer; "*": all
       "dsql":      [{"id": "a1", "status": "ACTIVE", "tags": {"Name": "Main"}, "endpoint": "HOST", "locked": false}],
       "clusters":  [{"id": "orders", "status": "available", "tags": {}, "engine": "aurora-postgresql", "port": 5432,
                      "iam": true, "dbname": "app", "user": "dba", "readers": 1, "custom": ["reports"],
                      "express": false, "public": null, "resource": "cluster-..."}],
       "instances": [{"id": "db-1", "status": "available", "tags": {}, "engine": "postgres", "port": 5432, "iam": true,
                      "dbname": "app", "user": "dba", "public": false, "cluster": null, "host": "HOST",
                      "resource": "db-..."}],
       "proxies":   [{"id": "px", "status": "available", "iam": true, "family": "POSTGRESQL", "endpoints": ["ro"],
                      "resource": "prx-..."}]}}}}

  id        in DSQL it is filled up to 26 characters with 0. An entry with "many": 2000 stands for so many: its id (for
            DSQL filled up to 20 characters) with 00000, 00001...
  readers   how many; one writer is there always. Each member is an instance of the list, ID-1 (the writer), ID-2...
  dbname    null by default, as `public` of a cluster; `user` of an express cluster is postgres, which has no VPC
  custom    names of custom endpoints, as `endpoints` are those of a proxy, which has its own besides
  resource  made of the id by default, so that it is the same at each start
"""
import datetime
import email.utils
import hashlib
import hmac
import http.server
import json
import os
import re
import sys
import threading
import time
import urllib.parse
import xml.sax.saxutils

SECRET = "STUBSECRETthatnobodymayprint"
ACCOUNT = "123456789012"
PAGE = 100
WORD = re.compile(r"(hang|close|500|huge|garbage|html|cut|redirect|loop|forged|root|implicit|explicit|scp|boundary|condition"
                  r"|(throttle|denied|error|skew|delay|role|clusters|account)-[^/]+)$")
SERVICES = {"2011-06-15": "sts", "2010-05-08": "iam", "2014-10-31": "rds"}
NOT_FOUND = {"DBInstance": "DBInstanceNotFound", "DBCluster": "DBClusterNotFoundFault", "DBProxy": "DBProxyNotFoundFault",
             "DBProxyEndpoint": "DBProxyEndpointNotFoundFault"}


class Refused(Exception):
    def __init__(self, status, code, message="the stub says no"):
        self.status, self.code, self.message = status, code, message


class Fleet:
    """What a file declares, as it is now."""

    def __init__(self, path):
        self.path, self.stamp, self.declared = path, None, {}
        self.lock = threading.Lock()

    def now(self):
        with self.lock:
            found = os.stat(self.path)
            stamp = found.st_mtime_ns, found.st_size, found.st_ino
            if stamp != self.stamp:
                with open(self.path, encoding="utf-8") as file:
                    self.declared, self.stamp = json.load(file), stamp
            return self.declared

    def account(self, key):
        keys = self.now().get("keys", {})
        return next((keys[begin] for begin in sorted(keys, key=len, reverse=True) if key.startswith(begin)), ACCOUNT)

    def region(self, account, region):
        accounts = self.now().get("accounts", {})
        regions = accounts.get(account, accounts.get("*", {}))
        return regions.get(region, regions.get("*", {}))


def spread(entries, width=0):
    """Returns the declared things one by one, each with its whole id."""
    for entry in entries:
        if "many" in entry:
            begin = entry["id"].ljust(width - 6, "0") if width else entry["id"]
            for number in range(entry["many"]):
                yield {**entry, "id": f"{begin}{number:0{6 if width else 5}}"}
        else:
            yield {**entry, "id": entry["id"].ljust(width, "0")}


def resource(kind, thing):
    """Returns the ID of a thing in policies."""
    return thing.get("resource") or f"{kind}-" + hashlib.sha256(thing["id"].encode()).hexdigest()[:26].upper()


def xml_of(**fields):
    """Returns elements: of texts, flags and lists that are XML already (their names end in _). None is no element."""
    parts = []
    for name, value in fields.items():
        if value is None:
            continue
        text = value if name.endswith("_") else xml.sax.saxutils.escape(str(value).lower() if isinstance(value, bool) else str(value))
        parts.append(f"<{name.rstrip('_')}>{text}</{name.rstrip('_')}>")
    return "".join(parts)


def tag_list(thing):
    return "".join(f"<Tag>{xml_of(Key=key, Value=value)}</Tag>" for key, value in thing.get("tags", {}).items())


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
        self.key, self.region, self.fleet = None, None, None
        try:
            self.verify(address.path)
        except Refused as refused:
            self.note()
            return {"hang", "close"} & set(self.words) and self.misbehave() or self.refuse(refused)
        self.note()
        if self.server.fleet:
            self.account = self.server.fleet.account(self.key)
            self.fleet = self.server.fleet.region(self.account, self.region)
        try:
            self.misbehave() or self.misbehave_as_declared() or self.serve()
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

    def count(self, *what):
        """Returns how often this has been asked, this time too."""
        counted = (*what, tuple(self.words), self.operation)
        with self.server.lock:
            self.server.asked[counted] = self.server.asked.get(counted, 0) + 1
            return self.server.asked[counted]

    def throttled(self):
        return Refused(429, "ThrottlingException", "Rate exceeded") if self.service == "dsql" else \
            Refused(400, "Throttling", "Rate exceeded")

    def misbehave_as_declared(self):
        if self.fleet is None:
            return False
        time.sleep(max(self.fleet.get("delay", 0), self.server.fleet.now().get("delay", 0)) / 1000)
        if self.service == "sts":
            return False
        if {"*", self.operation} & set(self.fleet.get("hang", [])):
            self.rfile.read(1)  # until the client gives up
            return True
        asked = self.count(self.account, self.region)
        if asked <= self.fleet.get("throttle", {}).get(self.operation, 0):
            raise self.throttled()
        codes = self.fleet.get("refuse", {})
        if code := codes.get(self.operation, codes.get("*")):
            raise Refused(403, code, f"{self.service}:{self.operation} is refused in {self.region}")
        return False

    def misbehave(self):
        asked = self.count()
        time.sleep(int(self.word("delay") or 0) / 1000)
        if "hang" in self.words:
            self.rfile.read(1)  # until the client gives up
        elif "close" in self.words:
            self.close_connection = True
        elif "500" in self.words:
            raise Refused(500, "InternalFailure")
        elif "huge" in self.words:
            self.answer(200, "A" * 9_000_000, "text/xml")
        elif "garbage" in self.words:
            self.answer(200, f"\x00\xff{SECRET}".encode("latin-1"), "text/xml")
        elif "html" in self.words:
            self.answer(200, "<!DOCTYPE html><html><p>Log in to the guest network</html>", "text/html")
        elif "redirect" in self.words:
            self.answer(302, "", "text/html")
        elif asked <= int(self.word("throttle") or 0):
            raise self.throttled()
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
        body = body if isinstance(body, bytes) else body.encode()
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
        account = self.word("account") or (self.account if self.server.fleet else ACCOUNT)
        self.xml(f"<Arn>arn:aws:{service}::{account}:{name}</Arn><UserId>AIDA</UserId><Account>{account}</Account>")

    def role_arn(self, name):
        if "forged" in self.words:
            return f"arn:aws:iam::{ACCOUNT}:role/x' OR {name}"
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

    def serve_dsql_fleet(self):
        arn = f"arn:aws:dsql:{self.region}:{self.account}:cluster/"
        clusters = list(spread(self.fleet.get("dsql", []), 26))
        if self.operation == "ListClusters":
            found, next_ = self.page(clusters, self.given.get("next-token"))
            answer = {"clusters": [{"identifier": cluster["id"], "arn": arn + cluster["id"]} for cluster in found]}
            return self.answer(200, json.dumps(answer | ({"nextToken": next_} if next_ else {})), "application/json")
        cluster = next((cluster for cluster in clusters if cluster["id"] == self.cluster), None)
        if self.operation != "GetCluster" or not cluster:
            raise Refused(404, "ResourceNotFoundException", f"cluster/{self.cluster} was not found")
        id_ = cluster["id"]
        self.answer(200, json.dumps({
            "identifier": id_, "arn": arn + id_, "status": cluster.get("status", "ACTIVE"), "creationTime": 1764000000.0,
            "tags": cluster.get("tags", {}), "endpoint": cluster.get("endpoint", f"{id_}.dsql.{self.region}.on.aws"),
            "encryptionDetails": {"encryptionStatus": "KMS_KEY_INACCESSIBLE" if cluster.get("locked") else "ENABLED"}}),
            "application/json")

    def serve_dsql(self):
        if self.fleet is not None:
            return self.serve_dsql_fleet()
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
        arn = "arn:aws:dsql:*:*:cluster/*?" if "forged" in self.words else arn
        peers = [arn + id_, arn.replace(":eu-west-1:", ":eu-west-2:") + id_] if id_.startswith("multi") else None
        self.answer(200, json.dumps({
            "identifier": id_, "arn": arn + id_, "status": state.upper(), "creationTime": 1764000000.0,
            "deletionProtectionEnabled": True, "tags": {"Name": "stub"},
            **({"multiRegionProperties": {"witnessRegion": "eu-west-3", "clusters": peers}} if peers else {}),
            "endpoint": f"{id_}.dsql.{self.region}.on.aws",
            "encryptionDetails": {"encryptionType": "CUSTOMER_MANAGED_KMS_KEY",
                                  "encryptionStatus": "KMS_KEY_INACCESSIBLE" if locked else "ENABLED"}}), "application/json")

    def serve_rds(self):
        kind = self.operation.removeprefix("Describe")
        kind = {"DBProxies": "DBProxy"}.get(kind, kind.removesuffix("s"))
        if kind not in NOT_FOUND:
            raise Refused(400, "InvalidAction", self.operation)
        name = self.given.get(kind + ("Identifier" if kind in ("DBInstance", "DBCluster") else "Name"))
        if self.fleet is not None:
            return self.serve_rds_fleet(kind, name)
        if name and "missing" in name.split("-"):
            raise Refused(404, NOT_FOUND[kind], f"{kind} {name} not found.")
        names = [name] if name else [f"c{number}" for number in range(int(self.word("clusters") or 0))] + ["custom-main"]
        found, next_ = self.page(names, self.given.get("Marker"))
        self.rds_page(kind, [getattr(self, kind)(name, name.split("-")) for name in found], next_)

    def rds_page(self, kind, found, next_):
        tag = kind if kind in ("DBInstance", "DBCluster") else "member"
        list_ = "".join(f"<{tag}>{thing}</{tag}>" for thing in found)
        plural = self.operation.removeprefix("Describe")
        self.xml(f"<{plural}>{list_}</{plural}>" + (f"<Marker>{next_}</Marker>" if next_ else ""))

    def engines(self, kind):
        """Returns the engines that the filters of the request let through; none if there is no filter."""
        if not any(name.startswith("Filters.") for name in self.given):
            return None
        if self.given.get("Filters.Filter.1.Name") != "engine" or "Filters.Filter.2.Name" in self.given or \
                kind not in ("DBInstance", "DBCluster"):
            raise Refused(400, "InvalidParameterValue", "Unrecognized filter name")
        begin = "Filters.Filter.1.Values.Value."
        return [value for name, value in self.given.items() if name.startswith(begin)]

    def serve_rds_fleet(self, kind, name):
        engines = self.engines(kind)
        things = [(thing["id"], thing.get("engine"), fields) for thing, fields in getattr(self, kind + "_fleet")()]
        if name:
            things = [thing for thing in things if thing[0] == name]
            if not things:
                raise Refused(404, NOT_FOUND[kind], f"{kind} {name} not found.")
        things = [fields for _, engine, fields in things if engines is None or engine in engines]
        found, next_ = self.page(things, self.given.get("Marker"))
        self.rds_page(kind, found, next_)

    def clusters_of_fleet(self):
        for cluster in spread(self.fleet.get("clusters", [])):
            yield {"engine": "aurora-postgresql", "status": "available", "port": 5432, "iam": True, "readers": 1, **cluster}

    def DBCluster_fleet(self):
        for cluster in self.clusters_of_fleet():
            name, express = cluster["id"], cluster.get("express", False)
            members = "".join(
                f"<DBClusterMember>{xml_of(DBInstanceIdentifier=f'{name}-{number}', IsClusterWriter=number == 1)}</DBClusterMember>"
                for number in range(1, cluster["readers"] + 2))
            custom = "".join(xml_of(member=self.host(own, [], "cluster-custom-")) for own in cluster.get("custom", []))
            yield cluster, xml_of(
                DBClusterIdentifier=name, DBClusterArn=self.arn("cluster", name), Status=cluster["status"],
                DbClusterResourceId=resource("cluster", cluster), Engine=cluster["engine"], EngineVersion="16.4",
                DatabaseName=cluster.get("dbname"), MasterUsername=cluster.get("user", "postgres" if express else "dba"),
                Endpoint=self.host(name, [], "cluster-"), ReaderEndpoint=self.host(name, [], "cluster-ro-"),
                CustomEndpoints_=custom, Port=cluster["port"], DBClusterMembers_=members, TagList_=tag_list(cluster),
                IAMDatabaseAuthenticationEnabled=cluster["iam"], PubliclyAccessible=cluster.get("public"),
                VPCNetworkingEnabled=not express, InternetAccessGatewayEnabled=express)

    def DBInstance_fleet(self):
        for cluster in self.clusters_of_fleet():
            for number in range(1, cluster["readers"] + 2):
                yield self.instance({**{name: cluster[name] for name in ("engine", "port", "iam", "status")},
                                     "id": f"{cluster['id']}-{number}", "cluster": cluster["id"]})
        for instance in spread(self.fleet.get("instances", [])):
            yield self.instance({"engine": "postgres", "status": "available", "port": 5432, "iam": True, **instance})

    def instance(self, instance):
        name = instance["id"]
        endpoint = None if instance["status"] == "creating" else \
            xml_of(Address=instance.get("host", self.host(name, [], "")), Port=instance["port"])
        return instance, xml_of(
            DBInstanceIdentifier=name, DBInstanceArn=self.arn("db", name), DBInstanceStatus=instance["status"],
            DbiResourceId=resource("db", instance), Engine=instance["engine"], EngineVersion="16.4", Endpoint_=endpoint,
            DBName=instance.get("dbname"), MasterUsername=instance.get("user", "dba"), TagList_=tag_list(instance),
            DBClusterIdentifier=instance.get("cluster"), IAMDatabaseAuthenticationEnabled=instance["iam"],
            PubliclyAccessible=instance.get("public", False), CACertificateIdentifier="rds-ca-rsa2048-g1")

    def DBProxy_fleet(self):
        for proxy in spread(self.fleet.get("proxies", [])):
            auth = xml_of(AuthScheme="SECRETS", IAMAuth="REQUIRED" if proxy.get("iam", True) else "DISABLED")
            yield proxy, xml_of(
                DBProxyName=proxy["id"], DBProxyArn=self.arn("db-proxy", resource("prx", proxy)), RequireTLS=True,
                Status=proxy.get("status", "available"), EngineFamily=proxy.get("family", "POSTGRESQL"),
                Auth_=xml_of(member_=auth), Endpoint=self.host(proxy["id"], [], "proxy-"))

    def DBProxyEndpoint_fleet(self):
        for proxy in spread(self.fleet.get("proxies", [])):
            for name in ["default", *proxy.get("endpoints", [])]:
                own = name == "default"
                host = self.host(proxy["id"], [], "proxy-") if own else self.host(name, [], "endpoint.proxy-")
                yield {"id": name}, xml_of(
                    DBProxyEndpointName=name, DBProxyName=proxy["id"], Status=proxy.get("status", "available"),
                    Endpoint=host, IsDefault=own, TargetRole="READ_WRITE" if own else "READ_ONLY")

    def host(self, name, words, kind):
        name = "another" if "renamed" in words else name
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"{name}.{kind}c1a2b3c4d5e6.{self.region}.rds.{suffix}"

    def common(self, words):
        return ("<MasterUsername>master</MasterUsername>"
                f"<IAMDatabaseAuthenticationEnabled>{str('off' not in words).lower()}</IAMDatabaseAuthenticationEnabled>"
                f"<PubliclyAccessible>{str('public' in words).lower()}</PubliclyAccessible>")

    def state(self, words):
        return next((word for word in words if word in ("stopped", "creating", "upgrading")), "available")

    def arn(self, kind, name):
        account = self.account if self.server.fleet else ACCOUNT
        account = "*" if "forged" in self.words else account
        return f"arn:aws:rds:{self.region}:{account}:{kind}:{name}"

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
    server.lock, server.asked = threading.Lock(), {}
    server.log = next((path for path in sys.argv[1:] if not path.endswith(".json")), None)
    server.fleet = next((Fleet(path) for path in sys.argv[1:] if path.endswith(".json")), None)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
