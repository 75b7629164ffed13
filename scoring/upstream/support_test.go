package upstream

import (
	"strings"
	"testing"
	"time"
)

func TestTheEndOfMaintenanceIsThatOfTheSeriesOfAVersion(t *testing.T) {
	c := load(t)
	for _, tt := range []struct{ id, version, cycle, ends string }{
		{"kubernetes", "v1.32.5", "Kubernetes 1.32", "2026-02-28"},
		{"kubernetes", "1.30.13", "Kubernetes 1.30", "2025-07-15"},
		{"keystone", "26.0.1.20250408", "OpenStack 2024.2 Dalmatian", "2026-04-29"},
		{"nova", "30.0.1", "OpenStack 2024.2 Dalmatian", "2026-04-29"},
		{"nova", "33.0.0", "OpenStack 2026.1 Gazpacho", "2027-10-27"},
		{"horizon", "25.1.0", "OpenStack 2024.2 Dalmatian", "2026-04-29"},
		{"horizon", "25.3.1", "OpenStack 2025.1 Epoxy", "2026-10-02"},
		{"swift", "2.34.0", "OpenStack 2024.2 Dalmatian", "2026-04-29"},
		{"ceph", "17.2.8", "Ceph 17", "2025-01-13"},
		{"postgresql", "16.8-alpine", "PostgreSQL 16", "2028-11-09"},
		{"docker-engine", "5:27.5.1-1~ubuntu.24.04~noble", "Docker Engine 27", "2025-05-03"},
		{"ingress-nginx", "v1.12.1", "Ingress NGINX", "2026-03-31"},
		{"ingress-nginx", "", "Ingress NGINX", "2026-03-31"},
		{"ubuntu", "24.04", "Ubuntu 24.04", "2029-05-31"},
		{"debian", "12", "Debian 12", "2028-06-30"},
		{"alpine", "3.21.3", "Alpine Linux 3.21", "2026-11-01"},
		{"rocky", "9.5", "Rocky Linux 9", "2032-05-31"},
	} {
		s, ok := c.Support(tt.id, tt.version)
		if !ok || s.Cycle != tt.cycle || s.Ends != tt.ends || !strings.HasPrefix(s.Source, "https://") {
			t.Errorf("%s %s: %+v, %v, want %s until %s with a source", tt.id, tt.version, s, ok, tt.cycle, tt.ends)
		}
	}
}

func TestOfAVersionThatIsNotListedNothingIsKnown(t *testing.T) {
	c := load(t)
	for _, tt := range [][2]string{
		{"kubernetes", ""}, {"kubernetes", "latest"}, {"kubernetes", "1"}, {"kubernetes", "1.99.0"}, {"kubernetes", "1.3.2"},
		{"kubernetes", "77c3114"}, {"keystone", "2024.2"}, {"horizon", "25"}, {"vault", "1.19.0+ent"}, {"nothing", "1.0.0"}, {"", ""},
		{"ubuntu", "24"}, {"keycloak", "99.0.0"},
	} {
		if s, ok := c.Support(tt[0], tt[1]); ok {
			t.Errorf("%s %q: %+v, want nothing", tt[0], tt[1], s)
		}
	}
	var zero Catalogue
	if _, ok := zero.Support("kubernetes", "1.32.5"); ok {
		t.Error("the zero catalogue knows an end of maintenance")
	}
}

