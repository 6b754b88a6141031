#!/usr/bin/env bash
# Signs at a reference service of its own with pyHanko's CSC client: one `accepted:` line for each signature.
#
#   run.sh PYTHON REFERENCE-SERVICE      the interpreter has requirements.txt; the binary is built
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$1 binary=$2
folder=$(mktemp -d)
"$binary" --dir "$folder" serve --listen 127.0.0.1:0 >"$folder/ready" &
service=$!
trap 'kill $service; rm -rf "$folder"' EXIT
for _ in {1..300}; do [[ -s $folder/ready ]] && break; sleep 0.2; done
[[ -s $folder/ready ]] || { echo "the service did not start"; exit 1; }

credential=$("$binary" --dir "$folder" issue --name-kanji "手須戸 花子" --name-romaji "HANAKO TESUTO" --role "Medical Doctor")
qr=$("$binary" --dir "$folder" letter --credential "$credential" --out "$folder/letter" --route card --print)
"$python" "$here/pyhanko_client.py" "$folder/trust.json" "$folder/tls-ca.pem" "$qr"
