"""Makes three forgeries of a signed prescription, each one byte away from it and still well-formed XML and base64.

    tamper.py FILE DIR      writes DIR/NAME.body.xml, NAME.signed-properties.xml, NAME.key-info.xml
"""

import re
import sys
from pathlib import Path

# Which element's text is changed, and how far into it. The prefix is free: files of others have their own. Nine tenths into a
# certificate lies the CA's signature, so that the forgery still reads as a certificate.
PLACES = {
    "body": (rb"<PrescriptionDocument[^>]*>([^<]+)<", 0.5),
    "signed-properties": (rb"<\w+:SigningTime[^>]*>([^<]+)<", 0.5),
    "key-info": (rb"<\w+:X509Certificate>([^<]+)<", 0.9),
}


def changed(data, pattern, depth):
    """`data` with one character of the text that `pattern` finds replaced by another of its kind."""
    found = re.search(pattern, data)
    if found is None:
        raise SystemExit(f"cannot run: nothing like {pattern.decode()}")
    start, end = found.span(1)
    at = next(i for i in range(start + int((end - start) * depth), end) if chr(data[i]).isalnum())
    old = data[at:at + 1]
    new = (b"1" if old == b"0" else b"0") if old.isdigit() else (b"B" if old == b"A" else b"A")
    return data[:at] + new + data[at + 1:]


def main():
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    data = source.read_bytes()
    for place, (pattern, depth) in PLACES.items():
        (folder / f"{source.stem}.{place}.xml").write_bytes(changed(data, pattern, depth))


if __name__ == "__main__":
    main()
