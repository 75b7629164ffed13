package openops

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

func collected(t *testing.T, target transparency.Target, w transparency.World) transparency.OpenOperations {
	t.Helper()
	w.At = judged
	a := Collect(context.Background(), target, w)
	if a.Trouble != nil {
		t.Fatalf("trouble: %+v", a.Trouble)
	}
	return *a.OpenOperations
}

func TestASignatureIsFoundByNameOrDomain(t *testing.T) {
	w := transparency.World{Open: opened(map[string]string{manifestoFile: signed}, nil, nil)}
	for _, c := range []struct {
		operator transparency.Operator
		want     string
	}{
		{transparency.Operator{Name: "Example GmbH"}, "founding"},
		{transparency.Operator{Name: "EXAMPLE e. V."}, "founding"},
		{transparency.Operator{Name: "Example GmbH & Co. KG"}, "founding"},
		{transparency.Operator{Name: "Second-Cloud AG"}, "supporting"},
		{transparency.Operator{Name: "Other", Domains: []string{"ops.example.org"}}, "founding"},
		{transparency.Operator{Name: "Other", Domains: []string{"second.example"}}, "supporting"},
		{transparency.Operator{Name: "Examples GmbH", Domains: []string{"example.net"}}, ""},
		{transparency.Operator{Name: "Second"}, ""},
		{transparency.Operator{Name: "Maria Muster"}, ""},
	} {
		w.Operator = c.operator
		o := collected(t, transparency.Target{Repositories: []string{"https://git.example.org/none"}}, w)
		if got, known := o.Signed.Get(); !known || got != c.want {
			t.Errorf("%+v: signed %q, %v; want %q", c.operator, got, known, c.want)
		}
	}
	w.Operator = transparency.Operator{}
	if o := collected(t, transparency.Target{}, w); o.Signed.Unknown() != audit.MISS || o.Signed.Settle == "" {
		t.Errorf("nobody is named: %+v", o.Signed)
	}
}

func TestTheNameInTheTargetCountsToo(t *testing.T) {
	w := transparency.World{Open: opened(map[string]string{manifestoFile: signed}, nil, nil), Operator: transparency.Operator{Name: "Parent Holding SE"}}
	o := collected(t, transparency.Target{Name: "Second Cloud"}, w)
	if got, _ := o.Signed.Get(); got != "supporting" {
		t.Errorf("signed %q", got)
	}
}

func TestABrokenListOfSignaturesIsNotKnown(t *testing.T) {
	for name, text := range map[string]string{
		"no YAML": "founding: [", "other keys": "sponsors: []\n", "no list": "founding: {name: x}\n", "a page": "<html>login</html>", "too large": strings.Repeat("#", maxList+1),
	} {
		w := transparency.World{Open: opened(map[string]string{manifestoFile: text}, nil, nil), Operator: transparency.Operator{Name: "Example"}}
		if o := collected(t, transparency.Target{}, w); o.Signed.Unknown() != audit.DNF || o.Signed.Settle == "" {
			t.Errorf("%s: %+v", name, o.Signed)
		}
	}
	w := transparency.World{Open: opened(nil, nil, nil), Operator: transparency.Operator{Name: "Example"}}
	if o := collected(t, transparency.Target{}, w); !strings.Contains(o.Signed.Failure, "there is no _data/organizations.yml") {
		t.Errorf("no list at all: %+v", o.Signed)
	}
}

func TestNobodyOfTheManifestoOrOfATalkIsKept(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<!doctype html><html><title>Outage!</title><body>A talk by Maria Muster of Example, maria.muster@example.org</body></html>")
	}))
	defer server.Close()
	w := transparency.World{Open: opened(map[string]string{manifestoFile: signed}, nil, nil), Ask: asking(), At: judged, Operator: transparency.Operator{Name: "Example GmbH", Domains: []string{"example.org"}}}
	a := Collect(context.Background(), transparency.Target{Links: []transparency.Link{{Kind: "talk", URL: server.URL, Date: judged.AddDate(0, -1, 0)}}}, w)
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Maria", "Muster", "Dupont", "maria.muster"} {
		if bytes.Contains(data, []byte(name)) {
			t.Errorf("the artifact names %s", name)
		}
	}
	if link := a.OpenOperations.Links[0]; !link.Names || link.Trouble != nil || a.Seen[link.Seen].URL != server.URL || a.Seen[link.Seen].Original == a.Seen[link.Seen].Digest {
		t.Errorf("link %+v, looks %+v", link, a.Seen)
	}
}

