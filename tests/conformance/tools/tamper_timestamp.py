"""Makes forgeries of a file with time-stamps, each still well-formed XML and DER.

    tamper_timestamp.py FILE OTHER DIR

For each time-stamp of FILE, by its number: DIR/NAME.N.time.xml, .imprint.xml and .signature.xml with one byte of the token changed,
.foreign.xml with the first token of OTHER in its place. Where there is an archive time-stamp, also NAME.property.xml, which lacks a
CRL that it covers.
"""

import base64
import re
import sys
from pathlib import Path

TOKEN = re.compile(rb"(<\w+:EncapsulatedTimeStamp[^>]*>)([^<]+)<")
CRL = re.compile(rb"<(\w+:EncapsulatedCRLValue)>[^<]+</\1>")
SHA256_DIGEST = bytes.fromhex("0609608648016503040201") + b"\x05\x00\x04\x20"
GENERALIZED_TIME = b"\x18\x0f20"


def after(token, mark):
    """Where what follows the first `mark` begins."""
    at = token.find(mark)
    if at < 0:
        raise SystemExit(f"cannot run: the token has no {mark.hex()}")
    return at + len(mark)


PLACES = {
    "time": lambda token: after(token, GENERALIZED_TIME) + 1,
    "imprint": lambda token: after(token, SHA256_DIGEST),
    "signature": lambda token: len(token) - 1,
}


def with_token(data, number, token):
    start, end = list(TOKEN.finditer(data))[number].span(2)
    return data[:start] + base64.b64encode(token) + data[end:]


def main():
    source, other, folder = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    data = source.read_bytes()
    tokens = [base64.b64decode(found.group(2)) for found in TOKEN.finditer(data)]
    foreign = base64.b64decode(TOKEN.search(other.read_bytes()).group(2))
    if not tokens:
        raise SystemExit("cannot run: no time-stamp")
    for number, token in enumerate(tokens):
        for place, find in PLACES.items():
            at = find(token)
            changed = token[:at] + bytes([token[at] ^ 1]) + token[at + 1:]
            (folder / f"{source.stem}.{number}.{place}.xml").write_bytes(with_token(data, number, changed))
        (folder / f"{source.stem}.{number}.foreign.xml").write_bytes(with_token(data, number, foreign))
    archive = data.rfind(b":ArchiveTimeStamp>", 0, data.rfind(b"EncapsulatedTimeStamp"))
    covered = [found for found in CRL.finditer(data) if found.end() < archive]
    if covered:
        start, end = covered[-1].span()
        (folder / f"{source.stem}.property.xml").write_bytes(data[:start] + data[end:])


if __name__ == "__main__":
    main()
