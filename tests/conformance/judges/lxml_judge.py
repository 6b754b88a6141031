"""Judge 2: lxml for canonical XML, `cryptography` for RSA and X.509. The rules are written from the format, not from our code.

    lxml_judge.py FILE ROOT [INTERMEDIATE | CRL]...      one line out; exit 0 accepted, 1 refused, 2 cannot run

Accepts XAdES-BES forms A and B: every Reference is resolved structurally, digested and compared; SignedInfo is checked by RSA;
SigningCertificateV2 must name the certificate in KeyInfo; its path must lead to ROOT; each CRL given must be genuine and fresh
and must not list it; it must be for signatures (nonRepudiation alone, the HPKI policy) and carry a prescriber's hcRole.
"""

import base64
import copy
import datetime as dt
import hashlib
import sys
from pathlib import Path

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from lxml import etree
except ImportError as missing:
    print(f"cannot run: {missing} (pip install -r tests/conformance/requirements.txt)")
    sys.exit(2)

NS = {"ds": "http://www.w3.org/2000/09/xmldsig#", "xa": "http://uri.etsi.org/01903/v1.3.2#"}
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SIGNED_PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"
SIGNING_POLICY = "1.2.392.100495.1.5.1.1.0.1"
PRESCRIBERS = (b"Medical Doctor", b"Dentist")


class Refused(Exception):
    pass


def demand(condition, otherwise):
    if not condition:
        raise Refused(otherwise)


def one(node, path):
    found = node.xpath(path, namespaces=NS)
    demand(len(found) == 1, f"{path}: {len(found)} elements")
    return found[0]


def decoded(element):
    return base64.b64decode("".join((element.text or "").split()), validate=True)


def canonical(element, exclusive):
    """C14N of an element where it stands. lxml forgets the name spaces of ancestors, so a twin declares them itself."""
    if exclusive:
        return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    twin = etree.Element(element.tag, element.attrib, element.nsmap)
    twin.text = element.text
    twin.extend(copy.deepcopy(child) for child in element)
    return etree.tostring(twin, method="c14n", exclusive=False, with_comments=False)


def check_references(root, signature):
    """Exactly three References, each to the one element that the format means, found by place and not only by id."""
    ids = root.xpath("//@id | //@Id")
    demand(len(ids) == len(set(ids)), "an id occurs twice")
    properties = one(signature, "ds:Object/xa:QualifyingProperties")
    demand(properties.get("Target") == "#" + signature.get("Id", ""), "QualifyingProperties targets another signature")
    expected = {
        "#PrescriptionDocument": one(root, "/Document/Prescription/PrescriptionDocument[@id='PrescriptionDocument']"),
        "#" + one(signature, "ds:KeyInfo/@Id"): one(signature, "ds:KeyInfo"),
        "#" + one(properties, "xa:SignedProperties/@Id"): one(properties, "xa:SignedProperties"),
    }
    for reference in signature.xpath("ds:SignedInfo/ds:Reference", namespaces=NS):
        uri = reference.get("URI")
        element = expected.pop(uri, None)
        demand(element is not None, f"a Reference to {uri}")
        typed = SIGNED_PROPERTIES if element.tag == f"{{{NS['xa']}}}SignedProperties" else None
        demand(reference.get("Type") == typed, f"{uri}: Type {reference.get('Type')}")
        transforms = reference.xpath("ds:Transforms/ds:Transform/@Algorithm", namespaces=NS)
        demand(transforms in ([], [EXC_C14N]), f"{uri}: transforms {transforms}")
        demand(one(reference, "ds:DigestMethod/@Algorithm") == SHA256, f"{uri}: digest method")
        digest = hashlib.sha256(canonical(element, bool(transforms))).digest()
        demand(digest == decoded(one(reference, "ds:DigestValue")), f"{uri}: digest differs")
    demand(not expected, f"no Reference to {', '.join(expected)}")


