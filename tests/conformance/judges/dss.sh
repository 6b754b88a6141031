#!/usr/bin/env bash
# Judge 3: EU DSS, offline. Builds dss/ once (Maven, Java 17 or later), then judges any number of files in one start.
#
#   dss.sh ROOT [INTERMEDIATE | CRL]… -- FILE…      one line for each FILE; exit 0 all accepted, 1 any refused, 2 cannot run
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=${CARGO_TARGET_DIR:-$here/../../../target}/conformance/dss
for tool in java mvn; do
  command -v "$tool" >/dev/null || { echo "cannot run: $tool is missing (apt-get install default-jdk-headless maven)"; exit 2; }
done
if [[ ! -f $build/dss-judge.jar || -n $(find "$here/dss" -newer "$build/dss-judge.jar" -type f -print -quit) ]]; then
  mkdir -p "$build"
  mvn -q -B -f "$here/dss/pom.xml" package -Djudge.build="$(cd "$build" && pwd)" >"$build/mvn.log" 2>&1 ||
    { echo "cannot run: the build failed, see $build/mvn.log"; exit 2; }
fi
exec java -cp "$build/dss-judge.jar:$(<"$build/classpath")" Judge "$@"
