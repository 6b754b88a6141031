"""Makes e-prescription files that our own code did not write, with an HPKI-profile chain, CRLs and a time-stamp authority.

    make_sample.py DIR

Uses lxml for canonical XML, `cryptography` for keys and certificates, `openssl ts` for RFC 3161 tokens. Layouts: form A (the
operator's test sample) and form B (an open client), each as XAdES-BES; form A with the unsigned properties of level T and XL;
and a dispensing file, level A, that holds the XL prescription. Nothing here is read or written by the agent's code.
"""

import base64
import copy
import datetime as dt
import hashlib
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
XADES141 = "http://uri.etsi.org/01903/v1.4.1#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SIGNED_PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"

JST = dt.timezone(dt.timedelta(hours=9))
NOW = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)

SIGNING_CA_POLICY = "1.2.392.100495.1.5.1.1.3.1"
SIGNING_POLICY = "1.2.392.100495.1.5.1.1.0.1"
HEALTHCARE_ACTOR = "1.0.17090.0.1"
HEALTHCARE_ROLES = "1.2.392.100495.1.6.1.1"


# ---- Certificates -----------------------------------------------------------------------------------------------------------

def der(tag, *parts):
    body = b"".join(parts)
    size = bytes([len(body)]) if len(body) < 128 else b"\x82" + len(body).to_bytes(2, "big")
    return bytes([tag]) + size + body


def oid(dotted):
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    out = bytearray([first * 40 + second])
    for arc in rest:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        out += bytes(reversed(groups))
    return der(0x06, bytes(out))


def hc_role(role):
    """SubjectDirectoryAttributes with one hcRole (ISO 17090-2)."""
    coded = der(0x31, der(0xA0, oid(HEALTHCARE_ROLES)), der(0xA2, der(0x0C, role.encode())))
    actors = der(0x31, der(0x30, der(0xA0, coded)))
    return der(0x30, der(0x30, oid(HEALTHCARE_ACTOR), der(0x31, actors)))


def name(*pairs):
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in pairs])


class Authority:
    """A key with a certificate that may issue others and their CRL."""

    def __init__(self, subject, issuer=None, policy=None):
        self.key = new_key()
        signer = issuer or self
        builder = certificate(subject, issuer and issuer.certificate, self.key.public_key(), years=20)
        builder = builder.add_extension(x509.BasicConstraints(True, None if issuer is None else 0), critical=True)
        builder = builder.add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        if policy:
            policies = x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier(policy), None)])
            builder = builder.add_extension(policies, critical=True)
        self.certificate = builder.sign(signer.key, hashes.SHA256())

    def issue(self, subject, key, *extensions):
        builder = certificate(subject, self.certificate, key.public_key(), years=5)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())

    def crl(self, *revoked, issued=NOW - dt.timedelta(hours=1)):
        builder = (x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
                   .last_update(issued).next_update(NOW + dt.timedelta(days=4))
                   .add_extension(authority_key(self.certificate), critical=False)
                   .add_extension(x509.CRLNumber(1), critical=False))
        for revoked_certificate in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(revoked_certificate.serial_number)
                .revocation_date(issued - dt.timedelta(hours=1)).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_usage(**bits):
    everything = ("digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign "
                  "crl_sign encipher_only decipher_only")
    return x509.KeyUsage(**{bit: bits.get(bit, False) for bit in everything.split()})


def authority_key(issuer):
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier(identifier.digest, [x509.DirectoryName(issuer.issuer)], issuer.serial_number)


def certificate(subject, issuer, public_key, years):
    start = NOW - dt.timedelta(days=1)
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject)
               .public_key(public_key).serial_number(x509.random_serial_number())
               .not_valid_before(start).not_valid_after(start + dt.timedelta(days=365 * years))
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False))
    if issuer:
        builder = builder.add_extension(authority_key(issuer), critical=False)
    return builder


class Signer:
    """An end entity in the HPKI signing profile."""

    def __init__(self, ca, romaji, kanji, role):
        self.key = new_key()
        self.certificate = ca.issue(
            name((NameOID.COUNTRY_NAME, "JP"), (NameOID.COMMON_NAME, romaji), (NameOID.SERIAL_NUMBER, "100000001")),
            self.key,
            (key_usage(content_commitment=True), True),
            (x509.CertificatePolicies([x509.PolicyInformation(
                ObjectIdentifier(SIGNING_POLICY), ["http://localhost/sample/cps.html"])]), True),
            (x509.SubjectAlternativeName([x509.DirectoryName(name(
                (NameOID.COUNTRY_NAME, "JP"), (NameOID.COMMON_NAME, kanji), (NameOID.SERIAL_NUMBER, "100000001")))]), False),
            (x509.CRLDistributionPoints([x509.DistributionPoint(
                [x509.UniformResourceIdentifier("http://localhost/sample/ca.crl")], None, None, None)]), False),
            (x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.9"), hc_role(role)), False))
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)

    def sign(self, message):
        return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())


