#!/usr/bin/env bash
# Records examples/community-evidence again: the evidence of every project of the catalogue that can be read, at the
# versions that the reference examples deploy.
#
#   examples/record.sh [DIR]
#
# With DIR only the clones below it are read (DIR/OWNER+NAME/repo, DIR/OWNER/NAME or DIR/NAME), and nobody is asked.
# Without it the repositories are cloned into the user's cache directory, some 2 GB without file contents. Each project is
# judged at its newest commit, so that clones of any age say what they know; DAY is the day of the recording. Facts only:
# texts of others are named by commit, path and digest.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -le 1 ] || { echo "usage: examples/record.sh [DIR]" >&2; exit 2; }
DAY=${DAY:-2026-08-23}

make --no-print-directory build
from=()
[ $# -eq 0 ] || from=(--mirror "$1" --offline)
rm -rf examples/community-evidence
SOURCE_DATE_EPOCH=$(date -u -d "$DAY" +%s) ./pegel collect --catalogue all --at head "${from[@]}" \
	examples/scs-reference/stack.yaml examples/scs-reference-10/stack.yaml --bundle examples/community-evidence

# The four registries that scs-0218 compared, as of the day its requirements were adopted; examples/scs-0218/profile.yaml asks what
# SCS asked. `pegel score harbor quay kraken nexus --from examples/scs-0218/evidence --profile examples/scs-0218/profile.yaml
# --offline` gives the same words as scs-0218.
rm -rf examples/scs-0218/evidence
SOURCE_DATE_EPOCH=$(date -u -d "$DAY" +%s) ./pegel collect --catalogue harbor,quay,kraken,nexus --at 2024-02-13 "${from[@]}" \
	--bundle examples/scs-0218/evidence
