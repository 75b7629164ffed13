package upstream

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/github/go-spdx/v2/spdxexp"
	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"go.yaml.in/yaml/v3"
)

func load(t testing.TB) *Catalogue {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func component(t testing.TB, id string) Component {
	t.Helper()
	k, ok := load(t).Get(id)
	if !ok {
		t.Fatalf("the catalogue has no %q", id)
	}
	return k
}

// These rules are checked by Read too. The test states them again, so that a Read that checks less is noticed.
func TestTheShippedCatalogueKeepsItsRules(t *testing.T) {
	c := load(t)
	if got := len(c.Components()); got < 202 {
		t.Errorf("got %d components, want at least 202", got)
	}
	if want := audit.DigestOf(embedded); c.Digest() != want {
		t.Errorf("digest: got %s, want %s", c.Digest(), want)
	}
	seen := make(map[string]bool)
	for _, k := range c.Components() {
		if seen[k.ID] || k.ID == "" {
			t.Errorf("%q: want a unique id", k.ID)
		}
		seen[k.ID] = true
		if k.Role != "platform" && k.Role != "building-block" {
			t.Errorf("%s: role is %q", k.ID, k.Role)
		}
		if len(k.Tiers) == 0 || k.Area == "" || k.Name == "" {
			t.Errorf("%s: tiers, area or name is missing", k.ID)
		}
		for _, address := range []string{k.Repo, k.Mirror, k.Governance.Registry} {
			if u, err := url.Parse(address); err != nil || address != "" && (u.Scheme != "https" || u.Host == "") {
				t.Errorf("%s: %q is no https address", k.ID, address)
			}
		}
		checkLicences(t, k)
	}
}

func checkLicences(t *testing.T, k Component) {
	t.Helper()
	expressions := []string{k.Licence}
	anyNotOSI := false
	for _, r := range k.LicenceByVersion {
		expressions = append(expressions, r.Licence)
		anyNotOSI = anyNotOSI || !r.OSI
		if _, err := parseConstraint(r.Versions); err != nil {
			t.Errorf("%s: %v", k.ID, err)
		}
		if got := r.class() == licence.OSI; got != r.OSI {
			t.Errorf("%s: %s is of class %s, the row says osi: %t", k.ID, r.Licence, r.class(), r.OSI)
		}
	}
	for _, e := range expressions {
		if valid, _ := spdxexp.ValidateLicenses([]string{e}); !valid && e != "NOASSERTION" {
			t.Errorf("%s: %q is neither an SPDX expression nor NOASSERTION", k.ID, e)
		}
	}
	if flagged := k.LicenceFlag == "not_clearly_osi"; flagged != anyNotOSI {
		t.Errorf("%s: licence_flag is %q, but rows that are not OSI: %t", k.ID, k.LicenceFlag, anyNotOSI)
	}
}

func TestEveryComponentHasAllKeysInTheOrderOfTheSchema(t *testing.T) {
	want := []string{"id", "name", "role", "tiers", "area", "repo", "mirror", "licence", "licence_checked", "licence_by_version", "licence_flag",
		"governance", "images", "inside", "editions", "helm_charts", "packages", "purls", "software", "alternatives", "standards", "places", "profile", "profile_reason", "notes", "verify"}
	optional := []string{"places", "profile", "profile_reason"}
	var doc yaml.Node
	if err := yaml.Unmarshal(embedded, &doc); err != nil {
		t.Fatal(err)
	}
	for _, n := range value(doc.Content[0], "components").Content {
		var got []string
		for i := 0; i < len(n.Content); i += 2 {
			got = append(got, n.Content[i].Value)
		}
		wanted := slices.DeleteFunc(slices.Clone(want), func(key string) bool { return slices.Contains(optional, key) && !slices.Contains(got, key) })
		if !slices.Equal(got, wanted) {
			t.Errorf("line %d: got keys %v, want %v", n.Line, got, wanted)
		}
	}
}

func TestEveryImageNameOfTheCatalogueLeadsToItsComponent(t *testing.T) {
	c := load(t)
	for _, k := range c.Components() {
		for _, name := range slices.Concat(k.Images, k.Inside) {
			ref := name
			if !strings.Contains(name, "/") {
				ref = "registry.example.org/kolla/release/" + name
			}
			found := c.MatchImage(ref + ":1.2.3")
			i := slices.IndexFunc(found, func(m Match) bool { return m.ID == k.ID })
			if i < 0 || found[i].Confidence != High {
				t.Errorf("%s: %s leads to %v, want high confidence in %s", ref, "MatchImage", found, k.ID)
			}
		}
	}
}

func TestRolesFollowTheCriterionInTheHeadOfTheFile(t *testing.T) {
	for id, want := range map[string]string{
		"keystone": RolePlatform, "nova": RolePlatform, "kubernetes": RolePlatform, "ceph": RolePlatform, "ovn": RolePlatform,
		"keycloak": RolePlatform, "harbor": RolePlatform, "cilium": RolePlatform, "grafana": RolePlatform, "prometheus": RolePlatform,
		"memcached": RoleBuildingBlock, "keepalived": RoleBuildingBlock, "dnsmasq": RoleBuildingBlock, "chrony": RoleBuildingBlock,
		"node-exporter": RoleBuildingBlock, "openstackclient": RoleBuildingBlock, "ovn-octavia-provider": RoleBuildingBlock, "dpdk": RoleBuildingBlock,
	} {
		if got := component(t, id).Role; got != want {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
	}
}

func TestOriginsNameTheDigestOfTheCatalogueAndTheEntry(t *testing.T) {
	c := load(t)
	want := audit.Origin{Source: "catalogue", Path: "catalogue.yaml#redis", Digest: c.Digest()}
	if got := c.Origin("redis"); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAServiceIsTheComponentWhoseGovernanceIsShared(t *testing.T) {
	for _, k := range load(t).Components() {
		want := k.ID
		if k.Governance.PartOf != "" {
			want = k.Governance.PartOf
		}
		if got := k.Service(); got != want {
			t.Errorf("%s: got %q, want %q", k.ID, got, want)
		}
	}
}
