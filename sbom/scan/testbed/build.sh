#!/usr/bin/env bash
# build.sh DIR: container images for the tests, made from the distribution's own packages.
#
# Writes DIR/images/NAME, an OCI image layout each, and DIR/expect/NAME.tsv, what dpkg itself says is installed in it:
# package, version, architecture, status. No root, no container engine; packages are unpacked and never run.
#
#   base              Python and a CA bundle on the distribution's core
#   haproxy           base + HAProxy and Keepalived
#   keystone          base + OpenStack Keystone with its Python packages, each of them owned by a deb
#   keystone-nodocs   keystone + a layer that removes /usr/share/doc, as the last build step of OSISM's images does
#
# All images share the layer of base. Archive, suite and keys are those of the machine's own apt sources. Nothing is done
# when DIR is up to date; downloaded packages are kept in DIR/cache.
set -euo pipefail
export LC_ALL=C
umask 022

say() { printf 'testbed: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

[ $# -eq 1 ] || die "usage: build.sh DIR"
mkdir -p "$1"
out=$(cd "$1" && pwd)
recipe=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")

need() { command -v "$1" >/dev/null 2>&1 || die "$1 is missing: install the package $2"; }
need apt-get apt
need dpkg-deb dpkg
need dpkg-query dpkg
need gzip gzip
need tar tar
need sha256sum coreutils
need awk mawk
need flock util-linux
tar --version 2>/dev/null | grep -q 'GNU tar' || die "tar is not GNU tar: install the package tar"

[ -r /etc/os-release ] || die "/etc/os-release is missing: run this on Debian or Ubuntu"
os_field() { sed -n "s/^$1=//p" /etc/os-release | tr -d "\"'" | head -n 1; }
distribution=$(os_field ID)
codename=$(os_field VERSION_CODENAME)
case $distribution in
debian | ubuntu) ;;
*) die "this machine runs \"$distribution\": the images are made from Debian or Ubuntu packages, run this on one of them" ;;
esac
[ -n "$codename" ] || die "/etc/os-release names no VERSION_CODENAME: use a stable release of $distribution"
arch=$(dpkg --print-architecture)
case $arch in
amd64 | arm64 | s390x | riscv64) oci_arch=$arch ;;
ppc64el) oci_arch=ppc64le ;;
*) die "no OCI name is known for the architecture $arch" ;;
esac

images="base haproxy keystone keystone-nodocs"
stamp="$(sha256sum <"$recipe" | cut -c1-64) $distribution $codename $arch"

up_to_date() {
	[ "$(cat "$out/stamp" 2>/dev/null)" = "$stamp" ] || return 1
	for image in $images; do
		[ -e "$out/images/$image/index.json" ] && [ -e "$out/expect/$image.tsv" ] || return 1
	done
}

up_to_date && exit 0
exec 9>"$out/lock"
flock 9
up_to_date && exit 0

say "building images from $distribution $codename packages (about 90 MB to download the first time)"
rm -f "$out/stamp"
work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/images" "$work/expect" "$work/layers" "$work/tars" "$work/sources" "$work/nothing/partial"
mkdir -p "$out/cache/lists/partial" "$out/cache/archives/partial"

