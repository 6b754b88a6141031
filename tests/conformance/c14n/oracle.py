"""Canonical XML by libxml2, for the differential tests: one JSON request a line on stdin, one JSON reply a line on stdout.

    {"xml": base64, "queries": [{"method": "inclusive10" | "inclusive11" | "exclusive", "comments": bool,
                                 "prefixes": [...], "id": string or null}]}
    -> {"outputs": [base64 or null for each query]}, or {"outputs": null} where the document does not parse

Whole documents in C14N 1.0 and exclusive go through lxml. lxml offers neither C14N 1.1, nor `#default` among the prefixes, nor
an element where it stands; those go to the same function of libxml2 itself, with the node set that XPath selects, as the
specifications define it.
"""

import base64
import ctypes
import ctypes.util
import json
import sys

from lxml import etree

MODES = {"inclusive10": 0, "exclusive": 1, "inclusive11": 2}
NO_NETWORK, NO_ERRORS, NO_WARNINGS = 1 << 11, 1 << 5, 1 << 6

libxml2 = ctypes.CDLL(ctypes.util.find_library("xml2") or "libxml2.so.2")


class XPathObject(ctypes.Structure):
    """The first members of libxml2's xmlXPathObject."""
    _fields_ = [("type", ctypes.c_int), ("nodes", ctypes.c_void_p)]


for function, result, arguments in (
        ("xmlReadMemory", ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]),
        ("xmlFreeDoc", None, [ctypes.c_void_p]),
        ("xmlXPathNewContext", ctypes.c_void_p, [ctypes.c_void_p]),
        ("xmlXPathFreeContext", None, [ctypes.c_void_p]),
        ("xmlXPathEvalExpression", ctypes.POINTER(XPathObject), [ctypes.c_char_p, ctypes.c_void_p]),
        ("xmlXPathFreeObject", None, [ctypes.POINTER(XPathObject)]),
        ("xmlC14NDocDumpMemory", ctypes.c_int, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int,
                                                ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.POINTER(ctypes.c_void_p)])):
    getattr(libxml2, function).restype = result
    getattr(libxml2, function).argtypes = arguments

# Refusals are answers here, not messages
silence = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(lambda *_: None)
libxml2.xmlSetStructuredErrorFunc(None, silence)


def by_lxml(xml, query):
    tree = etree.ElementTree(etree.fromstring(xml, etree.XMLParser(no_network=True)))
    return etree.tostring(tree, method="c14n", exclusive=query["method"] == "exclusive", with_comments=query["comments"],
                          inclusive_ns_prefixes=query["prefixes"] or None)


def by_libxml2(xml, query):
    document = libxml2.xmlReadMemory(xml, len(xml), None, None, NO_NETWORK | NO_ERRORS | NO_WARNINGS)
    if not document:
        return None
    try:
        if query["id"] is None:
            return dump(document, None, query)
        context = libxml2.xmlXPathNewContext(document)
        apex = f"//*[@id='{query['id']}' or @Id='{query['id']}' or @ID='{query['id']}' or @xml:id='{query['id']}']"
        below = f"{apex}/descendant-or-self::"
        found = libxml2.xmlXPathEvalExpression(f"{below}node() | {below}*/@* | {below}*/namespace::*".encode(), context)
        try:
            # An empty node set would read as "the whole document"
            return dump(document, found.contents.nodes, query) if found and found.contents.nodes else None
        finally:
            libxml2.xmlXPathFreeObject(found)
            libxml2.xmlXPathFreeContext(context)
    finally:
        libxml2.xmlFreeDoc(document)


def dump(document, nodes, query):
    prefixes = [prefix.encode() for prefix in query["prefixes"]]
    array = (ctypes.c_char_p * (len(prefixes) + 1))(*prefixes, None)
    out = ctypes.c_void_p()
    size = libxml2.xmlC14NDocDumpMemory(document, nodes, MODES[query["method"]], array if prefixes else None,
                                        int(query["comments"]), ctypes.byref(out))
    if size < 0:
        return None
    try:
        return ctypes.string_at(out, size)
    finally:
        ctypes.CDLL(None).free(out)


def answer(xml, query):
    """The canonical bytes, or None where libxml2 refuses (a relative name-space URI, for example)."""
    try:
        for_lxml = query["id"] is None and query["method"] != "inclusive11" and "#default" not in query["prefixes"]
        return by_lxml(xml, query) if for_lxml else by_libxml2(xml, query)
    except etree.C14NError:
        return None


def main():
    for line in sys.stdin:
        request = json.loads(line)
        xml = base64.b64decode(request["xml"])
        try:
            outputs = [answer(xml, query) for query in request["queries"]]
            reply = [None if output is None else base64.b64encode(output).decode() for output in outputs]
        except etree.XMLSyntaxError:
            reply = None
        print(json.dumps({"outputs": reply}), flush=True)


if __name__ == "__main__":
    main()
