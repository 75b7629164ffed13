#!/usr/bin/env bash
# build.sh DIR [small|large]: container images made from the distribution's own packages.
#
# Writes DIR/images/NAME (large: DIR/large/images/NAME), an OCI image layout each, and expect/NAME.tsv beside it, what dpkg
# itself says is installed in it: package, version, architecture, status. No root, no container engine; packages are
# unpacked and never run. Nothing is done when a scale is up to date; downloaded packages are kept in DIR/cache.
#
# small, for the tests:
#   base              Python and a CA bundle on the distribution's core
#   haproxy           base + HAProxy and Keepalived
#   keystone          base + OpenStack Keystone with its Python packages, each of them owned by a deb
#   keystone-nodocs   keystone + a layer that removes /usr/share/doc, as the last build step of OSISM's images does
#   client            base + Python packages in a virtual environment, owned by no deb, as kolla has them (layer: zstd)
#   tool              base + a Go program with its build information (layer: a plain tar file)
#
# large, for measuring, made like kolla images: one base, a middle layer with Python in a virtual environment, services on
# both whose last step removes /usr/share/doc, other services on the base alone, two images that add two small files to a
# known one. See the end of this file.
#
# Archive, suite and keys are those of the machine's own apt sources.
set -euo pipefail
export LC_ALL=C
umask 022

say() { printf 'testbed: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

scale=${2:-small}
[ $# -ge 1 ] && [ $# -le 2 ] || die "usage: build.sh DIR [small|large]"
mkdir -p "$1"
out=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
recipe=$here/$(basename "$0")
case $scale in
small)
	dest=$out download="110 MB"
	images="base haproxy keystone keystone-nodocs client tool"
	;;
large)
	dest=$out/large download="600 MB"
	images="openstack-base keystone keystone-fernet keystone-ssh nova-api neutron-server glance-api cinder-api placement-api
		haproxy mariadb-server rabbitmq redis prometheus java horizon tool"
	;;
*) die "the scale \"$scale\" is unknown: use small or large" ;;
esac
mkdir -p "$dest"

need() { command -v "$1" >/dev/null 2>&1 || die "$1 is missing: install the package $2"; }
need apt-get apt
need dpkg-deb dpkg
need dpkg-query dpkg
need gzip gzip
need zstd zstd
need tar tar
need go golang-go
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

stamp="$(cat "$recipe" "$here/program/main.go" | sha256sum | cut -c1-64) $distribution $codename $arch"

up_to_date() {
	[ "$(cat "$dest/stamp" 2>/dev/null)" = "$stamp" ] || return 1
	for image in $images; do
		[ -e "$dest/images/$image/index.json" ] && [ -e "$dest/expect/$image.tsv" ] || return 1
	done
}

up_to_date && exit 0
exec 9>"$out/lock"
flock 9
up_to_date && exit 0

say "building $scale images from $distribution $codename packages (about $download to download the first time)"
rm -f "$dest/stamp"
work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/images" "$work/expect" "$work/layers" "$work/tars" "$work/status" "$work/unowned" "$work/sources" "$work/nothing/partial"
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
# status/NAME is what apt has to know, unowned/NAME the packages that the image shall not know to be debs.
layer() {
	local name=$1 below=$2 root=$work/layers/$1 known=$work/status/$1 deb package dir
	shift 2
	mkdir -p "$root/usr" "$root/var/lib/dpkg/info"
	if [ "$below" = none ]; then
		: >"$known"
		: >"$work/unowned/$name"
	else
		cp "$work/status/$below" "$known"
		cp "$work/unowned/$below" "$work/unowned/$name"
	fi
	for dir in bin sbin lib lib64; do
		mkdir -p "$root/usr/$dir"
		ln -s "usr/$dir" "$root/$dir"
	done
	# with an empty cache, because apt names only what it would download
	apt-get -qq -y -o Dir::State::status="$known" -o Dir::Cache::archives="$work/nothing" --print-uris install "$@" |
		sed -n "s/^'[^']*' \([^ ]*\) .*/\1/p" | sort >"$work/debs"
	[ -s "$work/debs" ] || die "apt finds nothing to install for $*"
	apt-get -qq -y -o Dir::State::status="$known" --download-only install "$@" >/dev/null ||
		die "apt-get cannot download $*"
	while read -r deb; do
		deb=$out/cache/archives/$deb
		dpkg-deb -f "$deb" >"$work/control"
		package=$(sed -n 's/^Package: //p' "$work/control")
		! grep -qx 'Multi-Arch: same' "$work/control" || package=$package:$(sed -n 's/^Architecture: //p' "$work/control")
		dpkg-deb --fsys-tarfile "$deb" >"$work/data.tar"
		tar -x -f "$work/data.tar" -C "$root" --keep-directory-symlink --no-same-owner --no-same-permissions "${excluded[@]}"
		tar -t -f "$work/data.tar" | sed 's,^\.,,;s,/$,,;s,^$,/.,' >"$root/var/lib/dpkg/info/$package.list"
		dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./md5sums >"$root/var/lib/dpkg/info/$package.md5sums" 2>/dev/null ||
			rm -f "$root/var/lib/dpkg/info/$package.md5sums"
		{
			awk 'NR == 2 { print "Status: install ok installed" } { print }' "$work/control"
			echo
		} >>"$known"
	done <"$work/debs"
	rm -f "$work/data.tar"
	chmod -R u+rwX "$root"
	show_status "$name"
}

