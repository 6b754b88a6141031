"""Makes letter.ttf from BIZUDPGothic-Regular.ttf: `python3 subset.py SOURCE OUTPUT`. See README.md."""

import sys

from fontTools import subset
from fontTools.ttLib import TTFont

FAMILY = "Reference Letter Gothic"
# Variants that family registers use and Windows-31J lacks, and the marks that people type beside it.
VARIANTS = "㟢𣘺邉曻栁濵德祐都曺鄧淸靜神福¥‐–—‘’“”…・〜−"


def decoded(encoding, sequences):
    for sequence in sequences:
        try:
            yield from sequence.decode(encoding)
        except UnicodeDecodeError:
            pass


def repertoire():
    """ASCII, half-width kana and Windows-31J: JIS X 0208 levels 1 and 2, NEC row 13 (①, ㈱), the IBM
    extensions (髙, 﨑, 德, 瀨)."""
    characters = {chr(c) for c in range(0x20, 0x7F)} | set(VARIANTS)
    characters.update(decoded("cp932", [bytes([byte]) for byte in range(0xA1, 0xE0)]))
    characters.update(
        decoded("cp932", [bytes([lead, trail]) for lead in range(0x81, 0xFD) for trail in range(0x40, 0xFD)])
    )
    return {ord(c) for c in characters if c == "\u3000" or c.isprintable()}


def main(source, output):
    options = subset.Options()
    options.hinting = False
    options.layout_features = []
    options.glyph_names = False
    options.notdef_outline = True
    options.name_IDs = ["*"]
    options.recalc_timestamp = False
    options.drop_tables += ["GSUB", "DSIG", "gasp", "meta", "vhea", "vmtx"]

    font = TTFont(source, recalcTimestamp=False)
    wanted = repertoire()
    missing = wanted - font.getBestCmap().keys()
    if missing:
        sys.exit("the font lacks " + " ".join(f"U+{c:04X}" for c in sorted(missing)))
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)

    # A modified font goes by a name of its own; copyright and licence records stay.
    names = font["name"]
    names.names = [record for record in names.names if record.langID == 0x409 and record.nameID in (0, 2, 5, 13, 14)]
    for name_id, text in ((1, FAMILY), (3, FAMILY), (4, FAMILY), (6, FAMILY.replace(" ", ""))):
        names.setName(text, name_id, 3, 1, 0x409)
    font.save(output)


if __name__ == "__main__":
    main(*sys.argv[1:])
