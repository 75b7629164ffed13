package lifecycle

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

func TestTheTableNamesProjectsOfTheCatalogueOnly(t *testing.T) {
	data, err := os.ReadFile("../upstream/catalogue.yaml")
	if err != nil {
		t.Fatal(err)
	}
	root, err := scoring.ReadYAML(data)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for c := range root.Get("components").Items() {
		known[c.Get("id").Text()] = true
	}
	table, err := parseTable(builtinTable)
	if err != nil {
		t.Fatal(err)
	}
	for id := range table.rows {
		if !known[id] {
			t.Errorf("the catalogue has no %q", id)
		}
	}
	for _, id := range []string{"ceph", "ovn", "openvswitch", "libvirt", "qemu", "rook", "kubernetes", "helm"} {
		if _, ok := table.rows[id]; !ok {
			t.Errorf("the table has no row for %s", id)
		}
	}
}

// FuzzACalendarNeverBreaksARun puts any bytes in the place of each calendar. Whatever they are, every project gets an answer,
// and no cycle ends before it ends.
func FuzzACalendarNeverBreaksARun(f *testing.F) {
	for _, text := range newShop().files {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newShop()
		for path := range s.files {
			s.files[path] = string(data)
		}
		for _, p := range []scoring.Project{openStackProject(), {ID: "ceph"}, {ID: "kubernetes"}, {ID: "keycloak"}} {
			fact := collect(t, Options{Read: s.read}, p)
			if fact.Value == nil && fact.Failure == "" || strings.Contains(fact.Failure, "\n") {
				t.Errorf("%s: %+v, want facts or a reason in one line", p.ID, fact)
			}
			c, _ := fact.Get()
			for _, x := range c.Cycles {
				if !x.EndLow.IsZero() && !x.EndHigh.IsZero() && x.EndHigh.Before(x.EndLow) {
					t.Errorf("%s: cycle %s ends between %s and %s", p.ID, x.Name, x.EndLow, x.EndHigh)
				}
			}
		}
	})
}

// FuzzTagsNeverBreakAPolicy asks every policy about any tags: a cycle never ends before it began, nor after its latest end.
func FuzzTagsNeverBreakAPolicy(f *testing.F) {
	f.Add("v1.0.0 v1.1.0 v1.2.0-rc1 v2.0", uint16(90))
	f.Add("v3.3.0 v3.4.0 v3.5.0 v2.17.1 v24.03.0 v26.03.0", uint16(1))
	table, err := parseTable(builtinTable)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, names string, step uint16) {
		c := &Collector{options: Options{At: assessed}}
		var tags []scoring.Tag
		for i, name := range strings.Fields(names) {
			tags = append(tags, scoring.Tag{Name: name, At: date("2020-01-01").Add(time.Duration(i*int(step)) * time.Hour)})
		}
		lines := c.lines(tags)
		for id, p := range table.policies {
			for i := range lines {
				x := c.judge(p, lines, i)
				if !x.EndLow.IsZero() && !x.EndHigh.IsZero() && x.EndHigh.Before(x.EndLow) {
					t.Errorf("%s: %+v ends before it ends", id, x)
				}
			}
		}
	})
}

func BenchmarkASeriesOfOpenStackInTwelveYears(b *testing.B) {
	s := newShop()
	var series strings.Builder
	for i := range 24 {
		name := fmt.Sprintf("s%02d", i)
		fmt.Fprintf(&series, "- {name: %s, release-id: %d.%d, status: end of life, initial-release: %d-04-01, eol-date: %d-10-01}\n", name, 2002+i, 1+i%2, 2002+i, 2003+i)
		var list strings.Builder
		list.WriteString("releases:\n")
		for j := range 15 {
			fmt.Fprintf(&list, "- version: %d.%d.0\n  projects:\n  - repo: openstack/compute\n    hash: %040d\n", i+1, j, j)
		}
		s.files["deliverables/"+name+"/compute.yaml"] = list.String()
	}
	s.files[seriesFile] = series.String()
	b.ReportAllocs()
	c, err := New(Options{Read: s.read, At: assessed})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if e, err := c.Collect(b.Context(), openStackProject(), scoring.Evidence{}); err != nil || e.Cycles.Value == nil {
			b.Fatal(err, e.Cycles.Failure)
		}
	}
}
