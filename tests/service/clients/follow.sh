#!/usr/bin/env bash
# Does what a page tells its reader: runs its ```sh blocks in order, in one shell, in a folder of its own.
#
#   follow.sh PAGE      from the root of the repository; leaves nothing behind
#
# One `accepted:` line when every command succeeded, the clinic saw `signed`, and `verify` found the file valid.
set -euo pipefail
page=$(realpath "$1") root=$PWD folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
awk '/^```/ { inside = ($0 == "```sh"); next } inside' "$page" >"$folder/commands"
[[ -s $folder/commands ]] || { echo "refused: $1 has no commands"; exit 1; }
# The folder that the page makes is made in ours; the service that it starts ends with the shell.
sed -i "s|^mkdir first-signature && cd first-signature\$|mkdir $folder/first-signature \&\& cd $folder/first-signature|" "$folder/commands"
grep -q "cd $folder/first-signature" "$folder/commands" || { echo "refused: the page no longer makes its folder"; exit 1; }
{
  echo "set -euo pipefail; trap 'kill %1' EXIT"
  cat "$folder/commands"
} >"$folder/script"
cd "$root"
# Whoever waits for a service that did not start waits for ever.
if timeout 1200 bash "$folder/script" >"$folder/output" 2>&1 && grep -q '"state":"waiting"' "$folder/output" &&
  grep -q '"state":"signed"' "$folder/output" && grep -q 'ガスターＤ錠' "$folder/output"; then
  echo "accepted: $1"
else
  cat "$folder/output"
  echo "refused: $1"
fi
