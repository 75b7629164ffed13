package upstream

import (
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit/licence"
)

func TestWhatCanTakeThePlaceOfAComponentIsOpenSourceAndSpeaksTheSame(t *testing.T) {
	c := load(t)
	for id, want := range map[string]string{"redis": "valkey", "vault": "openbao", "keycloak": "dex", "ceph": "swift", "kubernetes": "k3s"} {
		if !slices.ContainsFunc(c.Alternatives(id), func(a Alternative) bool { return a.ID == want }) {
			t.Errorf("%s: got %+v, want %s among them", id, c.Alternatives(id), want)
		}
	}
	platforms, replaceable := 0, 0
	for _, k := range c.Components() {
		speaks := func(id string) bool {
			return slices.ContainsFunc(k.Standards, func(r Reference) bool { return r.ID == id })
		}
		for _, a := range c.Alternatives(k.ID) {
			if a.Name == "" || address(a.Repo) != nil || address(a.Source) != nil || len(a.Standards) == 0 {
				t.Errorf("%s: alternative without name, repository, source or standard: %+v", k.ID, a)
			}
			if a.Licence != NoAssertion && licence.ClassOf(a.Licence) != licence.OSI {
				t.Errorf("%s: %s is under %s", k.ID, a.Name, a.Licence)
			}
			if sameRepo(a.Repo, k.Repo) {
				t.Errorf("%s: %s is the same repository", k.ID, a.Name)
			}
			for _, id := range a.Standards {
				if !speaks(id) {
					t.Errorf("%s: it does not speak %s, which %s is to share with it", k.ID, id, a.Name)
				}
			}
		}
		if k.Role == RolePlatform {
			platforms++
			if len(k.Standards) > 0 {
				replaceable++
			}
		}
	}
	if replaceable*4 < platforms*3 {
		t.Errorf("%d of %d platforms have standards, want three in four", replaceable, platforms)
	}
	if c.Alternatives("no-such-project") != nil {
		t.Error("a component that is not there has alternatives")
	}
}

func TestBrokenStandardsAndAlternativesAreRefused(t *testing.T) {
	const words = "standards:\n- {id: s3, name: S3, source: \"https://example.org/s3\"}\ncomponents:"
	speaks := "  standards: [{id: s3, source: \"https://example.org/\"}]\n"
	for _, tt := range []struct{ name, add, want string }{
		{"right", speaks + "  alternatives: [{name: Other, repo: \"https://git.example.org/other\", licence: MIT, standards: [s3], source: \"https://example.org/\"}]\n", ""},
		{"a word without an entry", "  standards: [{id: s4, source: \"https://example.org/\"}]\n", `"s4" is not listed`},
		{"a standard without a source", "  standards: [{id: s3}]\n", "https address"},
		{"an id that is not there", speaks + "  alternatives: [{id: gamma, standards: [s3], source: \"https://example.org/\"}]\n", "no other component"},
		{"the component itself", speaks + "  alternatives: [{id: alpha, standards: [s3], source: \"https://example.org/\"}]\n", "no other component"},
		{"one that is not open source in all versions", speaks + "  alternatives: [{id: beta, standards: [s3], source: \"https://example.org/\"}]\n", "not all of its versions"},
		{"a licence that is not approved", speaks + "  alternatives: [{name: Other, repo: \"https://git.example.org/other\", licence: BUSL-1.1, standards: [s3], source: \"https://example.org/\"}]\n", "not approved"},
		{"no repository", speaks + "  alternatives: [{name: Other, licence: MIT, standards: [s3], source: \"https://example.org/\"}]\n", "name and repo"},
		{"no standard in common", speaks + "  alternatives: [{name: Other, repo: \"https://git.example.org/other\", licence: MIT, source: \"https://example.org/\"}]\n", "standards or source"},
		{"a standard that the component does not list", "  alternatives: [{name: Other, repo: \"https://git.example.org/other\", licence: MIT, standards: [s3], source: \"https://example.org/\"}]\n", "does not list"},
	} {
		text := strings.Replace(strings.Replace(small, "components:", words, 1), "  images: [alpha, example/alpha-worker]\n", "  images: [alpha, example/alpha-worker]\n"+tt.add, 1)
		_, err := Read([]byte(text))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestAProjectCarriesTheNamesByWhichRegistriesAndIndexesKnowIt(t *testing.T) {
	c := load(t)
	for id, want := range map[string]string{"nova": "nova", "placement": "nova", "kubernetes": "Kubernetes", "csi-sidecars": "Kubernetes", "redis": "", "argo-cd": "Argo"} {
		p := c.Resolve([]Part{{Subject: "x", Assign: id}}).Projects[0]
		if p.Registry != want {
			t.Errorf("%s: got registry name %q, want %q", id, p.Registry, want)
		}
	}
	if p := c.Resolve([]Part{{Subject: "x", Assign: "nova"}}).Projects[0]; !slices.Equal(p.Packages, []string{"pkg:pypi/nova"}) {
		t.Errorf("packages of nova: got %q", p.Packages)
	}
}