class TimeStampAuthority:
    """RFC 3161 tokens made by `openssl ts`."""

    def __init__(self):
        self.ca = Authority(name((NameOID.COUNTRY_NAME, "JP"), (NameOID.COMMON_NAME, "Sample TSA root")))
        self.key = new_key()
        self.certificate = self.ca.issue(
            name((NameOID.COUNTRY_NAME, "JP"), (NameOID.COMMON_NAME, "Sample TSA")), self.key,
            (key_usage(digital_signature=True), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True))

    def token(self, message):
        """The DER ContentInfo of a token over sha256(message), with the TSA's certificate inside."""
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder)
            (here / "key.pem").write_bytes(self.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
            (here / "tsa.pem").write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
            (here / "ts.cnf").write_text(
                "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.pem\nsigner_key=key.pem\nsigner_digest=sha256\n"
                "default_policy=1.2.3.4.1\ndigests=sha256\naccuracy=secs:1\ness_cert_id_alg=sha256\n")
            (here / "serial").write_text(f"{uuid.uuid4().int >> 72:x}".rjust(16, "1")[:16])
            openssl = ["openssl", "ts"]
            digest = hashlib.sha256(message).hexdigest()
            for arguments in (["-query", "-sha256", "-digest", digest, "-cert", "-out", "query"],
                              ["-reply", "-config", "ts.cnf", "-queryfile", "query", "-token_out", "-out", "token"]):
                subprocess.run(openssl + arguments, cwd=here, check=True, capture_output=True)
            return (here / "token").read_bytes()


# ---- Signatures -------------------------------------------------------------------------------------------------------------

def wrapped(data):
    """Base64 with line breaks, as the operator's files have it."""
    return base64.encodebytes(data).decode()


def plain(data):
    return base64.b64encode(data).decode()


def digest(data):
    return hashlib.sha256(data).digest()


def exclusive(element):
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def inclusive(element):
    """C14N 1.0 of an element where it stands. lxml forgets the name spaces of ancestors, so a twin declares them itself."""
    twin = etree.Element(element.tag, element.attrib, element.nsmap)
    twin.text = element.text
    twin.extend(copy.deepcopy(child) for child in element)
    return etree.tostring(twin, method="c14n", exclusive=False, with_comments=False)


class FormA:
    """Layout of the operator's test sample."""

    encode = staticmethod(wrapped)

    def template(self, target, signature_id, signer):
        at = f"id{uuid.uuid4().hex[:8]}"
        exc = f'<xs:Transforms><xs:Transform Algorithm="{EXC_C14N}"/></xs:Transforms>'
        sha = f'<xs:DigestMethod Algorithm="{SHA256}"/><xs:DigestValue/>'
        return (
            f'<xs:Signature xmlns:xs="{DS}" Id="{signature_id}"><xs:SignedInfo Id="{at}-SignedInfo">'
            f'<xs:CanonicalizationMethod Algorithm="{EXC_C14N}"/><xs:SignatureMethod Algorithm="{RSA_SHA256}"/>'
            f'<xs:Reference Id="{at}-Reference1-Detached" URI="#{target}">{sha}</xs:Reference>'
            f'<xs:Reference Id="{at}-Reference2-KeyInfo" URI="#{at}-KeyInfo">{exc}{sha}</xs:Reference>'
            f'<xs:Reference Id="{at}-Reference3-SignedProperties" Type="{SIGNED_PROPERTIES}" URI="#{at}-SignedProperties">{exc}{sha}'
            f'</xs:Reference></xs:SignedInfo><xs:SignatureValue Id="{at}-SignatureValue"/>'
            f'<xs:KeyInfo Id="{at}-KeyInfo"><xs:X509Data><xs:X509Certificate>{wrapped(signer.der)}</xs:X509Certificate>'
            f'</xs:X509Data></xs:KeyInfo><xs:Object><xa:QualifyingProperties xmlns:xa="{XADES}" xmlns:xa141="{XADES141}"'
            f' Id="{at}-QualifyingProperties" Target="#{signature_id}"><xa:SignedProperties Id="{at}-SignedProperties">'
            f'<xa:SignedSignatureProperties><xa:SigningTime>{NOW:%Y-%m-%dT%H:%M:%S}+00:00</xa:SigningTime>'
            f'<xa:SigningCertificateV2><xa:Cert><xa:CertDigest><xs:DigestMethod Algorithm="{SHA256}"/>'
            f'<xs:DigestValue>{plain(digest(signer.der))}</xs:DigestValue></xa:CertDigest></xa:Cert></xa:SigningCertificateV2>'
            f'</xa:SignedSignatureProperties></xa:SignedProperties></xa:QualifyingProperties></xs:Object></xs:Signature>')


class FormB:
    """Layout of an open client."""

    encode = staticmethod(plain)

    def template(self, target, signature_id, signer):
        at = f"xades-id-{uuid.uuid4()}"
        exc = f'<ds:Transforms><ds:Transform Algorithm="{EXC_C14N}"/></ds:Transforms>'
        sha = f'<ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue/>'
        issuer = signer.certificate.issuer.public_bytes()
        serial = signer.certificate.serial_number
        issuer_serial = der(0x30, der(0x30, der(0xA4, issuer)),
                            der(0x02, serial.to_bytes(serial.bit_length() // 8 + 1, "big")))
        return (
            f'<ds:Signature xmlns:ds="{DS}" Id="{signature_id}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXC_C14N}"/>'
            f'<ds:SignatureMethod Algorithm="{RSA_SHA256}"/><ds:Reference URI="#{target}">{exc}{sha}</ds:Reference>'
            f'<ds:Reference Type="{SIGNED_PROPERTIES}" URI="#{at}-signedprops">{exc}{sha}</ds:Reference>'
            f'<ds:Reference URI="#{at}-keyinfo">{exc}{sha}</ds:Reference></ds:SignedInfo><ds:SignatureValue/>'
            f'<ds:KeyInfo Id="{at}-keyinfo"><ds:X509Data><ds:X509Certificate>{plain(signer.der)}</ds:X509Certificate></ds:X509Data>'
            f'</ds:KeyInfo><ds:Object><xades:QualifyingProperties xmlns:xades="{XADES}" Target="#{signature_id}">'
            f'<xades:SignedProperties Id="{at}-signedprops"><xades:SignedSignatureProperties>'
            f'<xades:SigningTime>{NOW.astimezone(JST):%Y-%m-%dT%H:%M:%S}+09:00</xades:SigningTime><xades:SigningCertificateV2>'
            f'<xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="{SHA256}"/>'
            f'<ds:DigestValue>{plain(digest(signer.der))}</ds:DigestValue></xades:CertDigest>'
            f'<xades:IssuerSerialV2>{plain(issuer_serial)}</xades:IssuerSerialV2></xades:Cert></xades:SigningCertificateV2>'
            f'</xades:SignedSignatureProperties></xades:SignedProperties></xades:QualifyingProperties></ds:Object></ds:Signature>')


def one(node, path):
    found = node.xpath(path, namespaces={"ds": DS, "xa": XADES, "xa141": XADES141})
    assert len(found) == 1, f"{path}: {len(found)} elements"
    return found[0]


def by_id(root, reference):
    return one(root, f"//*[@id='{reference}' or @Id='{reference}']")


def referenced(root, reference):
    """What a Reference's digest covers: C14N 1.0 unless its Transform says otherwise."""
    element = by_id(root, reference.get("URI")[1:])
    transforms = [t.get("Algorithm") for t in reference.iter(f"{{{DS}}}Transform")]
    assert transforms in ([], [EXC_C14N])
    return exclusive(element) if transforms else inclusive(element)


def add_signature(root, holder, target, form, signer):
    """Puts a signature over `target` into the empty element `holder`."""
    holder.append(etree.fromstring(form.template(target, holder.tag, signer)))
    signature = holder[0]
    for reference in signature.iter(f"{{{DS}}}Reference"):
        one(reference, "ds:DigestValue").text = form.encode(digest(referenced(root, reference)))
    one(signature, "ds:SignatureValue").text = form.encode(signer.sign(exclusive(one(signature, "ds:SignedInfo"))))


def add_token(parent, tag, token):
    box = etree.SubElement(parent, tag)
    etree.SubElement(box, f"{{{DS}}}CanonicalizationMethod", Algorithm=C14N)
    etree.SubElement(box, f"{{{XADES}}}EncapsulatedTimeStamp").text = wrapped(token)


def add_time_stamp(signature, tsa):
    """Level T: SignatureTimeStamp over inclusive C14N of SignatureValue."""
    qualifying = one(signature, "ds:Object/xa:QualifyingProperties")
    unsigned = etree.SubElement(etree.SubElement(qualifying, f"{{{XADES}}}UnsignedProperties"),
                                f"{{{XADES}}}UnsignedSignatureProperties")
    add_token(unsigned, f"{{{XADES}}}SignatureTimeStamp", tsa.token(inclusive(one(signature, "ds:SignatureValue"))))


def add_values(parent, certificates, crls):
    values = etree.SubElement(parent, f"{{{XADES}}}CertificateValues")
    for item in certificates:
        etree.SubElement(values, f"{{{XADES}}}EncapsulatedX509Certificate").text = wrapped(
            item.public_bytes(serialization.Encoding.DER))
    lists = etree.SubElement(etree.SubElement(parent, f"{{{XADES}}}RevocationValues"), f"{{{XADES}}}CRLValues")
    for item in crls:
        etree.SubElement(lists, f"{{{XADES}}}EncapsulatedCRLValue").text = wrapped(item)


def add_validation_data(signature, tsa, root_ca, ca):
    """Level XL as the management service writes it: the certificates and CRLs of the time-stamp, then of the signature."""
    unsigned = one(signature, ".//xa:UnsignedSignatureProperties")
    box = etree.SubElement(unsigned, f"{{{XADES141}}}TimeStampValidationData")
    add_values(box, [tsa.certificate, tsa.ca.certificate], [tsa.ca.crl()])
    add_values(unsigned, [ca.certificate, root_ca.certificate], [root_ca.crl(), ca.crl()])


def add_archive_time_stamp(root, signature, tsa, edition=XADES141):
    """Level A (EN 319 132-1, 5.5.2.2): references, SignedInfo, SignatureValue, KeyInfo, unsigned properties so far. The
    property of XAdES 1.3.2 (TS 101 903 V1.3.2, 7.7.1) covers the same."""
    unsigned = one(signature, ".//xa:UnsignedSignatureProperties")
    covered = [referenced(root, reference) for reference in signature.iter(f"{{{DS}}}Reference")]
    covered += [inclusive(one(signature, f"ds:{part}")) for part in ("SignedInfo", "SignatureValue", "KeyInfo")]
    covered += [inclusive(item) for item in unsigned]
    add_token(unsigned, f"{{{edition}}}ArchiveTimeStamp", tsa.token(b"".join(covered)))


# ---- Documents --------------------------------------------------------------------------------------------------------------

HEAD = '<Document xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="Document" xsi:noNamespaceSchemaLocation="{}">'


def prescription_csv():
    issued = f"{NOW.astimezone(JST):%Y%m%d}"
    return "\n".join([
        "SJ1", "1,1,8000010,99,検証用病院", "2,852-8154,長崎県長崎市", "3,095-000-0000,,", "4,2,01,内科",
        "5,000000000000001,ｲｼｬ ｻﾌﾞﾛｳ,医者　三郎", "11,000000000000001,電処　花子,ﾃﾞﾝｼｮ ﾊﾅｺ", "12,2", "13,19500101",
        "21,1", "22,01130012", "23,１２,３４５６,1,01", f"51,{issued}",
        "101,1,1,,14", "111,1,3,1011100000000000,１日１回就寝前　服用,1",
        "201,1,1,1,2,622688101,ミニリンメルトＯＤ錠２５μｇ,2,1,錠", ""]).encode()


def prescription_body(csv, prescription_id=""):
    return (f'<PrescriptionManagement id="PrescriptionManagement"><Version Value="EPS1.0"/>{prescription_id}</PrescriptionManagement>'
            f'<PrescriptionDocument id="PrescriptionDocument">{plain(csv)}</PrescriptionDocument><PrescriptionSign/>')


def prescription(csv, form, signer):
    root = etree.fromstring(HEAD.format("EP.xsd") + f"<Prescription>{prescription_body(csv)}</Prescription></Document>")
    add_signature(root, one(root, "//PrescriptionSign"), "PrescriptionDocument", form, signer)
    return root


def dispensing(csv, doctor, pharmacist, tsa, root_ca, ca):
    """A pharmacist's file that holds a whole signed prescription, both signatures made in place."""
    reference = prescription_body(csv, f'<PrescriptionId Value="{uuid.uuid4()}"/>')
    root = etree.fromstring(
        HEAD.format("ED.xsd") + '<DispensingManagement id="DispensingManagement"><Version Value="EPD1.0"/>'
        f'<DispensingId Value="{uuid.uuid4()}"/></DispensingManagement><Dispensing id="Dispensing">'
        f'<ReferencePrescription>{reference}</ReferencePrescription><DispensingDocument id="DispensingDocument">'
        f'{plain(b"CJ1,")}</DispensingDocument></Dispensing><DispensingSign/></Document>')
    inner = one(root, "//PrescriptionSign")
    add_signature(root, inner, "PrescriptionDocument", FormA(), doctor)
    add_time_stamp(inner[0], tsa)
    add_validation_data(inner[0], tsa, root_ca, ca)
    outer = one(root, "//DispensingSign")
    add_signature(root, outer, "Dispensing", FormA(), pharmacist)
    add_time_stamp(outer[0], tsa)
    add_validation_data(outer[0], tsa, root_ca, ca)
    add_archive_time_stamp(root, outer[0], tsa)
    return root


def write(path, root):
    path.write_bytes(b'<?xml version="1.0" encoding="UTF-8"?>' + etree.tostring(root, encoding="UTF-8"))


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    root_ca = Authority(name((NameOID.COUNTRY_NAME, "JP"), (NameOID.ORGANIZATION_NAME, "Sample ministry"),
                             (NameOID.ORGANIZATIONAL_UNIT_NAME, "Sample HPKI Root CA")))
    ca = Authority(name((NameOID.COUNTRY_NAME, "JP"), (NameOID.ORGANIZATION_NAME, "Sample association"),
                        (NameOID.COMMON_NAME, "HPKI-01-SampleCA-forNonRepudiation")), root_ca, SIGNING_CA_POLICY)
    tsa = TimeStampAuthority()
    doctor = Signer(ca, "Saburo Isha", "医者　三郎", "Medical Doctor")
    pharmacist = Signer(ca, "Yuko Yakuzai", "薬剤　優子", "Pharmacist")

    for label, item in (("root", root_ca.certificate), ("ca", ca.certificate), ("doctor", doctor.certificate),
                        ("pharmacist", pharmacist.certificate), ("tsa-root", tsa.ca.certificate)):
        (out / f"{label}.der").write_bytes(item.public_bytes(serialization.Encoding.DER))
        (out / f"{label}.pem").write_bytes(item.public_bytes(serialization.Encoding.PEM))
    (out / "root.crl").write_bytes(root_ca.crl())
    (out / "ca.crl").write_bytes(ca.crl())
    (out / "ca-doctor-revoked.crl").write_bytes(ca.crl(doctor.certificate))
    later = NOW + dt.timedelta(days=1)
    (out / "ca-doctor-revoked-later.crl").write_bytes(ca.crl(doctor.certificate, issued=later))
    (out / "later.txt").write_text(f"{later + dt.timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}")
    (out / "tsa-root.crl").write_bytes(tsa.ca.crl())

    csv = prescription_csv()
    (out / "prescription.csv").write_bytes(csv)
    (out / "unsigned.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>' + HEAD.format("EP.xsd")
        + "<Prescription>" + prescription_body(csv).replace("<PrescriptionSign/>", "") + "</Prescription></Document>")
    write(out / "form-a.xml", prescription(csv, FormA(), doctor))
    write(out / "form-b.xml", prescription(csv, FormB(), doctor))
    stamped = prescription(csv, FormA(), doctor)
    add_time_stamp(one(stamped, "//ds:Signature"), tsa)
    write(out / "form-a-t.xml", stamped)
    add_validation_data(one(stamped, "//ds:Signature"), tsa, root_ca, ca)
    write(out / "form-a-xl.xml", stamped)
    add_archive_time_stamp(stamped, one(stamped, "//ds:Signature"), tsa, XADES)
    write(out / "form-a-a132.xml", stamped)
    other = prescription(csv, FormA(), doctor)
    add_time_stamp(one(other, "//ds:Signature"), tsa)
    write(out / "form-a-other.xml", other)
    write(out / "by-pharmacist.xml", prescription(csv, FormA(), pharmacist))
    write(out / "dispensing.xml", dispensing(csv, doctor, pharmacist, tsa, root_ca, ca))


if __name__ == "__main__":
    main()
