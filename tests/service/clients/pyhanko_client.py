#!/usr/bin/env python3
"""Two signatures by pyHanko's CSC client (written for CSC v1) at a running reference service.

    pip install 'pyhanko[async-http]'
    pyhanko_client.py TRUST.json TLS-CA.pem 'QR TEXT OF A TICKET WITHOUT A CODE'

pyHanko asks for the credential, collects a batch, calls signatures/signHash, reads the answer, builds CMS signatures and
verifies them. What it cannot do stands here: binding a phone, DPoP, the SAD, and the names that members of the
signHash request have in CSC v2.
"""
import asyncio
import base64
import hashlib
import json
import secrets
import ssl
import sys
import time

import aiohttp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from pyhanko.keys import load_cert_from_pemder
from pyhanko.sign.signers import csc_signer
from pyhanko.sign.validation import async_validate_detached_cms
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext

BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SHA256 = "2.16.840.1.101.3.4.2.1"


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        point = self.key.public_key().public_numbers()
        x, y = (b64url(n.to_bytes(32, "big")) for n in (point.x, point.y))
        self.jwk = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
        canonical = json.dumps(self.jwk, separators=(",", ":")).encode()
        self.thumbprint = b64url(hashlib.sha256(canonical).digest())

    def jws(self, header, claims):
        parts = ({"alg": "ES256", **header}, claims)
        signed = ".".join(b64url(json.dumps(part).encode()) for part in parts)
        r, s = utils.decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{b64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


class Phone:
    def __init__(self, http, issuer):
        self.http, self.issuer, self.nonce = http, issuer, None
        self.device, self.approval = Key(), Key()

    def proof(self, url, token=None):
        claims = {"htm": "POST", "htu": url, "iat": int(time.time()), "jti": secrets.token_urlsafe(16), "nonce": self.nonce}
        if token:
            claims["ath"] = b64url(hashlib.sha256(token.encode()).digest())
        return self.device.jws({"typ": "dpop+jwt", "jwk": self.device.jwk}, claims)

    async def post(self, path, headers=None, **body):
        url = self.issuer + path
        async with self.http.post(url, headers={"DPoP": self.proof(url), **(headers or {})}, **body) as answer:
            self.nonce = answer.headers["DPoP-Nonce"]
            found = await answer.json()
            assert answer.ok, (path, answer.status, found)
            return found

    async def register(self, ticket):
        async with self.http.get(self.issuer + "/.well-known/oauth-authorization-server") as answer:
            self.nonce = answer.headers["DPoP-Nonce"]
        jti = json.loads(base64.urlsafe_b64decode(ticket.split(".")[1] + "=="))["jti"]
        keys = [{**key.jwk, "kid": key.thumbprint, "use": "sig", "alg": "ES256"} for key in (self.device, self.approval)]
        claims = {"aud": self.issuer, "iat": int(time.time()), "ticket": jti, "device": self.device.thumbprint}
        proof = self.approval.jws({"typ": "approval-proof+jwt", "kid": self.approval.thumbprint}, claims)
        bound = await self.post("/register", {"Authorization": f"Bearer {ticket}"}, json={
            "jwks": {"keys": keys}, "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256", "grant_types": ["client_credentials", BEARER], "response_types": [],
            "dpop_bound_access_tokens": True, "scope": "service", "software_id": "pyhanko", "software_version": "1",
            "client_name": "pyHanko", "approval_proof": proof})
        self.client, self.credential = bound["client_id"], bound["credential_id"]

    async def token(self, **form):
        now = int(time.time())
        claims = {"iss": self.client, "sub": self.client, "aud": self.issuer, "jti": secrets.token_urlsafe(16),
                  "iat": now, "exp": now + 60}
        form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        form["client_assertion"] = self.device.jws({"kid": self.device.thumbprint}, claims)
        return (await self.post("/token", data=form))["access_token"]

    async def credential_token(self, digests):
        now = int(time.time())
        details = [{"type": "https://cloudsignatureconsortium.org/2025/credential", "credentialID": self.credential,
                    "numSignatures": len(digests), "hashAlgorithmOID": SHA256, "hashType": "dtbsr",
                    "documentDigests": [{"hash": digest, "label": "cms"} for digest in digests]}]
        sad = self.approval.jws({"typ": "sad+jwt", "kid": self.approval.thumbprint}, {
            "iss": self.client, "sub": self.credential, "aud": f"{self.issuer}/token", "jti": secrets.token_urlsafe(16),
            "iat": now, "exp": now + 300, "nonce": self.nonce, "purpose": "e-prescription",
            "authorization_details": details})
        return await self.token(grant_type=BEARER, assertion=sad, authorization_details=json.dumps(details))


class Session(csc_signer.CSCServiceSessionInfo):
    """pyHanko asks for a URL and then for the headers of a request to it."""

    def endpoint_url(self, endpoint_name):
        object.__setattr__(self, "url", super().endpoint_url(endpoint_name))
        return self.url

    @property
    def auth_headers(self):
        token = self.phone_token
        return {"Authorization": f"DPoP {token}", "DPoP": self.phone.proof(self.url, token)}


class Approval(csc_signer.CSCAuthorizationManager):
    async def authorize_signature(self, hash_b64s):
        session = self.csc_session_info
        object.__setattr__(session, "phone_token", await session.phone.credential_token(hash_b64s))
        return csc_signer.CSCAuthorizationInfo(sad="")


class SignerV2(csc_signer.CSCSigner):
    async def format_csc_signing_req(self, tbs_hashes, digest_algorithm):
        v1 = await super().format_csc_signing_req(tbs_hashes, digest_algorithm)
        return {"credentialID": v1["credentialID"], "signAlgo": v1["signAlgo"], "hashes": v1["hash"],
                "hashAlgorithmOID": v1["hashAlgo"]}


async def main(trust_file, ca_file, qr_text):
    with open(trust_file, encoding="utf-8") as file:
        service = json.load(file)["services"][0]
    root_file = trust_file + ".root.pem"
    with open(root_file, "w", encoding="ascii") as file:
        file.write(service["hpki_roots"][0])
    tls = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ca_file))
    async with aiohttp.ClientSession(connector=tls) as http:
        phone = Phone(http, service["issuer"])
        await phone.register(qr_text.split("/r#")[1])
        session = Session(phone.issuer, phone.credential, api_ver="v2")
        object.__setattr__(session, "phone", phone)
        object.__setattr__(session, "phone_token", await phone.token(grant_type="client_credentials", scope="service"))
        credential = await csc_signer.fetch_certs_in_csc_credential(http, session)
        assert credential.hash_pinning_required and len(credential.chain) == 2
        signer = SignerV2(http, Approval(session, credential), batch_size=2)
        texts = (b"first", b"second")
        signed = await asyncio.gather(
            *(signer.async_sign_general_data(text, "sha256", detached=True) for text in texts))

    context = ValidationContext(trust_roots=[load_cert_from_pemder(root_file)], other_certs=credential.chain,
                                allow_fetching=False)
    usage = KeyUsageConstraints(key_usage={"non_repudiation"})
    for text, cms in zip(texts, signed):
        content = cms["content"]
        right = await async_validate_detached_cms(text, content, context, key_usage_settings=usage)
        wrong = await async_validate_detached_cms(text + b"!", content, context, key_usage_settings=usage)
        assert right.valid and right.intact and right.trusted, right.summary()
        assert not wrong.intact, "another text"
        print(f"accepted: {text.decode()} by {right.signing_cert.subject.native['common_name']}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
