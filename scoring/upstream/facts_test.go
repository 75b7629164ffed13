package upstream

import (
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

func TestAProjectBringsAlternativesStandardsAndEditionsOfTheCatalogue(t *testing.T) {
	c := load(t)
	p := find(t, c.Resolve([]Part{{Subject: "a", Assign: "redis"}}), "redis")
	alternatives, ok := p.Alternatives.Get()
	if !ok || len(alternatives) < 2 || alternatives[0].Name != "Valkey" || alternatives[0].Licence == "" || alternatives[0].Repo == "" || alternatives[0].Standards[0] != "resp" {
		t.Errorf("alternatives of redis: %+v, %t", alternatives, ok)
	}
	if p.Alternatives.Grade != audit.GradeThirdParty || len(p.Alternatives.Origins) != 1 || p.Alternatives.Origins[0].Digest != c.Digest() {
		t.Errorf("grade %q, origins %+v: want those of the catalogue", p.Alternatives.Grade, p.Alternatives.Origins)
	}
	standards, ok := p.Standards.Get()
	if !ok || len(standards) != 1 || standards[0].ID != "resp" || standards[0].Name == "" || standards[0].Source == "" {
		t.Errorf("standards of redis: %+v, %t", standards, ok)
	}
	if _, ok := p.Editions.Get(); ok {
		t.Error("the licence rows of redis tell versions apart, not editions")
	}
	silent := find(t, c.Resolve([]Part{{Subject: "a", Assign: "netbox"}}), "netbox")
	if _, ok := silent.Alternatives.Get(); ok {
		t.Error("nobody looked for alternatives of netbox: an empty list would say that there is none")
	}
}

func TestAnEditionSaysForWhichDeployedVersionsItHolds(t *testing.T) {
	k := Component{LicenceByVersion: []LicenceRow{
		{Versions: ">=2.0", Edition: "Enterprise", Licence: "LicenseRef-Example-EULA", Source: "example"},
		{Versions: "*", Edition: "core", Licence: "MIT", OSI: true, Source: "example"},
		{Versions: "<2.0", Licence: "MIT", OSI: true, Source: "example"},
	}}
	for i := range k.LicenceByVersion {
		if err := k.LicenceByVersion[i].prepare(); err != nil {
			t.Fatal(err)
		}
	}
	got := k.editions([]string{"1.9", "2.1"})
	if len(got) != 2 {
		t.Fatalf("editions %+v: want the two that have a name", got)
	}
	for _, tt := range []struct {
		edition int
		version string
		want    bool
	}{{0, "1.9", false}, {0, "2.1", true}, {0, "", false}, {1, "1.9", true}, {1, "", true}} {
		if holds := got[tt.edition].Holds(tt.version); holds != tt.want {
			t.Errorf("%s at %q: %t, want %t", got[tt.edition].Name, tt.version, holds, tt.want)
		}
	}
	nexus := find(t, load(t).Resolve([]Part{{Subject: "a", Assign: "nexus"}}), "nexus")
	editions, ok := nexus.Editions.Get()
	if !ok || len(editions) != 2 || editions[0].Open == editions[1].Open || editions[1].Source == "" {
		t.Errorf("editions of nexus: %+v, %t: want an open and a closed one with sources", editions, ok)
	}
}

func TestTheLicenceRowsOfADeployedVersionAreExpected(t *testing.T) {
	c := load(t)
	vault := find(t, c.Resolve([]Part{{Subject: "a", Assign: "vault"}}), "vault")
	if rows, ok := vault.Expected.Get(); ok {
		t.Errorf("the licence of Vault depends on the version, and none is known: %+v", rows)
	}
	k := c.components[c.byID["vault"]]
	got := k.expected([]string{"1.14.8", "1.15.2", "1", "unknown"})
	want := map[string]string{"1.14.8": "MPL-2.0", "1.15.2": "BUSL-1.1"}
	if len(got) != len(want) {
		t.Errorf("got %+v, want rows for %v only", got, want)
	}
	for version, expression := range want {
		if rows := got[version]; len(rows) != 1 || rows[0].Licence != expression || rows[0].Open != (expression == "MPL-2.0") || rows[0].Source == "" {
			t.Errorf("%s: got %+v, want %s", version, rows, expression)
		}
	}
	if f := c.expectedLicences("vault", []string{"1.15.2"}); f.Grade != audit.GradeThirdParty || len(f.Origins) != 1 || f.Origins[0].Digest != c.Digest() {
		t.Errorf("grade %q, origins %+v: want those of the catalogue", f.Grade, f.Origins)
	}
	both := Component{LicenceByVersion: []LicenceRow{
		{Versions: "*", Edition: "a", Licence: "BUSL-1.1", Source: "example"}, {Versions: "*", Edition: "b", Licence: "MIT", OSI: true, Source: "example"},
	}}
	for i := range both.LicenceByVersion {
		if err := both.LicenceByVersion[i].prepare(); err != nil {
			t.Fatal(err)
		}
	}
	if rows := both.expected([]string{"3"}); len(rows[""]) != 2 || len(rows["3"]) != 2 {
		t.Errorf("got %+v, want both editions at every version", rows)
	}
}
