#!/usr/bin/env bash
# Judge 1: xmlsec1 (Debian). Core validation of the three References and the RSA value, and the X.509 path to ROOT.
#
#   xmlsec.sh FILE ROOT [INTERMEDIATE…]      certificates in DER or PEM; one line out; exit 0 accepted, 1 refused, 2 cannot run
#
# The options, each for a reason:
#   --id-attr        no DTD declares ids: the envelope's is `id` (lower case), those inside the signature are `Id`.
#   --node-xpath     judge the prescription's own signature, where the format puts it, not the first one found.
#   --enabled-…      only references into this document, only X.509 certificates as the key: no KeyValue, no retrieval.
# xmlsec1 sets no X.509 purpose, so a key usage of nonRepudiation alone passes, and OpenSSL knows the critical
# certificatePolicies. It looks up no CRL: revocation is for the other two judges.
set -euo pipefail

command -v xmlsec1 >/dev/null || { echo "cannot run: xmlsec1 is missing (apt-get install xmlsec1)"; exit 2; }
(($# >= 2)) && [[ -r $1 && -r $2 ]] || { echo "cannot run: usage: xmlsec.sh FILE ROOT [INTERMEDIATE…]"; exit 2; }
file=$1 root=$2
shift 2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# OpenSSL reads DER and PEM alike; xmlsec1 wants to be told.
openssl x509 -in "$root" -out "$work/root.pem" 2>/dev/null || { echo "cannot run: $root is no certificate"; exit 2; }
untrusted=()
for certificate in "$@"; do
  pem=$work/${#untrusted[@]}.pem
  openssl x509 -in "$certificate" -out "$pem" 2>/dev/null || { echo "cannot run: $certificate is no certificate"; exit 2; }
  untrusted+=(--untrusted-pem "$pem")
done

ds=http://www.w3.org/2000/09/xmldsig# xades=http://uri.etsi.org/01903/v1.3.2#
if xmlsec1 --verify \
  --node-xpath '/Document/Prescription/PrescriptionSign/*' \
  --id-attr:id PrescriptionDocument --id-attr:Id "$ds:KeyInfo" --id-attr:Id "$xades:SignedProperties" \
  --enabled-reference-uris same-doc --enabled-key-data x509 \
  --trusted-pem "$work/root.pem" "${untrusted[@]}" "$file" >"$work/out" 2>&1 &&
  grep -q '^SignedInfo References (ok/all): 3/3$' "$work/out"; then
  echo "accepted: $file"
else
  echo "refused: $file: $(grep -o 'msg=.*\|obj=[^:]*:subj=[^:]*:error=.*\|References (ok/all).*' "$work/out" | head -1)"
  exit 1
fi
