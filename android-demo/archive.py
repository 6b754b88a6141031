"""Puts dex and native libraries into the APK that aapt2 has linked.

archive.py BASE OUT DEX LIBRARIES: libraries and resources.arsc are stored, not compressed, and begin at multiples of 16 KiB and
4 bytes, which Android maps as they lie; the rest is compressed. The padding is the extra field that Android's own tools write
(0xd935), so that the signer keeps it.
"""

import pathlib
import struct
import sys
import zipfile

PAGE = 16384
WORD = 4


def add(out: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Adds one entry, of a fixed date: the same input gives the same archive."""
    info = zipfile.ZipInfo(name, (1981, 1, 1, 1, 1, 2))
    stored = name.endswith((".so", ".arsc"))
    info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    if stored:
        alignment = PAGE if name.endswith(".so") else WORD
        start = out.fp.tell() + 30 + len(name.encode()) + 6
        padding = -start % alignment
        info.extra = struct.pack("<HHH", 0xD935, 2 + padding, alignment) + bytes(padding)
    out.writestr(info, data, compresslevel=9)


def main(base: str, target: str, dex: str, libraries: str) -> None:
    with zipfile.ZipFile(base) as source, zipfile.ZipFile(target, "w") as out:
        for entry in source.infolist():
            add(out, entry.filename, source.read(entry))
        add(out, "classes.dex", pathlib.Path(dex).read_bytes())
        for library in sorted(pathlib.Path(libraries).rglob("*.so")):
            add(out, f"lib/{library.relative_to(libraries)}", library.read_bytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
