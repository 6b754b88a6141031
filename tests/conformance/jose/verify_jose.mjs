// Verifies the tokens and proofs that an agent made, with `jose`. The file's format is described in verify_pyjwt.py.
//
//   node verify_jose.mjs TOKENS.json      a line for each token; exit 0 all accepted, 1 any refused, 2 cannot run

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { EmbeddedJWK, calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } from "jose";

const SHA256_OID = "2.16.840.1.101.3.4.2.1";
const CLOCK_WINDOW = 300;
const RAR_TYPES = ["credential", "https://cloudsignatureconsortium.org/2025/credential"];

function demand(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

function equal(what, value, expected) {
  demand(value === expected, `${what} is ${JSON.stringify(value)}, not ${JSON.stringify(expected)}`);
}

async function* checks(data) {
  const seen = new Set();
  const deviceKey = await importJWK(data.device_jwk, "ES256");
  const approvalKey = await importJWK(data.approval_jwk, "ES256");
  const device = await calculateJwkThumbprint(data.device_jwk);
  const approval = await calculateJwkThumbprint(data.approval_jwk);

  // Signature, typ, iss, aud and times by jose, as of the moment when the tokens were made; the window and single use by us.
  async function open(token, key, options, requiredClaims = ["iat"]) {
    const currentDate = new Date(data.made_at * 1000);
    const { payload, protectedHeader } = await jwtVerify(token, key, { algorithms: ["ES256"], currentDate, clockTolerance: CLOCK_WINDOW, requiredClaims, ...options });
    demand(payload.iat === undefined || Math.abs(payload.iat - data.made_at) <= CLOCK_WINDOW, "iat is off");
    demand(payload.jti === undefined || !seen.has(payload.jti), "jti seen before");
    seen.add(payload.jti);
    return { payload, protectedHeader };
  }

  demand(data.dpop.some((item) => item.access_token), "no DPoP proof with an access token");
  demand(data.dpop.some((item) => item.nonce), "no DPoP proof with a nonce");
  demand(data.client_assertions.length > 0 && data.sads.length > 0, "no client assertion or no SAD");

  yield ["keys", async () => {
    for (const [jwk, thumbprint] of [[data.device_jwk, device], [data.approval_jwk, approval]]) {
      equal("key", `${jwk.kty} ${jwk.crv} ${"d" in jwk}`, "EC P-256 false");
      equal("kid", jwk.kid, thumbprint);
    }
    demand(device !== approval, "one key for both purposes");
  }];

  yield ["ticket", async () => {
    if (!data.ticket) return;
    const key = await importJWK(data.ticket.jwk, "ES256");
    const { payload } = await open(data.ticket.jws, key, { typ: "ticket+jwt", issuer: data.issuer }, ["jti", "exp"]);
    equal("jti", payload.jti, data.ticket_id);
  }];

  yield ["approval_proof", async () => {
    const { payload, protectedHeader } = await open(data.approval_proof, approvalKey, { typ: "approval-proof+jwt", audience: data.issuer });
    equal("kid", protectedHeader.kid, approval);
    equal("ticket", payload.ticket, data.ticket_id);
    equal("device", payload.device, device);
  }];

  for (const [index, item] of data.dpop.entries()) {
    yield [`dpop[${index}]`, async () => {
      // EmbeddedJWK refuses a header without a public key
      equal("jwk", await calculateJwkThumbprint(decodeProtectedHeader(item.proof).jwk), device);
      const { payload } = await open(item.proof, EmbeddedJWK, { typ: "dpop+jwt" }, ["iat", "jti", "htm", "htu"]);
      const htu = new URL(item.htu);
      htu.search = htu.hash = "";
      equal("htm", payload.htm, item.htm);
      equal("htu", new URL(payload.htu).href, htu.href);
      equal("ath", payload.ath, item.access_token && createHash("sha256").update(item.access_token).digest("base64url"));
      equal("nonce", payload.nonce, item.nonce);
    }];
  }

  for (const [index, token] of data.client_assertions.entries()) {
    yield [`client_assertions[${index}]`, async () => {
      const options = { issuer: data.client_id, subject: data.client_id, audience: [data.issuer, data.token_endpoint] };
      const { payload, protectedHeader } = await open(token, deviceKey, options, ["jti", "iat", "exp"]);
      equal("kid", protectedHeader.kid, device);
      demand(payload.exp > payload.iat && payload.exp - payload.iat <= 60, "lives too long");
    }];
  }

  for (const [index, item] of data.sads.entries()) {
    yield [`sads[${index}]`, async () => {
      const options = { typ: "sad+jwt", issuer: data.client_id, subject: data.credential_id, audience: data.token_endpoint };
      const { payload, protectedHeader } = await open(item.jws, approvalKey, options, ["jti", "iat", "exp"]);
      equal("kid", protectedHeader.kid, approval);
      equal("nonce", payload.nonce, item.nonce);
      equal("purpose", payload.purpose, "e-prescription");
      demand(payload.exp > payload.iat && payload.exp - payload.iat <= CLOCK_WINDOW, "lives too long");
      equal("authorization_details", payload.authorization_details.length, 1);
      const [details] = payload.authorization_details;
      demand(RAR_TYPES.includes(details.type), "another type");
      equal("credentialID", details.credentialID, data.credential_id);
      equal("hashAlgorithmOID", details.hashAlgorithmOID, SHA256_OID);
      equal("hashType", details.hashType, "dtbsr");
      equal("hashes", details.documentDigests.map((entry) => entry.hash).join(), item.hashes.join());
      equal("numSignatures", details.numSignatures, item.hashes.length);
      for (const { hash, label } of details.documentDigests) {
        equal("hash", Buffer.from(hash, "base64").length, 32);
        demand(label, "a hash without a label");
      }
    }];
  }
}

let data;
try {
  data = JSON.parse(readFileSync(process.argv[2], "utf8"));
} catch (trouble) {
  console.log(`cannot run: ${trouble.message} (node verify_jose.mjs TOKENS.json)`);
  process.exit(2);
}
let refused = false;
try {
  for await (const [name, check] of checks(data)) {
    try {
      await check();
      console.log(`accepted: ${name}`);
    } catch (reason) {
      refused = true;
      console.log(`refused: ${name}: ${reason.message}`);
    }
  }
} catch (incomplete) {
  refused = true;
  console.log(`refused: the file: ${incomplete.message}`);
}
process.exit(refused ? 1 : 0);