func TestATableOfMaintenanceIsRightInFullOrRefused(t *testing.T) {
	c := load(t)
	const head = "schema: pegel/support/v1\nsystems: [rocky]\n"
	product := func(id, rows string) string {
		return "products:\n- id: " + id + "\n  name: N\n  source: https://example.org/a\n  rows: [" + rows + "]\n"
	}
	const one = `{version: "1.30", ends: "2025-07-15"}`
	series := func(services string) string {
		return "products: []\nseries:\n- {name: S, ends: \"2026-01-01\", source: \"https://example.org/a\", services: [" + services + "]}\n"
	}
	good := head + product("kubernetes", one) + "series: []\n"
	if _, err := c.withSupport([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", "the file is empty"},
		{"another schema", "schema: pegel/support/v9\nsystems: []\nproducts: []\nseries: []\n", `schema "pegel/support/v9" is not "pegel/support/v1"`},
		{"an unknown key", head + "product: []\n", `line 3: unknown key "product"; did you mean "products"?`},
		{"an id nobody knows", head + product("kubernetez", one), `line 4: product "kubernetez": version 1.30: id "kubernetez" is neither in the catalogue nor under systems`},
		{"a system of the catalogue", "schema: pegel/support/v1\nsystems: [kubernetes]\n", `system "kubernetes" is a component of the catalogue`},
		{"a system twice", "schema: pegel/support/v1\nsystems: [rocky, rocky]\n", `system "rocky" stands twice`},
		{"systems out of order", "schema: pegel/support/v1\nsystems: [rocky, alpine]\n", "systems are not sorted"},
		{"no day", head + product("kubernetes", `{version: "1.30", ends: "2025-02-30"}`), `end "2025-02-30" is no day such as 2026-02-28`},
		{"a month", head + product("kubernetes", `{version: "1.30", ends: "2025-02"}`), `is no day`},
		{"a range", head + product("kubernetes", `{version: ">=1.30", ends: "2025-02-03"}`), `version ">=1.30" is not numbers joined by dots`},
		{"a row twice", head + product("kubernetes", one+", "+one), "version 1.30 does not follow 1.30 in order"},
		{"rows out of order", head + product("kubernetes", one+`, {version: "1.9", ends: "2019-01-01"}`), "version 1.9 does not follow 1.30 in order"},
		{"every version beside one", head + product("kubernetes", `{version: "*", ends: "2019-01-01"}, `+one), "* stands beside other versions"},
		{"no rows", head + product("kubernetes", ""), "has no rows"},
		{"products out of order", head + product("kubernetes", one) + strings.TrimPrefix(product("etcd", one), "products:\n"), `product "etcd" does not follow "kubernetes" in order`},
		{"an address that is none", head + product("kubernetes", `{version: "1.30", ends: "2025-07-15", source: "http://a"}`), "is not an https address"},
		{"a service twice", head + series(`"nova 30", "nova 30"`), `service "nova 30": stands twice`},
		{"a service without a version", head + series(`"nova"`), `service "nova": version "" is not numbers`},
		{"a service of every version", head + series(`"nova *"`), "* is no version of a series"},
		{"no services", head + series(""), "has no services"},
		{"an alias", head + "products: &a []\nseries: *a\n", "anchors and aliases are not allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := c.withSupport([]byte(tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v\nwant one with %s", err, tt.want)
			}
		})
	}
}

func TestEveryRowOfTheTableIsAFactWithinReason(t *testing.T) {
	rows := 0
	for id, list := range load(t).support {
		for _, r := range list {
			rows++
			s := r.support
			day, err := time.Parse(time.DateOnly, s.Ends)
			if err != nil || day.Year() < 2019 || day.Year() > 2040 || s.Cycle == "" {
				t.Errorf("%s: %+v, want a day between 2019 and 2040", id, s)
			}
		}
	}
	if rows < 150 {
		t.Errorf("%d rows, want at least 150", rows)
	}
}

func FuzzSupportAnswersOnlyForVersionsThatBeginLikeItsSeries(f *testing.F) {
	for _, s := range []string{"v1.32.5", "26.0.1.20250408", "latest", "5:27.5.1-1", "1.32.5+k3s1", "24.04"} {
		f.Add(s)
	}
	c, err := Load()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, version string) {
		s, ok := c.Support("kubernetes", version)
		if series := strings.TrimPrefix(s.Cycle, "Kubernetes "); ok && !strings.Contains(version, series[strings.IndexByte(series, '.')+1:]) {
			t.Errorf("version %q belongs to %s", version, s.Cycle)
		}
	})
}
