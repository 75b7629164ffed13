#!/usr/bin/env bash
# Fetches the published descriptions of GitHub's and Gitea's interfaces into a directory, for tests only: two npm packages
# and a Go module (all MIT), pinned by version and digest. What is there already is not fetched again.
set -euo pipefail
dir=${1:?usage: descriptions.sh DIRECTORY}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

# fetch NAME VERSION SHA512 MEMBER FILE: one file of a package.
fetch() {
	local file=$dir/$5
	[ -s "$file" ] && return
	local temp
	temp=$(mktemp -d "$dir/.fetch.XXXXXX")
	trap 'rm -rf "$temp"' RETURN
	echo "fetching $1@$2"
	(cd "$temp" && npm pack --silent --ignore-scripts "$1@$2" >/dev/null)
	local archive
	archive=$(echo "$temp"/*.tgz)
	echo "$3  $archive" | sha512sum --check --status || { echo "$1@$2 is not the package that was pinned: its digest differs" >&2; exit 1; }
	tar -xzf "$archive" -C "$temp" "package/$4"
	mv "$temp/package/$4" "$file"
}

# Gitea's description is in its Go module (MIT), whose digest the checksum database knows; the file's is pinned here.
if [ ! -s "$dir/gitea.swagger.json" ]; then
	echo "fetching code.gitea.io/gitea@v1.26.0"
	module=$(go mod download -json code.gitea.io/gitea@v1.26.0 | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
	echo "ebf74c3f571746b70218fd9100e8dfe9755779a36aa1212ecbbcf6cc84e9fd73  $module/templates/swagger/v1_json.tmpl" | sha256sum --check --status ||
		{ echo "code.gitea.io/gitea@v1.26.0 does not hold the description that was pinned" >&2; exit 1; }
	install -m 644 "$module/templates/swagger/v1_json.tmpl" "$dir/gitea.swagger.json"
fi

if ! command -v npm >/dev/null 2>&1; then
	echo "npm is not on PATH: tests against GitHub's published descriptions will be skipped (install npm)" >&2
	[ "${CI:-}" = true ] && exit 1
	exit 0
fi
fetch @octokit/graphql-schema 15.26.1 4450c2d8ca5105de00c5246f51e04855e054ee88cdfd2c437c02d477b89560e49e10ade065aa91d8c18ecac8f8661db18f6458e5f400513f8eaaaee1593ada30 schema.graphql github.graphql
fetch @octokit/openapi 23.0.2 a55f0cecbf46636dc0c9b36f4e6a369f28e6a669edebedac444fedaabd192d070f4b8967c3bbb979918d9b044d9010b70fb8195db171e401f32d455105718386 generated/api.github.com.json github.openapi.json