def check_value(signature, certificate):
    info = one(signature, "ds:SignedInfo")
    demand(one(info, "ds:CanonicalizationMethod/@Algorithm") == EXC_C14N, "canonicalization method")
    demand(one(info, "ds:SignatureMethod/@Algorithm") == RSA_SHA256, "signature method")
    value = decoded(one(signature, "ds:SignatureValue"))
    try:
        certificate.public_key().verify(value, canonical(info, True), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise Refused("the signature value does not verify") from None


def check_signing_certificate(signature, certificate_der):
    cert = one(signature, "ds:Object/xa:QualifyingProperties/xa:SignedProperties/xa:SignedSignatureProperties/"
                          "xa:SigningCertificateV2/xa:Cert")
    demand(one(cert, "xa:CertDigest/ds:DigestMethod/@Algorithm") == SHA256, "SigningCertificateV2: digest method")
    demand(decoded(one(cert, "xa:CertDigest/ds:DigestValue")) == hashlib.sha256(certificate_der).digest(),
           "SigningCertificateV2 names another certificate")


def signing_time(signature):
    text = one(signature, "ds:Object/xa:QualifyingProperties/xa:SignedProperties/xa:SignedSignatureProperties/xa:SigningTime")
    time = dt.datetime.fromisoformat(text.text)
    demand(time.tzinfo is not None, "SigningTime without an offset")
    return time


def check_profile(certificate):
    def value(kind):
        return certificate.extensions.get_extension_for_class(kind)

    usage = value(x509.KeyUsage)
    demand(usage.critical and usage.value.content_commitment and not usage.value.digital_signature, "key usage")
    policies = value(x509.CertificatePolicies)
    demand(policies.critical and SIGNING_POLICY in [p.policy_identifier.dotted_string for p in policies.value], "policy")
    attributes = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier("2.5.29.9")).value.value
    demand(any(role in attributes for role in PRESCRIBERS), "no hcRole of a prescriber")


def check_path(certificate, root, intermediates, crls, at):
    """Walks from the signer to ROOT by signature; each step in its validity at `at`, and not revoked by a fresh CRL."""
    subject, seen = certificate, 0
    while subject != root:
        demand(subject.not_valid_before_utc <= at <= subject.not_valid_after_utc, f"{subject.subject.rfc4514_string()}: validity")
        issuer = next((c for c in [root, *intermediates] if issued(c, subject)), None)
        demand(issuer is not None and seen < 5, "no path to the root")
        check_revocation(subject, issuer, crls)
        subject, seen = issuer, seen + 1


def issued(issuer, subject):
    try:
        subject.verify_directly_issued_by(issuer)
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        return constraints.ca and issuer.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False


def check_revocation(subject, issuer, crls):
    if not crls:
        return
    mine = [crl for crl in crls if crl.issuer == issuer.subject and crl.is_signature_valid(issuer.public_key())]
    demand(mine, f"no CRL by {issuer.subject.rfc4514_string()}")
    now = dt.datetime.now(dt.timezone.utc)
    for crl in mine:
        demand(crl.last_update_utc <= now <= crl.next_update_utc, "a CRL is not fresh")
        demand(crl.get_revoked_certificate_by_serial_number(subject.serial_number) is None, "revoked")


def load(path):
    """A certificate or a CRL, in DER or PEM."""
    data = Path(path).read_bytes()
    readers = ((x509.load_pem_x509_certificate, x509.load_pem_x509_crl) if data.startswith(b"-----")
               else (x509.load_der_x509_certificate, x509.load_der_x509_crl))
    try:
        return readers[0](data)
    except ValueError:
        return readers[1](data)


def judge(data, root, others):
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    document = etree.fromstring(data, parser)
    demand(document.getroottree().docinfo.internalDTD is None, "a DTD")
    signature = one(document, "/Document/Prescription/PrescriptionSign/ds:Signature")
    certificate_der = decoded(one(signature, "ds:KeyInfo/ds:X509Data/ds:X509Certificate"))
    certificate = x509.load_der_x509_certificate(certificate_der)
    check_references(document, signature)
    check_value(signature, certificate)
    check_signing_certificate(signature, certificate_der)
    check_profile(certificate)
    certificates = [item for item in others if isinstance(item, x509.Certificate)]
    crls = [item for item in others if not isinstance(item, x509.Certificate)]
    check_path(certificate, root, certificates, crls, signing_time(signature))


def main():
    try:
        path, root_path, *other_paths = sys.argv[1:]
        data, root, others = Path(path).read_bytes(), load(root_path), [load(other) for other in other_paths]
    except (ValueError, OSError) as trouble:
        print(f"cannot run: {trouble} (lxml_judge.py FILE ROOT [INTERMEDIATE | CRL]...)")
        return 2
    try:
        judge(data, root, others)
    except (Refused, ValueError, etree.XMLSyntaxError, x509.ExtensionNotFound) as reason:
        print(f"refused: {path}: {reason}")
        return 1
    print(f"accepted: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
