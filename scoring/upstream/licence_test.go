package upstream

import (
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit/licence"
)

func TestTheLicenceIsThatOfTheDeployedVersionAndEdition(t *testing.T) {
	c := load(t)
	const ce = "Community Edition binary"
	for _, tt := range []struct {
		name, id, version, edition string
		want                       string // expression; empty: not known
		osi                        bool
		reason                     string // part of the reason if not known
	}{
		{"Redis before the change is BSD", "redis", "7.0.15", "", "BSD-3-Clause", true, ""},
		{"Redis with a build date is the same version", "redis", "7.0.15.20250408", "", "BSD-3-Clause", true, ""},
		{"the Debian package of it too", "redis", "5:7.0.15-1~deb12u3", "", "BSD-3-Clause", true, ""},
		{"the last 7.2 is BSD", "redis", "7.2.11", "", "BSD-3-Clause", true, ""},
		{"the first 7.4 is not open source", "redis", "7.4.0", "", "LicenseRef-RSALv2 OR SSPL-1.0", false, ""},
		{"the series 7.4 is not either", "redis", "7.4", "", "LicenseRef-RSALv2 OR SSPL-1.0", false, ""},
		{"nor is the image of OSISM 9", "redis", "7.4.2-alpine", "", "LicenseRef-RSALv2 OR SSPL-1.0", false, ""},
		{"8.0 offers the AGPL again", "redis", "8.0.0", "", "LicenseRef-RSALv2 OR SSPL-1.0 OR AGPL-3.0-only", true, ""},
		{"a release candidate at the change is not known", "redis", "8.0-rc1", "", "", false, `"8.0-rc1" does not say`},
		{"a series around the change is not known", "redis", "7-alpine", "", "", false, "full version settles it"},
		{"without a version nothing is known", "redis", "", "", "", false, "the version is not known"},
		{"a tag that is no version tells nothing", "redis", "latest", "", "", false, `"latest" names none`},
		{"a tag that is a date tells nothing", "redis", "20240101", "", "", false, `"20240101" names none`},
		{"a version beyond those that were read is not known", "redis", "24.2.0", "", "", false, "24.2.0"},
		{"an edition nobody knows has no licence", "redis", "7.0.15", "Enterprise", "", false, `edition "Enterprise"`},
		{"Vault up to 1.14.8 is open", "vault", "1.14.8", "", "MPL-2.0", true, ""},
		{"Vault from 1.14.9 is not", "vault", "1.14.9", "", "BUSL-1.1", false, ""},
		{"Vault of OSISM 9", "vault", "1.19.1", "", "BUSL-1.1", false, ""},
		{"a vendor edition is never taken for the open one", "vault", "1.13.0+ent", "", "", false, "vendor edition"},
		{"Nexus in the vendor's build is not open", "nexus", "3.79.0", ce, "LicenseRef-Sonatype-CE", false, ""},
		{"the edition counts without the version", "nexus", "", ce, "LicenseRef-Sonatype-CE", false, ""},
		{"the edition is read without case", "nexus", "3.79.0", strings.ToUpper(ce), "LicenseRef-Sonatype-CE", false, ""},
		{"Nexus in an unknown edition is not known", "nexus", "3.79.0", "", "", false, "depends on the edition"},
		{"an entry without rows has one licence", "keystone", "", "", "Apache-2.0", true, ""},
		{"a distribution has no licence of its own", "ubuntu", "24.04", "", "LicenseRef-Distribution", false, ""},
		{"a plain entry knows no editions", "grafana", "11.6.0", "Enterprise", "", false, `edition "Enterprise"`},
	} {
		k, known := c.Get(tt.id)
		if !known {
			t.Fatalf("the catalogue has no %q", tt.id)
		}
		got, ok := k.LicenceAt(tt.version, tt.edition)
		if ok != (tt.want != "") || got.Expression != tt.want || got.OSI != tt.osi || !strings.Contains(got.Reason, tt.reason) || ok == (got.Reason != "") {
			t.Errorf("%s: %s %q %q:\n got %+v, %t\nwant %q, OSI %t, reason with %q", tt.name, tt.id, tt.version, tt.edition, got, ok, tt.want, tt.osi, tt.reason)
		}
		if got.OSI != (got.Class == licence.OSI) {
			t.Errorf("%s: OSI is %t, class %s", tt.name, got.OSI, got.Class)
		}
	}
}

func TestALicenceThatDependsOnTheVersionNamesRowAndSource(t *testing.T) {
	got, ok := component(t, "redis").LicenceAt("7.4.2", "")
	if !ok || got.Row != ">=7.4,<8.0" || got.Source == "" || got.Class != licence.Restricted {
		t.Errorf("got %+v, %t; want row >=7.4,<8.0 with a source, restricted", got, ok)
	}
}

func TestALicenceThatNoListKnowsIsRestrictedWhereTheCatalogueSaysSo(t *testing.T) {
	got, ok := component(t, "nexus").LicenceAt("3.79.0", "Community Edition binary")
	if !ok || got.Class != licence.Restricted || !got.Checked {
		t.Errorf("got %+v, %t; want a checked licence of class restricted", got, ok)
	}
}
