// The npm package oidc-provider as the agent's authorization server, over TLS on loopback.
//
//   node provider.mjs CONFIG.json        until its standard input ends
//
// CONFIG: {"tls": {"key", "cert"} in PEM, "ticketKey": JWK, "credentialID", "certificates": [base64 DER, leaf first]}
// Prints {"issuer"}, then one line for each request: {"method", "path", "status", "error"}.
//
// The provider's own: metadata, the look-up and expiry of initial access tokens, the judgement of client metadata, the
// registration's management and its tokens, client authentication, DPoP proofs and nonces at the token endpoint, scopes,
// tokens. Added through its documented hooks, and so no independent judgement: that a ticket is an initial access token
// (adapter), the approval proof (registration policy), the protocol's own members of a registration's answer and its single
// use (middleware), and the resources behind the tokens (middleware).
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { calculateJwkThumbprint, decodeJwt, EmbeddedJWK, exportJWK, generateKeyPair, importJWK, jwtVerify } from 'jose';
import { errors, Provider } from 'oidc-provider';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const ticketKey = await importJWK(config.ticketKey, 'ES256');
const server = createServer(config.tls);
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `https://127.0.0.1:${server.address().port}`;

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const PHONE = 'phone';

// ---- Persistence: one map for each kind of thing, and tickets ---------------------------------------------------------------