# The entries of the machine's apt sources that belong to its own release, so that no vendor archive mixes in.
filter_deb822() {
	awk -v suite="$codename" '
		function flush() { if (wanted && types && enabled) print stanza; stanza = ""; wanted = types = 0; enabled = 1 }
		BEGIN { enabled = 1 }
		/^[ \t]*$/ { flush(); next }
		/^#/ { next }
		{ line = $0; key = tolower($1) }
		key == "types:" { for (i = 2; i <= NF; i++) if ($i == "deb") types = 1; line = "Types: deb" }
		key == "enabled:" && tolower($2) == "no" { enabled = 0 }
		key == "components:" && !/[ \t](main|universe)([ \t]|$)/ { enabled = 0 }
		key == "suites:" {
			line = "Suites:"
			for (i = 2; i <= NF; i++) if ($i == suite || $i == suite "-updates" || $i == suite "-security") { line = line " " $i; wanted = 1 }
		}
		{ stanza = stanza line "\n" }
		END { flush() }' "$@"
}
filter_lines() {
	awk -v suite="$codename" '
		$1 == "deb" {
			rest = $0; sub(/^deb[ \t]+/, "", rest); sub(/^\[[^]]*\][ \t]+/, "", rest); split(rest, field, /[ \t]+/)
			if ((field[2] == suite || field[2] == suite "-updates" || field[2] == suite "-security") && rest ~ /[ \t](main|universe)([ \t]|$)/) print
		}' "$@"
}
shopt -s nullglob
deb822=(/etc/apt/sources.list.d/*.sources)
lines=(/etc/apt/sources.list.d/*.list)
[ ! -e /etc/apt/sources.list ] || lines=(/etc/apt/sources.list "${lines[@]}")
[ ${#deb822[@]} -eq 0 ] || for f in "${deb822[@]}"; do { cat "$f"; echo; } | filter_deb822; done >"$work/sources/own.sources"
[ ${#lines[@]} -eq 0 ] || filter_lines "${lines[@]}" >"$work/sources/own.list"
shopt -u nullglob
cat "$work"/sources/* 2>/dev/null | grep -q . ||
	die "the apt sources of this machine have no entry for $codename main: add the archive of $distribution to /etc/apt/sources.list.d"

# A private apt: own state and cache, none of the machine's hooks, its proxy settings kept.
cat >"$work/apt.conf" <<CONF
Dir::State "$out/cache";
Dir::Cache "$out/cache";
Dir::Cache::srcpkgcache "";
Dir::Cache::pkgcache "";
Dir::Etc::Parts "/dev/null";
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$work/sources";
Debug::NoLocking "true";
APT::Sandbox::User "";
APT::Architecture "$arch";
APT::Architectures "$arch";
APT::Install-Recommends "false";
APT::Get::AutomaticRemove "false";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
apt-config dump | grep -E '^Acquire::(https?|ftp)(::[^ ]*)? ".+";$' >>"$work/apt.conf" || true
export APT_CONFIG="$work/apt.conf"

: >"$work/empty-status"
apt-get -qq -o Dir::State::status="$work/empty-status" update || die "apt-get update: the archive of $codename cannot be reached"

excluded=(--exclude=./usr/share/man --exclude=./usr/share/locale --exclude=./usr/share/info --exclude=./usr/share/i18n
	--exclude=./usr/share/zoneinfo --exclude=./usr/share/bash-completion --exclude=./usr/lib/*/gconv
	--exclude=./usr/lib/python3/dist-packages/*/tests --exclude=./usr/share/doc/*/changelog* --exclude=./usr/share/doc/*/NEWS*
	--exclude=./usr/share/doc/*/examples --exclude=./usr/share/doc/*/README*)

# layer NAME BELOW|none PACKAGE...: the packages that the layers below lack, unpacked; the dpkg status of all of them.
layer() {
	local name=$1 below=$2 root=$work/layers/$1 deb package dir
	shift 2
	mkdir -p "$root/usr" "$root/var/lib/dpkg/info"
	if [ "$below" = none ]; then
		: >"$root/var/lib/dpkg/status"
	else
		cp "$work/layers/$below/var/lib/dpkg/status" "$root/var/lib/dpkg/status"
	fi
	for dir in bin sbin lib lib64; do
		mkdir -p "$root/usr/$dir"
		ln -s "usr/$dir" "$root/$dir"
	done
	# with an empty cache, because apt names only what it would download
	apt-get -qq -y -o Dir::State::status="$root/var/lib/dpkg/status" -o Dir::Cache::archives="$work/nothing" --print-uris install "$@" |
		sed -n "s/^'[^']*' \([^ ]*\) .*/\1/p" | sort >"$work/debs"
	[ -s "$work/debs" ] || die "apt finds nothing to install for $*"
	apt-get -qq -y -o Dir::State::status="$root/var/lib/dpkg/status" --download-only install "$@" >/dev/null ||
		die "apt-get cannot download $*"
	while read -r deb; do
		deb=$out/cache/archives/$deb
		package=$(dpkg-deb -f "$deb" Package)
		[ "$(dpkg-deb -f "$deb" Multi-Arch)" != same ] || package=$package:$(dpkg-deb -f "$deb" Architecture)
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink --no-same-owner --no-same-permissions "${excluded[@]}"
		dpkg-deb --fsys-tarfile "$deb" | tar -t | sed 's,^\.,,;s,/$,,;s,^$,/.,' >"$root/var/lib/dpkg/info/$package.list"
		dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./md5sums >"$root/var/lib/dpkg/info/$package.md5sums" 2>/dev/null ||
			rm -f "$root/var/lib/dpkg/info/$package.md5sums"
		{
			dpkg-deb -f "$deb" | awk 'NR == 2 { print "Status: install ok installed" } { print }'
			echo
		} >>"$root/var/lib/dpkg/status"
	done <"$work/debs"
	chmod -R u+rwX "$root"
}

