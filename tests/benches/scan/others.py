"""Readers that are not Rust: paths of pictures on standard input, a line of JSON for each reader and picture out.

Times are CPU time of this thread in the reader alone. zbar is left out, with a word, when its library is not installed.
"""

import json
import sys
import time

import cv2
import zxingcpp

try:
    from pyzbar import pyzbar
except ImportError as error:
    pyzbar = None
    print(f"zbar is left out: {error}", file=sys.stderr)


def with_zxing(picture):
    found = zxingcpp.read_barcodes(
        picture, formats=zxingcpp.BarcodeFormat.QRCode, try_rotate=True, try_invert=True, try_downscale=True
    )
    return [each.text for each in found]


def with_zbar(picture):
    found = pyzbar.decode(picture, symbols=[pyzbar.ZBarSymbol.QRCODE])
    return [each.data.decode("utf-8", "replace") for each in found]


READERS = {"zxing-cpp": with_zxing, **({"zbar": with_zbar} if pyzbar else {})}

for line in sys.stdin:
    path = line.rstrip("\n")
    picture = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    for name, read in READERS.items():
        start = time.thread_time()
        texts = read(picture)
        took = (time.thread_time() - start) * 1e3
        print(json.dumps({"reader": name, "path": path, "texts": texts, "ms": took}), flush=True)
