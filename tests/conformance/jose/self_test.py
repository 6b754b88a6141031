"""Shows that the two verifiers can refuse: tokens made by PyJWT pass, and each forgery of them does not.

    self_test.py DIR VERIFIER...      VERIFIER is a command line; writes DIR/NAME.json; the last line is `N passed, N failed`
"""

import base64
import copy
import hashlib
import json
import shlex
import subprocess
import sys
import time
import uuid
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from verify_pyjwt import base64url, thumbprint

NOW = int(time.time())
ISSUER = "https://localhost:8443"
CLIENT, CREDENTIAL, TICKET, NONCE, ACCESS_TOKEN = "client-1", "credential-1", "ticket-1", "nonce-1", "opaque"
KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("device", "approval", "issuer", "stranger")}


def public(name):
    jwk = {k: v for k, v in ECAlgorithm.to_jwk(KEYS[name].public_key(), as_dict=True).items() if k != "key_ops"}
    return jwk | {"kid": thumbprint(jwk), "use": "sig", "alg": "ES256"}


def tokens(edit=lambda part, header, claims, key: None):
    """A whole file. `edit` may change any token's header and claims before it is signed, and return the name of another key."""

    def signed(part, key, header, claims):
        key = edit(part, header, claims, key) or key
        return jwt.encode(claims, KEYS[key], "ES256", header)

    def proof(part, htm, htu, **claims):
        jwk = {k: public("device")[k] for k in ("kty", "crv", "x", "y")}
        claims = {"htm": htm, "htu": htu, "iat": NOW, "jti": str(uuid.uuid4())} | claims
        return signed(part, "device", {"typ": "dpop+jwt", "jwk": jwk}, claims)

    device, approval = public("device"), public("approval")
    hashes = [base64.b64encode(hashlib.sha256(bytes([n])).digest()).decode() for n in range(3)]
    details = {"type": "https://cloudsignatureconsortium.org/2025/credential", "credentialID": CREDENTIAL, "numSignatures": 3,
               "hashAlgorithmOID": "2.16.840.1.101.3.4.2.1", "hashType": "dtbsr",
               "documentDigests": [{"hash": value, "label": f"request-{n}"} for n, value in enumerate(hashes)]}
    ath = base64url(hashlib.sha256(ACCESS_TOKEN.encode()).digest())
    return {
        "made_at": NOW, "issuer": ISSUER, "token_endpoint": f"{ISSUER}/token", "client_id": CLIENT, "credential_id": CREDENTIAL,
        "device_jwk": device, "approval_jwk": approval, "ticket_id": TICKET,
        "ticket": {"jwk": public("issuer"), "jws": signed(
            "ticket", "issuer", {"typ": "ticket+jwt", "kid": "k"},
            {"iss": ISSUER, "jti": TICKET, "exp": NOW + 60, "route": "letter", "code": True})},
        "approval_proof": signed("approval_proof", "approval", {"typ": "approval-proof+jwt", "kid": approval["kid"]},
                                 {"aud": ISSUER, "iat": NOW, "ticket": TICKET, "device": device["kid"]}),
        "dpop": [
            {"proof": proof("dpop", "POST", f"{ISSUER}/token", nonce=NONCE),
             "htm": "POST", "htu": f"{ISSUER}/token", "nonce": NONCE},
            {"proof": proof("dpop with ath", "GET", f"{ISSUER}/prescriptions", nonce=NONCE, ath=ath),
             "htm": "GET", "htu": f"{ISSUER}/prescriptions?wait=25", "nonce": NONCE, "access_token": ACCESS_TOKEN},
        ],
        "client_assertions": [signed("client_assertion", "device", {"kid": device["kid"]}, {
            "iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "jti": str(uuid.uuid4()), "iat": NOW, "exp": NOW + 60})],
        "sads": [{"nonce": NONCE, "hashes": hashes, "jws": signed(
            "sad", "approval", {"typ": "sad+jwt", "kid": approval["kid"]},
            {"iss": CLIENT, "sub": CREDENTIAL, "aud": f"{ISSUER}/token", "jti": str(uuid.uuid4()), "iat": NOW, "exp": NOW + 300,
             "nonce": NONCE, "purpose": "e-prescription", "authorization_details": [details]})}],
    }


def with_claim(part, **changes):
    return tokens(lambda at, header, claims, key: claims.update(changes) if at == part else None)


def with_header(part, **changes):
    return tokens(lambda at, header, claims, key: header.update(changes) if at == part else None)


def with_detail(**changes):
    return tokens(lambda at, header, claims, key: claims["authorization_details"][0].update(changes) if at == "sad" else None)


def by_stranger(part):
    return tokens(lambda at, header, claims, key: "stranger" if at == part else None)


def changed(change):
    data = copy.deepcopy(tokens())
    change(data)
    return data


def flipped(token):
    """The token with its signature's first character changed."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def forgeries():
    for part in ("ticket", "approval_proof", "dpop", "dpop with ath", "client_assertion", "sad"):
        yield f"{part} by a stranger's key", by_stranger(part)
    for part in ("ticket", "approval_proof", "dpop", "sad"):
        yield f"{part} of another typ", with_header(part, typ="JWT")
    for part in ("approval_proof", "client_assertion", "sad"):
        yield f"{part} of another kid", with_header(part, kid="another")
        yield f"{part} to another audience", with_claim(part, aud="https://localhost:9")
    for part in ("approval_proof", "dpop", "client_assertion", "sad"):
        yield f"{part} made long ago", with_claim(part, iat=NOW - 3600)
    for part in ("dpop", "client_assertion", "sad"):
        yield f"{part} repeats a jti", with_claim(part, jti=TICKET)
    for part in ("client_assertion", "sad"):
        yield f"{part} that lives too long", with_claim(part, exp=NOW + 3600)
        yield f"{part} of another issuer", with_claim(part, iss="another")
        yield f"{part} of another subject", with_claim(part, sub="another")
    yield "ticket of another jti", with_claim("ticket", jti="another")
    yield "approval proof for another ticket", with_claim("approval_proof", ticket="another")
    yield "approval proof for another device", with_claim("approval_proof", device="another")
    yield "dpop for another method", with_claim("dpop", htm="GET")
    yield "dpop for another address", with_claim("dpop", htu=f"{ISSUER}/register")
    yield "dpop with the query in htu", with_claim("dpop with ath", htu=f"{ISSUER}/prescriptions?wait=25")
    yield "dpop with another nonce", with_claim("dpop", nonce="another")
    yield "dpop with another token's hash", with_claim("dpop with ath", ath="another")
    yield "dpop with the hash of no token", with_claim("dpop", ath="another")
    yield "dpop with another key in the header", with_header("dpop", jwk=public("stranger"))
    yield "dpop with a private key in the header", with_header("dpop", jwk=ECAlgorithm.to_jwk(KEYS["device"], as_dict=True))
    yield "sad with another nonce", with_claim("sad", nonce="another")
    yield "sad for another purpose", with_claim("sad", purpose="anything")
    yield "sad without details", with_claim("sad", authorization_details=[])
    yield "sad for another credential", with_detail(credentialID="another")
    yield "sad for more signatures", with_detail(numSignatures=4)
    yield "sad with another hash algorithm", with_detail(hashAlgorithmOID="1.3.14.3.2.26")
    yield "sad with another hash type", with_detail(hashType="sdr")
    yield "sad with a hash that was not prepared", with_detail(
        documentDigests=[{"hash": base64.b64encode(bytes(32)).decode(), "label": "x"}] * 3)
    yield "a kid that is no thumbprint", changed(lambda data: data["device_jwk"].update(kid="another"))
    yield "one key for both purposes", changed(lambda data: data.update(approval_jwk=data["device_jwk"]))
    yield "a changed signature", changed(lambda data: data["sads"][0].update(jws=flipped(data["sads"][0]["jws"])))
    yield "no proof with an access token", changed(lambda data: data["dpop"].pop())
    yield "no SAD", changed(lambda data: data["sads"].clear())


def main():
    folder, verifiers = Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    passed = failed = 0
    for name, data, expected in [("as made", tokens(), 0)] + [(name, data, 1) for name, data in forgeries()]:
        path = folder / f"{name.replace(' ', '-')}.json"
        path.write_text(json.dumps(data))
        for verifier in verifiers:
            result = subprocess.run([*shlex.split(verifier), str(path)], capture_output=True, text=True)
            if result.returncode == expected:
                passed += 1
            else:
                failed += 1
                print(f"{name}: {verifier} exited {result.returncode}\n{result.stdout}{result.stderr}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