# show_status LAYER: the dpkg status that the image has: what apt knows without the packages that are not owned.
show_status() {
	awk -v RS= -v ORS='\n\n' -v list="$work/unowned/$1" '
		BEGIN { RS = "\n"; while ((getline name <list) > 0) unowned[name] = 1; RS = "" }
		{ name = $0; sub(/^Package: /, "", name); sub(/\n.*/, "", name) }
		!(name in unowned)' "$work/status/$1" >"$work/layers/$1/var/lib/dpkg/status"
}

# disown_packages LAYER PREFIX: dpkg forgets the packages of this layer whose names begin with PREFIX; their files stay.
disown_packages() {
	local info=$work/layers/$1/var/lib/dpkg/info f name
	for f in "$info/$2"*.list; do
		[ -e "$f" ] || continue
		name=${f##*/}
		name=${name%.list}
		rm -f "$info/$name.list" "$info/$name.md5sums"
		printf '%s\n' "${name%%:*}" >>"$work/unowned/$1"
	done
	show_status "$1"
}

# venv LAYER: its Python packages as pip installs them into kolla's virtual environment: METADATA and RECORD, owned by no deb.
venv() {
	local root=$work/layers/$1 site=$work/layers/$1/var/lib/kolla/venv/lib/$python/site-packages egg info module
	mkdir -p "$site"
	mv "$root"/usr/lib/python3/dist-packages/* "$site/"
	for egg in "$site"/*.egg-info; do
		info=${egg%.egg-info}
		info=${info%-py3*}.dist-info
		mkdir -p "$info"
		if [ -d "$egg" ]; then cp "$egg/PKG-INFO" "$info/METADATA"; else cp "$egg" "$info/METADATA"; fi
		[ ! -f "$egg/entry_points.txt" ] || cp "$egg/entry_points.txt" "$info/"
		printf 'pip\n' >"$info/INSTALLER"
		(
			cd "$site"
			{
				[ ! -f "$egg/top_level.txt" ] || while read -r module || [ -n "$module" ]; do
					case $module in */*|"") ;; *) find "$module" "$module.py" -type f -printf '%p,,\n' 2>/dev/null || true ;; esac
				done <"$egg/top_level.txt"
				find "${info##*/}" -type f -printf '%p,,\n'
				printf '%s/RECORD,,\n' "${info##*/}"
			} | sort -u >"$work/record"
		)
		mv "$work/record" "$info/RECORD"
		rm -r "$egg"
	done
	printf 'home = /usr/bin\n' >"$root/var/lib/kolla/venv/pyvenv.cfg"
	disown_packages "$1" python3-
}

# node_modules LAYER: its npm packages below the directory of an application, as npm installs them, owned by no deb.
node_modules() {
	local root=$work/layers/$1
	mkdir -p "$root/opt/application"
	mv "$root/usr/share/nodejs" "$root/opt/application/node_modules"
	disown_packages "$1" node-
}

# program LAYER: a Go program with the list of its modules; Debian's own Go programs have no such list.
program() {
	mkdir -p "$work/layers/$1/usr/local/bin"
	(cd "$here/program" && CGO_ENABLED=0 GOOS=linux GOARCH=$oci_arch GOFLAGS=-mod=readonly \
		go build -trimpath -buildvcs=false -o "$work/layers/$1/usr/local/bin/pegel-testbed-tool" .) ||
		die "go build cannot build $here/program: run go mod download first"
}

# settings LAYER NAME: two small files, as images add that differ from another one in their start command only.
settings() {
	mkdir -p "$work/layers/$1/etc/kolla" "$work/layers/$1/usr/local/bin"
	printf '{"command":"%s"}\n' "$2" >"$work/layers/$1/etc/kolla/config.json"
	printf '#!/bin/sh\nexec %s\n' "$2" >"$work/layers/$1/usr/local/bin/start-$2"
	chmod 755 "$work/layers/$1/usr/local/bin/start-$2"
}

# remove_docs LAYER BELOW...: the layer has no /usr/share/doc, and whiteouts for what the layers below have there.
remove_docs() {
	local root=$work/layers/$1 below entry
	shift
	rm -rf "$root/usr/share/doc"
	mkdir -p "$root/usr/share/doc"
	for below; do
		for entry in "$work/layers/$below"/usr/share/doc/*; do
			[ -e "$entry" ] || [ -L "$entry" ] || continue
			: >"$root/usr/share/doc/.wh.${entry##*/}"
		done
	done
}

