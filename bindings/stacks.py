"""What would be a TLS or cryptography stack beside rustls and ring: for the checks of the libraries for phones."""

import pathlib
import re
import subprocess

OTHER_CRATES = re.compile(
    r"^(openssl|boring|aws-lc|native-tls|schannel|mbedtls|wolfssl|rustls-(openssl|rustcrypto|mbedtls)|s2n|rsa|dsa|ecdsa|p256|p384|"
    r"p521|k256|elliptic-curve|ed25519|curve25519|x25519|aes|aes-gcm|chacha20|cbc|ctr|sha1|sha2|sha3|md-5|hmac|hkdf|libsodium|"
    r"orion|graviola)(-|$)"
)
# Of crates by the start of their mangled path, legacy or v0: `_ZN4sha2`, `Cs4fqI2P2rA04_4sha2`.
OTHER_SYMBOLS = re.compile(
    r"aws_lc|OPENSSL_|\b_?SSL_CTX_|\b_?EVP_|mbedtls_|wolfSSL|"
    r"(_ZN|Cs[0-9A-Za-z]+_)(3rsa|4p256|4p384|5ecdsa|4sha2|3aes|8chacha20)"
)
OWN_SYMBOLS = re.compile(r"ring_core_\d")


def of_crates(triple: str) -> tuple[bool, str]:
    """Whether the crates that the library is built from for `triple` are one stack of each, and what to say of it."""
    tree = subprocess.run(
        ["cargo", "tree", "--locked", "-p", "hpki-agent-bindings", "--target", triple, "-e", "normal", "--prefix", "none",
         "--format", "{p}"], check=True, capture_output=True, text=True, cwd=pathlib.Path(__file__).parent).stdout
    names = {line.split()[0] for line in tree.splitlines() if line}
    others = sorted(name for name in names if OTHER_CRATES.search(name))
    return {"ring", "rustls"} <= names and not others, \
        f"a second stack: {' '.join(others)}" if others else "one TLS stack and one of cryptography: rustls, ring"


def of_symbols(where: str, names: str) -> tuple[bool, str]:
    """Whether the symbols `names`, found in `where`, are ring's and no other stack's, and what to say of it."""
    other = OTHER_SYMBOLS.search(names)
    return bool(OWN_SYMBOLS.search(names)) and not other, \
        f"{where} has a second stack's symbol: {other[0]}" if other else f"{where} has ring's symbols and no other stack's"