class Memory {
  #kept = new Map();
  async upsert(id, payload) { this.#kept.set(id, structuredClone(payload)); }
  async find(id) { return structuredClone(this.#kept.get(id)); }
  async destroy(id) { this.#kept.delete(id); }
  async consume(id) { this.#kept.get(id).consumed = Math.floor(Date.now() / 1000); }
  async findByUid() { return undefined; }
  async findByUserCode() { return undefined; }
  async revokeByGrantId() {}
}

// A ticket is not stored when it is issued: its signature says that it was.
class Tickets extends Memory {
  #used = new Set();
  async find(ticket) {
    try {
      const { payload } = await jwtVerify(ticket, ticketKey, { issuer, typ: 'ticket+jwt', algorithms: ['ES256'] });
      if (this.#used.has(payload.jti)) return undefined;
      return { kind: 'InitialAccessToken', jti: ticket, exp: payload.exp, policies: [PHONE] };
    } catch {
      return undefined;
    }
  }
  async destroy(ticket) { this.#used.add(decodeJwt(ticket).jti); }
}

// ---- What a phone's registration must bind beyond RFC 7591 -------------------------------------------------------------------

async function phone(ctx, properties) {
  const { keys = [] } = properties.jwks ?? {};
  const refuse = (why) => { throw new errors.InvalidClientMetadata(why); };
  if (keys.length !== 2) refuse('a phone has two keys');
  const named = new Map();
  for (const key of keys) named.set(await calculateJwkThumbprint(key), key);
  for (const [thumbprint, key] of named) if (key.kid !== thumbprint) refuse('a key is not under its thumbprint');
  const approval = async ({ kid }) => importJWK(named.get(kid) ?? refuse('the approval proof is by another key'), 'ES256');
  const { payload, protectedHeader } = await jwtVerify(properties.approval_proof, approval, {
    audience: issuer, typ: 'approval-proof+jwt', maxTokenAge: '5 min', algorithms: ['ES256'],
  }).catch((cause) => refuse(`approval proof: ${cause.message}`));
  const [device] = [...named.keys()].filter((thumbprint) => thumbprint !== protectedHeader.kid);
  if (payload.device !== device) refuse('the approval proof is for another device key');
  const { jti } = decodeJwt(ctx.oidc.entities.InitialAccessToken.jti);
  if (payload.ticket !== jti) refuse('the approval proof is for another ticket');
  delete properties.approval_proof;
  delete properties.activation_code;
}

// ---- The provider -----------------------------------------------------------------------------------------------------------

const { privateKey: idTokenKey } = await generateKeyPair('ES256', { extractable: true }); // asked for, never used here

const provider = new Provider(issuer, {
  adapter: (name) => (name === 'InitialAccessToken' ? new Tickets() : new Memory()),
  clientAuthMethods: ['private_key_jwt'],
  scopes: ['service'],
  ttl: { ClientCredentials: 600 },
  jwks: { keys: [await exportJWK(idTokenKey)] },
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  discovery: { prescriptions_endpoint: `${issuer}/prescriptions`, csc_endpoint: `${issuer}/csc/v2` },
  routes: { registration: '/register' },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
    registration: { enabled: true, initialAccessToken: true, policies: { [PHONE]: phone } },
    registrationManagement: { enabled: true },
  },
});

// Announced because a phone registers for it. Its assertion, the signature activation data, is the protocol's own and not
// known here.
provider.registerGrantType(JWT_BEARER, () => { throw new errors.UnsupportedGrantType(); }, ['assertion', 'authorization_details']);

// ---- The resources ----------------------------------------------------------------------------------------------------------

const info = {
  specs: '2.2.0.0', name: 'oidc-provider', region: 'JP', lang: 'ja', description: 'test', authType: ['oauth2code'],
  oauth2Issuer: issuer, methods: ['info', 'credentials/list', 'credentials/info', 'signatures/signHash'],
  signAlgorithms: { algos: ['1.2.840.113549.1.1.11'] },
};
const credential = {
  key: { status: 'enabled', algo: ['1.2.840.113549.1.1.11'], len: 2048 },
  cert: { status: 'valid', certificates: config.certificates },
  auth: { mode: 'oauth2code' }, SCAL: '2', multisign: 10,
};
const resources = {
  'POST /csc/v2/credentials/list': { credentialIDs: [config.credentialID] },
  'POST /csc/v2/credentials/info': credential,
  'GET /prescriptions': { requests: [] },
};

// RFC 9449 §7: a token of the provider that is bound to the key of the proof, and to a client that is still registered.
async function isAuthorized(ctx) {
  const [scheme, value] = ctx.get('authorization').split(' ');
  const token = scheme === 'DPoP' ? await provider.ClientCredentials.find(value) : undefined;
  if (!token?.isValid || !(await provider.Client.find(token.clientId))) return false;
  try {
    const { payload, protectedHeader } = await jwtVerify(ctx.get('dpop'), EmbeddedJWK, {
      typ: 'dpop+jwt', algorithms: ['ES256'], maxTokenAge: '5 min',
    });
    return payload.htm === ctx.method && payload.htu === issuer + ctx.path
      && payload.ath === createHash('sha256').update(value).digest('base64url')
      && token.jkt === await calculateJwkThumbprint(protectedHeader.jwk);
  } catch {
    return false;
  }
}

async function answerResource(ctx) {
  if (await isAuthorized(ctx)) {
    ctx.body = resources[`${ctx.method} ${ctx.path}`];
  } else {
    ctx.status = 401;
    ctx.set('www-authenticate', 'DPoP error="invalid_token"');
    ctx.body = { error: 'invalid_token' };
  }
}

provider.use(async (ctx, next) => {
  if (ctx.path === '/csc/v2/info') {
    ctx.body = info;
  } else if (`${ctx.method} ${ctx.path}` in resources) {
    await answerResource(ctx);
  } else {
    await next();
    if (ctx.oidc?.route === 'registration' && ctx.status === 201) {
      await ctx.oidc.entities.InitialAccessToken.destroy();
      Object.assign(ctx.body, { credential_id: config.credentialID, replaced: false });
    }
  }
  const { method, path, status, body } = ctx;
  console.log(JSON.stringify({ method, path, status, error: body?.error ?? null, words: body?.error_description ?? null }));
});

server.on('request', provider.callback());
process.stdin.resume().on('end', () => process.exit(0));
console.log(JSON.stringify({ issuer }));
