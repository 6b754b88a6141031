CREATE TABLE IF NOT EXISTS settings (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS authorities (
    role TEXT PRIMARY KEY,               -- root | sign
    certificate BLOB NOT NULL,
    name BLOB NOT NULL,
    issuer BLOB NOT NULL,
    serial BLOB NOT NULL,
    key_id BLOB NOT NULL,
    key BLOB NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS credentials (
    id TEXT PRIMARY KEY,
    name_kanji TEXT NOT NULL,
    name_romaji TEXT NOT NULL,
    role TEXT,
    holder_serial TEXT NOT NULL UNIQUE,
    chain TEXT NOT NULL,                 -- JSON array of base64 DER, leaf first
    certificate_serial BLOB NOT NULL,
    issued_by_signing_ca INTEGER NOT NULL,
    key BLOB NOT NULL,
    key_enabled INTEGER NOT NULL,
    scal TEXT NOT NULL,
    multisign INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE INDEX IF NOT EXISTS revoked_credentials ON credentials (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS tickets (
    jti TEXT PRIMARY KEY,
    credential TEXT NOT NULL REFERENCES credentials (id),
    expires_at INTEGER NOT NULL,
    code_salt BLOB,                      -- null where no activation code is needed
    code_hash BLOB,
    wrong_codes INTEGER NOT NULL DEFAULT 0,
    client TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS clients (
    id TEXT PRIMARY KEY,
    credential TEXT NOT NULL REFERENCES credentials (id),
    device_key TEXT NOT NULL,            -- JWK
    approval_key TEXT NOT NULL,          -- JWK
    metadata TEXT NOT NULL,              -- what was registered, as JSON
    registration_token BLOB NOT NULL,    -- SHA-256
    registered_at INTEGER NOT NULL,
    replaced INTEGER NOT NULL,           -- whether it unbound another phone
    ended_at INTEGER
) STRICT;

-- One phone for one credential.
CREATE UNIQUE INDEX IF NOT EXISTS one_active_client ON clients (credential) WHERE ended_at IS NULL;

CREATE TABLE IF NOT EXISTS tokens (
    id BLOB PRIMARY KEY,                 -- SHA-256 of the token
    client TEXT NOT NULL REFERENCES clients (id),
    authorized TEXT,                     -- JSON array of base64 hashes; null in a service token
    expires_at INTEGER NOT NULL,
    spent_at INTEGER
) STRICT;

CREATE INDEX IF NOT EXISTS token_expiry ON tokens (expires_at);

-- Identifiers that may be seen once: proofs, assertions, SADs.
CREATE TABLE IF NOT EXISTS seen (
    id TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS seen_expiry ON seen (expires_at);

-- Every signature ever made.
CREATE TABLE IF NOT EXISTS ledger (
    n INTEGER PRIMARY KEY,
    credential TEXT NOT NULL,
    client TEXT NOT NULL,
    token BLOB NOT NULL,
    hash BLOB NOT NULL,
    signature BLOB NOT NULL,
    signed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS ledger_credential ON ledger (credential);
CREATE INDEX IF NOT EXISTS ledger_signature ON ledger (client, signature);

-- Signatures that wait to be asked for (signPolling).
CREATE TABLE IF NOT EXISTS deferred (
    id TEXT PRIMARY KEY,
    client TEXT NOT NULL REFERENCES clients (id),
    signatures TEXT NOT NULL,            -- JSON array of base64
    pending INTEGER NOT NULL,            -- how often the answer is still: not yet
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS prescriptions (
    id TEXT PRIMARY KEY,
    credential TEXT NOT NULL REFERENCES credentials (id),
    requester_name TEXT NOT NULL,
    facility_code TEXT NOT NULL,
    document BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'signed', 'declined')),
    signature BLOB UNIQUE,               -- a signature value is delivered once
    answer BLOB,                         -- the signed document
    error TEXT,
    error_description TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS waiting_prescriptions ON prescriptions (credential, state);
