"""Verifies the tokens and proofs that an agent made, with PyJWT.

    verify_pyjwt.py TOKENS.json      a line for each token; exit 0 all accepted, 1 any refused, 2 cannot run

TOKENS.json, written by the end-to-end tests at target/conformance/tokens.json (times are Unix seconds):

    {
      "made_at": 1790000000,              when the tokens were made; they are judged as of then
      "issuer": "https://…", "token_endpoint": "https://…/token",
      "client_id": "…", "credential_id": "…",
      "device_jwk": {…}, "approval_jwk": {…},   the public keys, as registered: kid = RFC 7638 thumbprint
      "ticket": {"jws": "…", "jwk": {…}},       optional: the ticket that was scanned, and the issuer's key
      "ticket_id": "…",                         the ticket's jti
      "approval_proof": "…",
      "dpop": [{"proof": "…", "htm": "POST", "htu": "https://…", "access_token": "…", "nonce": "…"}],
                                                access_token where the request carried one as `Authorization: DPoP`,
                                                nonce where the service had given one; at least one proof has each
      "client_assertions": ["…"],
      "sads": [{"jws": "…", "nonce": "…", "hashes": ["base64 of a DTBS/R", …]}]
    }
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

try:
    import jwt
    from jwt.api_jwk import PyJWK
except ImportError as missing:
    print(f"cannot run: {missing} (pip install -r tests/conformance/requirements.txt)")
    sys.exit(2)

CLOCK_WINDOW = 300
SHA256_OID = "2.16.840.1.101.3.4.2.1"
RAR_TYPES = ("credential", "https://cloudsignatureconsortium.org/2025/credential")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def thumbprint(jwk):
    """RFC 7638."""
    required = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return base64url(hashlib.sha256(json.dumps(required, separators=(",", ":"), sort_keys=True).encode()).digest())


def demand(condition, otherwise):
    if not condition:
        raise jwt.InvalidTokenError(otherwise)


def equal(what, value, expected):
    demand(value == expected, f"{what} is {value!r}, not {expected!r}")


class Verifier:
    def __init__(self, data):
        self.data = data
        self.seen = set()

    def opened(self, token, jwk, typ, audience=None, issuer=None):
        """Header and claims of a JWS whose signature is right, made at the right time and never seen before."""
        header = jwt.get_unverified_header(token)
        if typ:
            equal("typ", header.get("typ"), typ)
        options = {"verify_exp": False, "verify_aud": audience is not None, "require": ["iat"] if typ != "ticket+jwt" else []}
        claims = jwt.decode(token, PyJWK.from_dict(jwk, "ES256"), ["ES256"], options, audience=audience, issuer=issuer)
        if "iat" in claims:
            demand(abs(claims["iat"] - self.data["made_at"]) <= CLOCK_WINDOW, "iat is off")
        if "jti" in claims:
            demand(claims["jti"] not in self.seen, "jti seen before")
            self.seen.add(claims["jti"])
        return header, claims

    def keys(self):
        device, approval = self.data["device_jwk"], self.data["approval_jwk"]
        for jwk in (device, approval):
            equal("key", (jwk["kty"], jwk["crv"], "d" in jwk), ("EC", "P-256", False))
            equal("kid", jwk["kid"], thumbprint(jwk))
        demand(thumbprint(device) != thumbprint(approval), "one key for both purposes")

    def ticket(self):
        ticket = self.data.get("ticket")
        if ticket:
            _, claims = self.opened(ticket["jws"], ticket["jwk"], "ticket+jwt", issuer=self.data["issuer"])
            equal("jti", claims.get("jti"), self.data["ticket_id"])

    def approval_proof(self):
        jwk = self.data["approval_jwk"]
        header, claims = self.opened(self.data["approval_proof"], jwk, "approval-proof+jwt", audience=self.data["issuer"])
        equal("kid", header.get("kid"), thumbprint(jwk))
        equal("ticket", claims.get("ticket"), self.data["ticket_id"])
        equal("device", claims.get("device"), thumbprint(self.data["device_jwk"]))

    def dpop(self, item):
        """RFC 9449, 4.3."""
        jwk = jwt.get_unverified_header(item["proof"]).get("jwk", {})
        demand("d" not in jwk, "a private key in the header")
        equal("jwk", thumbprint(jwk), thumbprint(self.data["device_jwk"]))
        _, claims = self.opened(item["proof"], jwk, "dpop+jwt")
        equal("htm", claims.get("htm"), item["htm"])
        equal("htu", claims.get("htu"), item["htu"].split("?")[0].split("#")[0])
        demand(claims.get("jti"), "no jti")
        token = item.get("access_token")
        equal("ath", claims.get("ath"), base64url(hashlib.sha256(token.encode()).digest()) if token else None)
        equal("nonce", claims.get("nonce"), item.get("nonce"))

    def client_assertion(self, token):
        """RFC 7523, 3."""
        jwk, client = self.data["device_jwk"], self.data["client_id"]
        header, claims = self.opened(token, jwk, None, audience=[self.data["issuer"], self.data["token_endpoint"]], issuer=client)
        equal("kid", header.get("kid"), thumbprint(jwk))
        equal("sub", claims.get("sub"), client)
        demand(claims.get("jti"), "no jti")
        demand(0 < claims["exp"] - claims["iat"] <= 60, "lives too long")

    def sad(self, item):
        jwk = self.data["approval_jwk"]
        header, claims = self.opened(
            item["jws"], jwk, "sad+jwt", audience=self.data["token_endpoint"], issuer=self.data["client_id"])
        equal("kid", header.get("kid"), thumbprint(jwk))
        equal("sub", claims.get("sub"), self.data["credential_id"])
        equal("nonce", claims.get("nonce"), item["nonce"])
        equal("purpose", claims.get("purpose"), "e-prescription")
        demand(claims.get("jti"), "no jti")
        demand(0 < claims["exp"] - claims["iat"] <= CLOCK_WINDOW, "lives too long")
        (details,) = claims["authorization_details"]
        demand(details.get("type") in RAR_TYPES, "another type")
        equal("credentialID", details.get("credentialID"), self.data["credential_id"])
        equal("hashAlgorithmOID", details.get("hashAlgorithmOID"), SHA256_OID)
        equal("hashType", details.get("hashType"), "dtbsr")
        equal("hashes", [entry["hash"] for entry in details["documentDigests"]], item["hashes"])
        equal("numSignatures", details.get("numSignatures"), len(item["hashes"]))
        demand(all(len(base64.b64decode(value, validate=True)) == 32 for value in item["hashes"]), "a hash that is no SHA-256")
        demand(all(entry.get("label") for entry in details["documentDigests"]), "a hash without a label")

    def checks(self):
        data = self.data
        demand(any("access_token" in item for item in data["dpop"]), "no DPoP proof with an access token")
        demand(any("nonce" in item for item in data["dpop"]), "no DPoP proof with a nonce")
        demand(data["client_assertions"] and data["sads"], "no client assertion or no SAD")
        yield "keys", self.keys
        yield "ticket", self.ticket
        yield "approval_proof", self.approval_proof
        for index, item in enumerate(data["dpop"]):
            yield f"dpop[{index}]", lambda item=item: self.dpop(item)
        for index, item in enumerate(data["client_assertions"]):
            yield f"client_assertions[{index}]", lambda item=item: self.client_assertion(item)
        for index, item in enumerate(data["sads"]):
            yield f"sads[{index}]", lambda item=item: self.sad(item)


def main():
    try:
        data = json.loads(Path(sys.argv[1]).read_text())
    except (IndexError, OSError, ValueError) as trouble:
        print(f"cannot run: {trouble} (verify_pyjwt.py TOKENS.json)")
        return 2
    refused = False
    try:
        for name, check in Verifier(data).checks():
            try:
                check()
                print(f"accepted: {name}")
            except (jwt.PyJWTError, KeyError, TypeError, ValueError) as reason:
                refused = True
                print(f"refused: {name}: {reason!r}")
    except (jwt.PyJWTError, KeyError, TypeError) as incomplete:
        refused = True
        print(f"refused: the file: {incomplete!r}")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