# pack LAYER: the blob of the layer and its diffID. What no later layer asks for is removed from the tree, for the space.
declare -A packing=()
pack() {
	local root=$work/layers/$1 tar=$work/tars/$1.tar
	[ ! -e "$tar.id" ] || return 0
	tar -C "$root" --sort=name --mtime=@1700000000 --owner=0 --group=0 --numeric-owner \
		--format=posix --pax-option=delete=atime,delete=ctime -cf "$tar" .
	sha256sum <"$tar" | cut -c1-64 >"$tar.id"
	case ${packing[$1]:-gzip} in
	gzip) gzip -n1 <"$tar" >"$tar.blob" && rm "$tar" ;;
	zstd) zstd -q -3 --single-thread <"$tar" >"$tar.blob" && rm "$tar" ;;
	none) mv "$tar" "$tar.blob" ;;
	esac
	find "$root" -mindepth 1 -depth ! -path "$root/var/lib/dpkg*" ! -path "$root/usr/share/doc*" \
		\( ! -type d -o -empty \) -delete
}

# blob LAYOUT FILE: puts the file into the layout and sets digest and size.
blob() {
	digest=$(sha256sum <"$2" | cut -c1-64)
	size=$(stat -c %s "$2")
	case $2 in
	*.blob) cp -lf "$2" "$1/blobs/sha256/$digest" 2>/dev/null || cp "$2" "$1/blobs/sha256/$digest" ;; # one copy for all images
	*) cp "$2" "$1/blobs/sha256/$digest" ;;
	esac
}

# image NAME LAYER...: writes the layout, and what dpkg says of the top-most dpkg status.
image() {
	local name=$1 layout=$work/images/$1 type=application/vnd.oci.image diff_ids="" layers="" l suffix status=""
	shift
	mkdir -p "$layout/blobs/sha256"
	for l; do
		pack "$l"
		blob "$layout" "$work/tars/$l.tar.blob"
		case ${packing[$l]:-gzip} in none) suffix="" ;; *) suffix=+${packing[$l]:-gzip} ;; esac
		diff_ids="$diff_ids,\"sha256:$(cat "$work/tars/$l.tar.id")\""
		layers="$layers,{\"mediaType\":\"$type.layer.v1.tar$suffix\",\"digest\":\"sha256:$digest\",\"size\":$size}"
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
python=$(cd "$work/layers/base/usr/lib" && ls -d python3.*)

small() {
	layer haproxy base haproxy keepalived
	layer keystone base python3-keystone keystone
	remove_docs nodocs base keystone
	layer client base python3-keystonemiddleware
	venv client
	packing[client]=zstd
	program tool
	packing[tool]=none

	image base base
	image haproxy base haproxy
	image keystone base keystone
	image keystone-nodocs base keystone nodocs
	image client base client
	image tool base tool
}

# service NAME PACKAGE...: an OpenStack service on the middle layer, without documents.
service() {
	local name=$1
	shift
	layer "$name" openstack-base "$@"
	venv "$name"
	remove_docs "$name" base openstack-base
	image "$name" base openstack-base "$name"
}

# infrastructure NAME PACKAGE...: another service on the base alone, with its documents.
infrastructure() {
	local name=$1
	shift
	layer "$name" base "$@"
	image "$name" base "$name"
}

large() {
	packing[haproxy]=none
	packing[redis]=zstd
	layer openstack-base base python3-keystonemiddleware python3-oslo.messaging python3-oslo.db python3-oslo.policy \
		python3-oslo.versionedobjects python3-pymysql python3-memcache curl sudo procps
	venv openstack-base
	image openstack-base base openstack-base

	service keystone python3-keystone keystone apache2 libapache2-mod-wsgi-py3
	settings keystone-fernet crond
	settings keystone-ssh sshd
	image keystone-fernet base openstack-base keystone keystone-fernet
	image keystone-ssh base openstack-base keystone keystone-ssh
	service nova-api nova-api
	service neutron-server neutron-server
	service glance-api glance-api
	service cinder-api cinder-api
	service placement-api placement-api

	infrastructure haproxy haproxy keepalived
	infrastructure mariadb-server mariadb-server
	infrastructure rabbitmq rabbitmq-server
	infrastructure redis redis-server redis-sentinel
	infrastructure prometheus prometheus prometheus-node-exporter
	infrastructure java openjdk-17-jre-headless libjackson2-databind-java liblog4j2-java libnetty-java libguava-java libspring-core-java
	layer horizon base nodejs node-express node-lodash node-uuid node-semver node-ws node-yargs node-glob node-debug
	node_modules horizon
	image horizon base horizon
	program tool
	image tool base tool
}

"$scale"

rm -rf "$dest/images" "$dest/expect"
mv "$work/images" "$work/expect" "$dest/"
printf '%s\n' "$stamp" >"$dest/stamp"
say "$(wc -l <"$dest/expect/keystone.tsv") packages in keystone, $(wc -l <"$dest/expect/haproxy.tsv") in haproxy; $(du -sh "$dest/images" | cut -f1) in $1$([ "$scale" = small ] || echo /large)/images"
