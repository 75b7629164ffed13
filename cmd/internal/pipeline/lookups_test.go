package pipeline

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// An index is asked only where the stack file names it, only about what nothing else resolves, and believed little.
func TestIndexesAreAskedAboutPackagesThatLeadNowhere(t *testing.T) {
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	inv := sbom.Inventory{Artifacts: []sbom.Artifact{{ID: "a", Kind: sbom.KindImage}}}
	pkgs := []sbom.Packages{{Artifact: "a", Components: audit.Known([]sbom.Component{
		{PURL: "pkg:npm/unheard-of@1.0.0", Type: "npm", Name: "unheard-of", Version: "1.0.0"},
		{PURL: "pkg:golang/go.etcd.io/etcd/client/v3@3.5.0", Type: "golang", Name: "go.etcd.io/etcd/client/v3", Version: "3.5.0"},
	})}}
	for name, tt := range map[string]struct {
		indexes []string
		asked   int
	}{"named": {[]string{"ecosystems"}, 1}, "others named": {[]string{"badges"}, 0}, "none named": {nil, 0}} {
		var asked []string
		server := roundTrip(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.Query().Get("purl"))
			body := `[{"repository_url":"https://github.com/example/unheard-of"}]`
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})
		opt := collectOptions(t)
		opt.Offline = false
		g := &gatherer{opt: opt, at: judged, catalogue: catalogue, client: &http.Client{Transport: server}}
		g.stack.Collect.Indexes = tt.indexes
		g.lookups = g.lookUp(t.Context(), inv, pkgs)
		g.close()
		if len(asked) != tt.asked || tt.asked > 0 && asked[0] != "pkg:npm/unheard-of" {
			t.Errorf("%s: asked %v", name, asked)
		}
		doc := g.projects(inv, pkgs)
		at := slices.IndexFunc(doc.Sources.Shares, func(s upstream.Share) bool { return s.Ecosystem == "npm" })
		if at < 0 || doc.Sources.Shares[at].Resolved != tt.asked || doc.Sources.Shares[at].Low != tt.asked || len(doc.Sources.Unresolved) != 1-tt.asked {
			t.Errorf("%s: shares %+v, unresolved %+v; an answer resolves, with low confidence", name, doc.Sources.Shares, doc.Sources.Unresolved)
		}
	}
}
