package runbook

import (
	"bytes"
	"path"
	"regexp"
	"strings"
)

var (
	inventoryPart = regexp.MustCompile(`(?i)(^|/)(inventory|inventories|host_vars|hosts)/[^/]`)
	inventoryName = regexp.MustCompile(`(?i)(^|/)(hosts|inventory|multinode|all-in-one)(\.(ini|ya?ml))?$`)
	// hostGroup matches a group of an inventory in INI form, or hosts in one in YAML.
	hostGroup = regexp.MustCompile(`(?m)^\[[a-zA-Z0-9_.:-]+\][ \t\r]*$|^[ \t]*hosts:[ \t\r]*$|^[ \t]*ansible_host[:=]`)
	// version matches a version that is set: the keys of OSISM and kolla-ansible (manager_version, openstack_release,
	// nova_tag), images with a tag or digest, and revisions of charts in Argo CD.
	version = regexp.MustCompile(`(?m)^[ \t-]*(?:[a-z0-9_]+_(?:version|release|tag)|openstack_release|targetRevision)["']?:[ \t]*["']?v?[0-9][\w.+-]*|^[ \t-]*(?:openstack_(?:version|release)|ceph_(?:version|release)):[ \t]*["']?[a-z]{3,}|^[ \t-]*image:[ \t]*["']?[a-z0-9./_-]+[:@](?:v?[0-9]|sha256:)`)
	// rule matches an alert or a recording rule of Prometheus, in a file of its own or in a PrometheusRule of Kubernetes.
	rule = regexp.MustCompile(`(?m)^[ \t]*-?[ \t]*(?:alert|record):[ \t]*\S`)
	// expression stands in every rule.
	expression = regexp.MustCompile(`(?m)^[ \t]*-?[ \t]*expr:[ \t]*\S`)
)

// configuration notes what a file shows of what runs where, at which versions, and how it is watched.
func (r *reading) configuration(name string, data []byte) {
	lower := strings.ToLower(name)
	if isExample(lower) {
		return
	}
	ext := path.Ext(lower)
	yaml := ext == ".yml" || ext == ".yaml"
	if !isDocument(lower) && (inventoryPart.MatchString(name) || inventoryName.MatchString(name)) {
		shown := strings.Contains(lower, "host_vars/") && len(bytes.TrimSpace(data)) > 0 && !encrypted(data)
		r.place.Inventory = r.place.Inventory || shown || hostGroup.Match(data) || ext == ".nix"
	}
	if yaml && !r.place.Versions {
		r.place.Versions = version.Match(data)
	}
	if path.Base(lower) == "flake.lock" {
		r.place.Versions = true
	}
	switch {
	case (yaml || ext == ".rules") && expression.Match(data):
		r.place.Rules += len(rule.FindAllIndex(data, -1))
	case ext == ".json" && isDashboard(data):
		r.place.Rules++
	}
}

// isDashboard reports a dashboard of Grafana as it is exported (grafana: docs/sources/dashboards/build-dashboards/view-dashboard-json-model).
func isDashboard(data []byte) bool {
	return bytes.Contains(data, []byte(`"panels"`)) && bytes.Contains(data, []byte(`"schemaVersion"`)) && bytes.Contains(data, []byte(`"title"`))
}
