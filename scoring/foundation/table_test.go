package foundation

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/scoring"
)

func TestTheTableNamesEveryFoundationOfTheCatalogue(t *testing.T) {
	data, err := os.ReadFile("../upstream/catalogue.yaml")
	if err != nil {
		t.Fatal(err)
	}
	root, err := scoring.ReadYAML(data)
	if err != nil {
		t.Fatal(err)
	}
	homes, err := parseHomes(builtinHomes)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for c := range root.Get("components").Items() {
		name := c.Get("governance").Get("foundation").Text()
		if name == "" || name == "none" {
			continue
		}
		seen++
		if _, ok := homeOf(homes, name); !ok {
			t.Errorf("%s: the foundation %q is not in the table", c.Get("id").Text(), name)
		}
	}
	if seen < 100 {
		t.Errorf("%d components with a foundation, want at least 100", seen)
	}
}

func FuzzAListOfTeamsIsReadOrRefused(f *testing.F) {
	f.Add("A\n-----\n\n* X\n\n  * since\n\nB\n-----\n* Y\n")
	f.Add("A\n----\nNo one\n")
	f.Add("A\n")
	f.Fuzz(func(t *testing.T, page string) {
		found, err := bullets(page, "A")
		if err == nil && !strings.Contains(page, "A\n") && !strings.Contains(page, "A") {
			t.Error("a list without heading was read")
		}
		for name := range found {
			if strings.ContainsAny(name, "\n") || !strings.Contains(strings.ToLower(page), name) {
				t.Errorf("name %q does not stand in the page", name)
			}
		}
	})
}

// FuzzARegistryNeverBreaksARun puts any bytes in the place of each registry. Whatever they are, every project gets an answer.
func FuzzARegistryNeverBreaksARun(f *testing.F) {
	for _, text := range fixtures() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newShop()
		for file := range s.files {
			s.files[file] = string(data)
		}
		c, err := New(Options{Read: s.read, At: assessed})
		if err != nil {
			t.Fatal(err)
		}
		for _, repo := range []string{"https://opendev.org/openstack/alpha", "https://github.com/apache/keeper", "https://github.com/harbinger/harbinger"} {
			e, err := c.Collect(t.Context(), project(repo, ""), scoring.Evidence{})
			if err != nil {
				t.Fatal(err)
			}
			if g := e.Governance; g.Value == nil && g.Failure == "" || strings.Contains(g.Failure, "\n") {
				t.Errorf("%s: %+v, want facts or a reason in one line", repo, g)
			}
		}
	})
}

// bigLandscape has as many entries as that of the CNCF, about one in ten a project.
func bigLandscape() string {
	var b strings.Builder
	b.WriteString("landscape:\n- category:\n  name: c\n  subcategories:\n  - subcategory:\n    name: s\n    items:\n")
	for i := range 2400 {
		fmt.Fprintf(&b, "    - item:\n      name: P%d\n      repo_url: https://github.com/p%d/p\n      homepage_url: https://example.org/%d\n      logo: p.svg\n      crunchbase: https://example.org/organization/%d\n      description: A thing that does what it says in a line of some length\n", i, i, i, i)
		if i%10 == 0 {
			b.WriteString("      project: incubating\n      extra:\n        accepted: '2020-01-01'\n        incubating: '2021-01-01'\n        blog_url: https://example.org/blog\n")
		}
	}
	return b.String()
}

func BenchmarkReadingALandscapeOfThatOfTheCNCF(b *testing.B) {
	s := newShop()
	s.files[landscapeRepo+" "+landscapeFile] = bigLandscape()
	b.ReportAllocs()
	for b.Loop() {
		c, err := New(Options{Read: s.read, At: assessed})
		if err != nil {
			b.Fatal(err)
		}
		if e, err := c.Collect(b.Context(), project("https://github.com/p2390/p", "CNCF"), scoring.Evidence{}); err != nil || e.Governance.Value == nil {
			b.Fatal(err, e.Governance.Failure)
		}
	}
}

func BenchmarkAskingForOneMoreProject(b *testing.B) {
	s := newShop()
	s.files[landscapeRepo+" "+landscapeFile] = bigLandscape()
	c, err := New(Options{Read: s.read, At: assessed})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := c.Collect(b.Context(), project("https://github.com/p0/p", "CNCF"), scoring.Evidence{}); err != nil {
		b.Fatal(err) // reads the registries
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Collect(b.Context(), project("https://github.com/p2390/p", "CNCF"), scoring.Evidence{}); err != nil {
			b.Fatal(err)
		}
	}
}
