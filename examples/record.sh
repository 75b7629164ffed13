#!/usr/bin/env bash
# Records the evidence of the reference example again: clones the upstream repositories below (or uses the clones that are
# already in DIR) and lets `pegel collect` read them as of the day in the example's stack file.
#
#   examples/record.sh DIR
#
# DIR keeps the clones, about 3 GB. Facts go into examples/scs-reference/evidence; text of others does not: it is named
# by digest, commit and path. Run it again any day: histories are cut at the day of the example, so what was read before
# reads the same, unless a project rewrites its history or moves its tags.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -eq 1 ] || { echo "usage: examples/record.sh DIR" >&2; exit 2; }
dir=$1

clone() { # NAME URL
	[ -e "$dir/$1" ] || [ -e "$dir/${1/\//+}" ] || { mkdir -p "$dir/${1%/*}" && git clone --quiet --bare -- "$2" "$dir/$1"; }
}
for p in keystone nova neutron cinder glance octavia placement horizon; do
	clone "openstack/$p" "https://opendev.org/openstack/$p"
done
clone ovn-org/ovn https://github.com/ovn-org/ovn
clone openvswitch/ovs https://github.com/openvswitch/ovs
clone prometheus/prometheus https://github.com/prometheus/prometheus
clone prometheus/alertmanager https://github.com/prometheus/alertmanager
clone etcd-io/etcd https://github.com/etcd-io/etcd
clone haproxy/haproxy https://github.com/haproxy/haproxy
clone memcached/memcached https://github.com/memcached/memcached
clone rabbitmq/rabbitmq-server https://github.com/rabbitmq/rabbitmq-server
clone netbox-community/netbox https://github.com/netbox-community/netbox

make --no-print-directory build
stack=$(mktemp examples/scs-reference/.record-XXXXXX.yaml)
trap 'rm -f "$stack"' EXIT
grep -v '^evidence:' examples/scs-reference/stack.yaml >"$stack" # nothing recorded before may help
rm -rf examples/scs-reference/evidence
./pegel collect "$stack" --offline --mirror "$dir" --bundle examples/scs-reference/evidence