# remove_docs LAYER BELOW...: whiteouts for everything that the layers below have in /usr/share/doc.
remove_docs() {
	local root=$work/layers/$1 below entry
	shift
	mkdir -p "$root/usr/share/doc"
	for below; do
		for entry in "$work/layers/$below"/usr/share/doc/*; do
			: >"$root/usr/share/doc/.wh.${entry##*/}"
		done
	done
}

# blob LAYOUT FILE: puts the file into the layout and sets digest and size.
blob() {
	digest=$(sha256sum <"$2" | cut -c1-64)
	size=$(stat -c %s "$2")
	case $2 in
	*.gz) cp -lf "$2" "$1/blobs/sha256/$digest" 2>/dev/null || cp "$2" "$1/blobs/sha256/$digest" ;; # one copy for all images
	*) cp "$2" "$1/blobs/sha256/$digest" ;;
	esac
}

# image NAME LAYER...: writes the layout, and what dpkg says of the top-most dpkg status.
image() {
	local name=$1 layout=$work/images/$1 type=application/vnd.oci.image diff_ids="" layers="" l tar status=""
	shift
	mkdir -p "$layout/blobs/sha256"
	for l; do
		tar=$work/tars/$l.tar
		if [ ! -e "$tar.gz" ]; then
			tar -C "$work/layers/$l" --sort=name --mtime=@1700000000 --owner=0 --group=0 --numeric-owner \
				--format=posix --pax-option=delete=atime,delete=ctime -cf "$tar" .
			gzip -n1 <"$tar" >"$tar.gz"
			sha256sum <"$tar" | cut -c1-64 >"$tar.id"
			rm "$tar"
		fi
		blob "$layout" "$tar.gz"
		diff_ids="$diff_ids,\"sha256:$(cat "$tar.id")\""
		layers="$layers,{\"mediaType\":\"$type.layer.v1.tar+gzip\",\"digest\":\"sha256:$digest\",\"size\":$size}"
		[ ! -e "$work/layers/$l/var/lib/dpkg/status" ] || status=$work/layers/$l/var/lib/dpkg
	done
	printf '{"architecture":"%s","os":"linux","config":{"Labels":{"name":"%s"}},"rootfs":{"type":"layers","diff_ids":[%s]}}\n' \
		"$oci_arch" "$name" "${diff_ids#,}" >"$work/config"
	blob "$layout" "$work/config"
	printf '{"schemaVersion":2,"mediaType":"%s.manifest.v1+json","config":{"mediaType":"%s.config.v1+json","digest":"sha256:%s","size":%s},"layers":[%s]}\n' \
		"$type" "$type" "$digest" "$size" "${layers#,}" >"$work/manifest"
	blob "$layout" "$work/manifest"
	printf '{"schemaVersion":2,"mediaType":"%s.index.v1+json","manifests":[{"mediaType":"%s.manifest.v1+json","digest":"sha256:%s","size":%s,"platform":{"architecture":"%s","os":"linux"}}]}\n' \
		"$type" "$type" "$digest" "$size" "$oci_arch" >"$layout/index.json"
	printf '{"imageLayoutVersion":"1.0.0"}\n' >"$layout/oci-layout"
	# shellcheck disable=SC2016 # the format belongs to dpkg-query
	dpkg-query --admindir="$status" -W -f '${Package}\t${Version}\t${Architecture}\t${db:Status-Status}\n' | sort >"$work/expect/$name.tsv"
}

layer base none base-files bash coreutils dpkg ca-certificates python3
layer haproxy base haproxy keepalived
layer keystone base python3-keystone keystone
remove_docs nodocs base keystone

image base base
image haproxy base haproxy
image keystone base keystone
image keystone-nodocs base keystone nodocs

rm -rf "$out/images" "$out/expect"
mv "$work/images" "$work/expect" "$out/"
printf '%s\n' "$stamp" >"$out/stamp"
say "$(wc -l <"$out/expect/keystone.tsv") packages in keystone, $(wc -l <"$out/expect/haproxy.tsv") in haproxy; $(du -sh "$out/images" | cut -f1) in $1/images"