func TestContributionsAreCountedInListedRepositoriesAndUpstreams(t *testing.T) {
	var asked []string
	counts := map[string]transparency.Contributions{"https://git.example.org/a": {Commits: 4, People: 2, Few: true, Human: 9}}
	w := transparency.World{Open: opened(map[string]string{manifestoFile: signed}, counts, &asked), Operator: transparency.Operator{Name: "Example", Domains: []string{"example.org"}}}
	target := transparency.Target{
		Repositories: []string{"https://git.example.org/a", "https://git.example.org/A.git", "https://git.example.org/gone", "https://git.example.org/away"},
		Upstreams:    []string{"https://git.example.org/nova"},
	}
	o := collected(t, target, w)
	if len(o.Repositories) != 3 || len(o.Upstreams) != 1 || !o.AskedUpstreams {
		t.Fatalf("counted in %+v and %+v", o.Repositories, o.Upstreams)
	}
	if c, _ := o.Repositories[0].Count.Get(); c.Commits != 4 || !c.Few {
		t.Errorf("count %+v", c)
	}
	if o.Repositories[1].Count.Unknown() != audit.DNF || o.Repositories[2].Count.Unknown() != audit.MISS {
		t.Errorf("gone: %+v, away: %+v", o.Repositories[1].Count, o.Repositories[2].Count)
	}

	asked, w.Operator.Domains = nil, nil
	o = collected(t, target, w)
	if c := o.Repositories[0].Count; c.Unknown() != audit.MISS || !strings.Contains(c.Settle, "mail domains") || len(asked) != 1 {
		t.Errorf("no domains: %+v, asked %q", c, asked)
	}

	w.Operator.Domains, asked = []string{"example.org"}, nil
	o = collected(t, transparency.Target{}, w)
	if len(o.Repositories) < 8 || o.AskedUpstreams || !slices.Contains(asked, "https://github.com/SovereignCloudStack/hardware-landscape") {
		t.Errorf("the default list: %d, asked %q", len(o.Repositories), asked)
	}

	target.Upstreams = nil
	for i := range maxUpstreams + 7 {
		target.Upstreams = append(target.Upstreams, fmt.Sprintf("https://git.example.org/up%d", i))
	}
	w.At = judged
	a := Collect(context.Background(), target, w)
	if len(a.OpenOperations.Upstreams) != maxUpstreams || len(a.Notes) != 1 || !strings.Contains(a.Notes[0], "the first 200 of 207") {
		t.Errorf("bounds: %d, %q", len(a.OpenOperations.Upstreams), a.Notes)
	}
}

func TestLinksAreVisitedAndPagesReduced(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages := map[string]string{
			"/named":   "<!doctype html><body>By Example's team</body>",
			"/domain":  "<!doctype html><body><a href='https://www.example.org/x'>slides</a></body>",
			"/script":  "<!doctype html><body><script>var x = 'Example'</script></body>",
			"/part":    "<!doctype html><body>Examples of counterexample</body>",
			"/login":   `<!doctype html><body>Example <input type="password"></body>`,
			"/plain":   "notes of the meeting: example reported an outage",
			"/nothing": "",
		}
		if body, ok := pages[r.URL.Path]; ok {
			fmt.Fprint(w, body)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	want := map[string]string{"/named": "true", "/domain": "true", "/script": "false", "/part": "false", "/login": "login", "/plain": "true", "/nothing": "false", "/gone": "not-found"}
	target := transparency.Target{}
	for path := range want {
		target.Links = append(target.Links, transparency.Link{Kind: "talk", URL: server.URL + path})
	}
	o := collected(t, target, transparency.World{Ask: asking(), Operator: transparency.Operator{Name: "Example GmbH", Domains: []string{"example.org"}}, Open: opened(map[string]string{manifestoFile: signed}, nil, nil)})
	for _, link := range o.Links {
		got := fmt.Sprint(link.Names)
		if link.Trouble != nil {
			got = link.Trouble.Kind
		}
		if path := strings.TrimPrefix(link.URL, server.URL); got != want[path] {
			t.Errorf("%s: got %s, want %s", path, got, want[path])
		}
	}
}

func TestNothingAtAllIsATrouble(t *testing.T) {
	w := transparency.World{At: judged, Operator: transparency.Operator{Name: "Example", Domains: []string{"example.org"}}}
	if a := Collect(context.Background(), transparency.Target{}, w); a.Trouble == nil || a.Trouble.Kind != audit.TroubleOffline || a.OpenOperations != nil {
		t.Errorf("%+v", a.Trouble)
	}
}

func TestTheListOfRepositoriesNamesASourceForEach(t *testing.T) {
	var f struct {
		Schema       string
		Repositories []struct{ URL, Source string }
	}
	d := yaml.NewDecoder(bytes.NewReader(listed))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil || f.Schema != "pegel/open-operations/v1" || len(f.Repositories) > maxRepositories {
		t.Fatalf("%v, %+v", err, f)
	}
	for _, r := range f.Repositories {
		if !strings.HasPrefix(r.URL, "https://") || r.Source == "" {
			t.Errorf("row %+v", r)
		}
	}
	if len(defaultRepositories()) != len(f.Repositories) {
		t.Error("the list is not read as a whole")
	}
}

// The law: whoever is in the list is found by name and by address, and nothing of what stands below an entry comes out.
func FuzzWhoeverSignedIsFound(f *testing.F) {
	f.Add([]byte(signed))
	f.Add([]byte("founding:\n- {name: a, url: b}\n- x\n- &a [*a]\n"))
	f.Add([]byte("supporting:\n  - name: [x]\n    url: {}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := parseSignatures(data)
		if err != nil {
			return
		}
		for _, s := range list {
			if s.as != "founding" && s.as != "supporting" {
				t.Fatalf("signature %+v", s)
			}
			if plainName(s.name) != "" && signedAs(list, []string{s.name}, nil) == "" {
				t.Fatalf("%q is not found by its own name", s.name)
			}
			if site := siteOf(s.url); site != "" && signedAs(list, nil, []string{site}) == "" {
				t.Fatalf("%q is not found by its own address", s.url)
			}
		}
	})
}
