package source_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

// helmList has the shape of helm list -A -o json.
const helmList = `[
{"name":"cilium","namespace":"kube-system","revision":"3","updated":"2026-03-01 10:00:00.1 +0000 UTC","status":"deployed","chart":"cilium-1.17.4","app_version":"1.17.4"},
{"name":"ccm","namespace":"kube-system","revision":"1","updated":"2026-03-01 10:00:00.1 +0000 UTC","status":"failed","chart":"openstack-cloud-controller-manager-2.32.0","app_version":"v1.32.0"},
{"name":"certs","namespace":"cert-manager","revision":"1","updated":"","status":"deployed","chart":"cert-manager-v1.17.1","app_version":"v1.17.1"},
{"name":"certs-2","namespace":"shop","revision":"1","updated":"","status":"deployed","chart":"cert-manager-v1.17.1","app_version":"v1.17.1"},
{"name":"class","namespace":"kaas","revision":"1","updated":"","status":"deployed","chart":"openstack-scs-1-32-cluster-class-v1","app_version":""},
{"name":"old","namespace":"kaas","revision":"1","updated":"","status":"uninstalled","chart":"redis-20.0.0","app_version":"7.4.0"},
{"name":"secret-shop","namespace":"customer-7","revision":"1","updated":"","status":"deployed","chart":"wordpress-24.0.0","app_version":"6.7.1"},
{"name":"other-shop","namespace":"customer-8","revision":"1","updated":"","status":"deployed","chart":"wordpress-24.0.0","app_version":"6.7.1"}
]`

func TestHelmReleasesAreChartsThatRun(t *testing.T) {
	dir := write(t, map[string]string{"releases.json": helmList})
	var kept string
	s, err := decode(t, "helm: {releases: releases.json, exclude: [customer-*]}", dir, source.Options{At: assessedAt,
		Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
			kept += string(b.Data)
			return audit.DigestOf(b.Data), nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	inv, err := s.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"software:cert-manager@v1.17.1 1.17.1 | running  x1 ns=cert-manager in release certs",
		"software:cert-manager@v1.17.1 1.17.1 | running  x1 ns=shop in release certs-2",
		"software:cilium@1.17.4 1.17.4 | running  x1 ns=kube-system in release cilium",
		"software:openstack-cloud-controller-manager@2.32.0 1.32.0 | declared  x0 ns=kube-system in release ccm",
		"software:openstack-scs-1-32-cluster-class@v1  | running  x1 ns=kaas in release class",
	}
	if diff := cmp.Diff(want, seen(inv)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	omitted := []sbom.Omission{
		{Source: "helm releases.json", What: "helm releases", Why: "namespaces that match customer-*", Count: 2},
		{Source: "helm releases.json", What: "helm releases", Why: "releases that are uninstalled", Count: 1},
	}
	if diff := cmp.Diff(omitted, inv.Omitted); diff != "" {
		t.Errorf("omitted (-want +got):\n%s", diff)
	}
	if strings.Contains(kept, "customer") || strings.Contains(kept, "wordpress") || strings.Contains(kept, "updated") {
		t.Errorf("evidence %s holds what was left out", kept)
	}
	if a := inv.Artifacts[1]; a.Reference != "helm:cilium@1.17.4" || a.Name != "cilium" || a.Sightings[0].Origin.Line != 2 {
		t.Errorf("artifact = %+v", a)
	}
}

func TestAListOfHelmThatIsWrongSaysWhatToDo(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"the table", "NAME\tNAMESPACE\tREVISION\n", `reading Helm releases "x.json": this is the table that helm prints for people; write it again: helm list -A -o json > releases.json`},
		{"YAML", "- app_version: 1\n", "this is YAML"},
		{"nothing", "", "the file is empty"},
		{"an object", "{}", "this is no JSON list"},
		{"half a list", "[", "the file breaks off"},
	} {
		if _, err := read(t, "helm: {releases: x.json}", write(t, map[string]string{"x.json": tt.text})); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error = %v, want one with %q", tt.name, err, tt.want)
		}
	}
	inv, err := read(t, "helm: {releases: x.json}", write(t, map[string]string{"x.json": helmList[:500]}))
	if err != nil || !contains(reasons(inv), "the file breaks off") || len(inv.Artifacts) != 2 {
		t.Errorf("error %v, failures %q, artifacts %v, want the two that were complete", err, reasons(inv), seen(inv))
	}
	for _, entry := range []string{`{"name":"a","namespace":"b","chart":"noversion","status":"deployed"}`, `{"name":"a\n","namespace":"b","chart":"c-1.0.0"}`, `{"name":7}`} {
		inv, err := read(t, "helm: {releases: x.json}", write(t, map[string]string{"x.json": "[" + entry + `,{"name":"a","namespace":"b","chart":"c-1.0.0","status":"deployed"}]`}))
		if err != nil || len(inv.Failures) != 1 || len(inv.Artifacts) != 1 {
			t.Errorf("%s: error %v, failures %q, want one failure beside the good release", entry, err, reasons(inv))
		}
	}
	if _, err := decode(t, "helm: {releases: x, exclude: '['}", ".", source.Options{}); err == nil || !strings.Contains(err.Error(), `exclude "[" is no pattern`) {
		t.Errorf("error = %v", err)
	}
	empty, err := read(t, "helm: {releases: x.json}", write(t, map[string]string{"x.json": "[]"}))
	if err != nil || len(empty.Artifacts)+len(empty.Failures) != 0 {
		t.Errorf("an empty list: %v, %v, want an empty inventory", empty, err)
	}
}

func FuzzHelmReleasesKeepTheLawsOfAnInventory(f *testing.F) {
	f.Add([]byte(helmList))
	f.Fuzz(func(t *testing.T, data []byte) {
		const entry = "helm: {releases: x.json, exclude: [customer-*]}"
		inv, _ := fuzzRead(t, entry, data)
		if slices.ContainsFunc(inv.Artifacts, func(a sbom.Artifact) bool {
			return slices.ContainsFunc(a.Sightings, func(s sbom.Sighting) bool { return strings.HasPrefix(s.Namespace, "customer-") })
		}) {
			t.Error("a namespace that was left out is in the inventory")
		}
		fuzzOrder(t, entry, data)
	})
}
