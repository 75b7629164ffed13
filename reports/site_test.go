package reports

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

func siteOf(projects ...Project) Site {
	return Site{Day: assessedAt, Policy: samplePolicy(), Tool: Tool{Version: "0.1.0"}, Recordings: []audit.Digest{audit.DigestOf([]byte("recording"))}, Projects: projects}
}

func siteFiles(t testing.TB, s Site) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for f, err := range s.Files() {
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name] != nil {
			t.Errorf("%s is written twice", f.Name)
		}
		out[f.Name] = f.Data
	}
	return out
}

// sitedProject has something in every part of the page.
func sitedProject() Project {
	p := releaseSample(6, 2).Projects[0]
	p.ID, p.Name, p.Profile, p.ProfileVersion = "sample", "Sample", "default", "0.1.0"
	if p.Head == "" {
		p = releaseSample(6, 2).Projects[1]
		p.ID, p.Name, p.Profile, p.ProfileVersion = "sample", "Sample", "default", "0.1.0"
	}
	pass, fail := 13, 0
	for i := range p.Indicators {
		p.Indicators[i].Rule, p.Indicators[i].Source = &Rule{Scale: "linear", Unit: "commits", Pass: &pass, Fail: &fail, Window: 90}, "a cited norm; proposal"
	}
	p.Indicators[3].Contested = &Contested{By: "catalogue", Role: "maintainer", Value: "true", Words: "It stands on our own page.", Source: "https://example.org/why", At: assessedAt,
		Origin: audit.Origin{Source: "catalogue", Path: "corrections/sample.yaml", Line: 4}}
	p.Indicators[4].Stated = []Stated{{By: "project", Value: "2025-03-01", Words: "the project states a security audit", At: assessedAt, Over: true}}
	p.Join = []Pointer{{Kind: "contributing", Text: "CONTRIBUTING.md", Origin: audit.Origin{Source: "git", URL: "https://github.com/example/sample", Commit: strings.Repeat("a", 40), Path: "CONTRIBUTING.md"}}, {Kind: "funding", Text: "FUNDING.yml"}}
	p.Gates = []Gate{{Level: "scs-open", Aspect: "open-source", Low: 6000, Coverage: 6000, Outcome: audit.FAIL, Margin: -1200, Settle: []string{"licence history"}, Source: "proposal"}}
	p.Risks = []Risk{{Indicator: p.Indicators[3].ID, Title: "Bus factor", Outcome: audit.FAIL, Reason: "2 people", Radius: ptr(31), Mitigations: []Mitigation{{Kind: "alternative", Text: "valkey"}}, Accepted: true}}
	p.LockIn = &LockIn{Probability: Axis{Low: 2000, High: 4500, Coverage: 8000, Class: "undetermined"}, Effect: Axis{Low: 7000, High: 7000, Coverage: 10000, Class: "high"}, Risk: "undetermined"}
	for q := range 12 {
		p.Quarters = append(p.Quarters, Quarter{End: time.Date(2023, 12, 31, 0, 0, 0, 0, time.UTC).AddDate(0, 3*q, 0), Verdict: "undetermined",
			Aspects: []Aspect{{Aspect: "activity", Low: 3000 + 200*q, High: 9000 - 100*q}, {Aspect: "security", High: audit.Full}}})
	}
	return p
}

func TestSitePagesAreAsTheirGoldenFiles(t *testing.T) {
	silent := Project{ID: "silent", Name: "silent", At: assessedAt, Verdict: "undetermined", Tiers: []string{"base"}, Failure: "no clone", Settle: "a clone", Aspects: []Aspect{}, Indicators: []Indicator{}}
	files := siteFiles(t, siteOf(sitedProject(), silent))
	for _, name := range []string{"index.html", "areas.html", "corrections.html", "site.json", "p/sample.html", "p/silent.html", "p/silent.svg"} {
		golden(t, "site-"+strings.ReplaceAll(name, "/", "-"), files[name])
	}
}

func TestASiteHasNoRanking(t *testing.T) {
	var projects []Project
	for i, name := range []string{"zeta", "Alpha", "beta", "Émile", "gamma"} {
		p := sitedProject()
		p.ID, p.Name = name, name
		p.Verdict = []string{"passed", "showstopper", "undetermined", "almost", "passed"}[i]
		for a := range p.Aspects {
			p.Aspects[a].Low = 1000 * (5 - i)
		}
		projects = append(projects, p)
	}
	want := []string{"Alpha", "beta", "gamma", "zeta", "Émile"}
	order := func(files map[string][]byte, page string) []string {
		var got []string
		for _, e := range elements(parseHTML(t, files[page])) {
			if e.Data == "a" && strings.HasPrefix(attr(e, "href"), "p/") {
				got = append(got, textIn(e))
			}
		}
		return got
	}
	first := siteFiles(t, siteOf(projects...))
	if got := order(first, "index.html"); !slices.Equal(got, want) {
		t.Errorf("got %q, want the order of the alphabet %q", got, want)
	}
	for i := range projects { // other scores, another order of arrival: the same place
		for a := range projects[i].Aspects {
			projects[i].Aspects[a].Low, projects[i].Aspects[a].High = 1000*i, 9000
		}
	}
	slices.Reverse(projects)
	second := siteFiles(t, siteOf(projects...))
	if got := order(second, "index.html"); !slices.Equal(got, want) {
		t.Errorf("after other scores: got %q, want %q", got, want)
	}
	if string(first["areas.html"]) != string(second["areas.html"]) {
		t.Error("the page of areas depends on the scores or on the order of arrival")
	}
	for _, page := range []string{"index.html", "areas.html"} {
		if regexp.MustCompile(`\d+ to \d+|(?i)best|worst|top \d`).Match(first[page]) {
			t.Errorf("%s compares projects", page)
		}
	}
}

func TestSitePagesCanBeReadByEverybodyAndAskNobody(t *testing.T) {
	files := siteFiles(t, siteOf(append(hostileSample().Projects, sitedProject())...))
	for name, data := range files {
		if path.Ext(name) != ".html" {
			continue
		}
		if !strings.Contains(string(data), "A proposal, not an SCS certificate.") || !strings.Contains(string(data), "corrections.html") || !strings.Contains(string(data), string(samplePolicy().Digest)) || !strings.Contains(string(data), string(audit.DigestOf([]byte("recording")))) {
			t.Errorf("%s does not say proposal, corrections, policy and recording", name)
		}
		checkSitePage(t, name, data, files)
	}
}

func checkSitePage(t *testing.T, name string, data []byte, files map[string][]byte) {
	t.Helper()
	ids := map[string]bool{}
	level := 0
	doc := parseHTML(t, data)
	for _, e := range elements(doc) {
		if id := attr(e, "id"); id != "" {
			if ids[id] {
				t.Errorf("%s: id %q stands twice", name, id)
			}
			ids[id] = true
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(a.Key, "on") || slices.Contains([]string{"srcset", "style", "srcdoc", "action", "formaction", "background", "ping"}, a.Key) {
				t.Errorf("%s: attribute %s on %s", name, a.Key, e.Data)
			}
		}
		switch e.Data {
		case "html":
			if attr(e, "lang") != "en" {
				t.Errorf("%s: language is %q", name, attr(e, "lang"))
			}
		case "iframe", "object", "embed", "base", "form", "audio", "video", "image":
			t.Errorf("%s: element %s", name, e.Data)
		case "script":
			if name != "index.html" || strings.TrimSpace(e.FirstChild.Data) != strings.TrimSpace(siteScript) {
				t.Errorf("%s: a script that is not ours", name)
			}
		case "img":
			if files[path.Join(path.Dir(name), attr(e, "src"))] == nil || attr(e, "alt") == "" {
				t.Errorf("%s: image %q is not there, or has no words", name, attr(e, "src"))
			}
		case "h1", "h2", "h3", "h4":
			if n := int(e.Data[1] - '0'); n > level+1 {
				t.Errorf("%s: heading %q skips from level %d to %d", name, textIn(e), level, n)
			} else {
				level = n
			}
		case "th":
			if attr(e, "scope") == "" {
				t.Errorf("%s: a table header without scope", name)
			}
		case "svg":
			if attr(e, "aria-hidden") != "true" && (attr(e, "role") != "img" || attr(e, "aria-labelledby") == "") {
				t.Errorf("%s: a drawing that is neither named nor hidden", name)
			}
		case "a":
			if textIn(e) == "" {
				t.Errorf("%s: a link without text", name)
			}
		}
		if attr(e, "role") == "region" && (attr(e, "aria-label") == "" || attr(e, "tabindex") != "0") {
			t.Errorf("%s: a scrolling part that the keyboard cannot reach", name)
		}
	}
	for _, e := range elements(doc) {
		to := attr(e, "href")
		switch {
		case e.Data != "a" && e.Data != "link":
		case strings.HasPrefix(to, "#"):
			if !ids[to[1:]] {
				t.Errorf("%s: a link to %s, which is not there", name, to)
			}
		case strings.HasPrefix(to, "https://"), strings.HasPrefix(to, "http://"):
			if e.Data == "link" {
				t.Errorf("%s asks %s", name, to)
			}
		case files[path.Join(path.Dir(name), to)] == nil:
			t.Errorf("%s: a link to %q, which is not there", name, to)
		}
	}
	if strings.Contains(string(data), ">[") && regexp.MustCompile(`\[[a-z]+(\.[a-z]+)+\]`).Match(data) {
		t.Errorf("%s: words are missing", name)
	}
}

func TestContestedAnswersShowTheWordsBesideThem(t *testing.T) {
	page := string(siteFiles(t, siteOf(sitedProject()))["p/sample.html"])
	row := regexp.MustCompile(`(?s)<tr id="CE-03">.*?</tr>`).FindString(page)
	for _, want := range []string{"contested", "a correction file, maintainer", "It stands on our own page.", `href="https://example.org/why"`, "corrections/sample.yaml:4", "fails"} {
		if !strings.Contains(row, want) {
			t.Errorf("%q is missing in %s", want, row)
		}
	}
	if !strings.Contains(page, "over: said too long ago to count") {
		t.Error("a statement that is over is not marked")
	}
}

func TestEveryLostPointLeadsToEvidenceNumbersAndWhatWouldRaiseIt(t *testing.T) {
	p := sitedProject()
	page := string(siteFiles(t, siteOf(p))["p/sample.html"])
	for _, i := range p.Indicators {
		row := regexp.MustCompile(`(?s)<tr id="` + i.ID + `">.*?</tr>`).FindString(page)
		if row == "" || !strings.Contains(row, "a cited norm; proposal") || !strings.Contains(row, "13 commits") {
			t.Errorf("%s: no row, source or threshold: %.200s", i.ID, row)
		}
		if i.Outcome.Decided() && len(i.Origins) > 0 && !strings.Contains(row, `<a href="#e`) {
			t.Errorf("%s: no link to evidence", i.ID)
		}
		if !i.Outcome.Decided() && !strings.Contains(row, "Would settle it:") {
			t.Errorf("%s: does not say what would settle it", i.ID)
		}
	}
}

func TestNamesOfFilesNeverComeFromHostileIDs(t *testing.T) {
	taken := map[string]bool{}
	for _, id := range []string{"keystone", "keystone", "../../etc/passwd", "a..b", "", "Keystone", "https://example.org/a/b", "x/y", ".hidden", "-rf", strings.Repeat("a", 300), "nul\x00", "a b", "ümlaut", "con"} {
		slug := siteSlug(id, taken)
		if !plainSlug.MatchString(slug) || strings.Contains(slug, "..") {
			t.Errorf("%q becomes %q", id, slug)
		}
	}
	if len(taken) != 15 {
		t.Errorf("got %d names for 15 projects", len(taken))
	}
	if siteSlug("nova", map[string]bool{}) != "nova" {
		t.Error("a plain id does not name its files")
	}
}

func TestTheSameSiteIsTheSameBytes(t *testing.T) {
	a, b := siteFiles(t, siteOf(sitedProject(), hostileSample().Projects[0])), siteFiles(t, siteOf(hostileSample().Projects[0], sitedProject()))
	for name, data := range a {
		if string(b[name]) != string(data) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestAnEmptySiteStillSaysWhatItIs(t *testing.T) {
	for name, data := range siteFiles(t, Site{}) {
		if path.Ext(name) == ".html" && !strings.Contains(string(data), "not an SCS certificate") {
			t.Errorf("%s", name)
		}
	}
	for _, err := range (Site{Lang: "xx"}).Files() {
		if err == nil || !strings.Contains(err.Error(), `"xx"`) {
			t.Errorf("a language that is not there: got %v", err)
		}
		break
	}
}

// Every key that templates and code ask for stands in every language, and nothing else does.
func TestEveryLanguageHasExactlyTheWordsThatAreUsed(t *testing.T) {
	used := map[string]bool{}
	sources, err := filepath.Glob("html/site-*.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	ask := regexp.MustCompile(`(?:\bt|words\.text\() ?"([a-z.-]+)"`)
	for _, name := range append(sources, "site.go", "site_project.go", "site_draw.go") {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ask.FindAllStringSubmatch(string(data), -1) {
			used[strings.TrimSuffix(m[1], ".")] = true
		}
	}
	for _, prefix := range []string{"verdict", "join", "by"} {
		delete(used, prefix) // keys that are put together
	}
	languages, err := filepath.Glob("html/site.*.json")
	if err != nil || len(languages) == 0 {
		t.Fatal(err, len(languages))
	}
	for _, name := range languages {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var words map[string]string
		if err := json.Unmarshal(data, &words); err != nil {
			t.Fatal(err)
		}
		for key := range used {
			if words[key] == "" {
				t.Errorf("%s lacks %q", name, key)
			}
		}
		for key := range words {
			if prefix, _, _ := strings.Cut(key, "."); !used[key] && !slices.Contains([]string{"verdict", "join", "by"}, prefix) {
				t.Errorf("%s has %q, which nothing asks for", name, key)
			}
		}
	}
}

// FuzzSiteNamesNeverBecomeMarkup: whatever a name or word is, the page has the same elements as with a harmless one.
func FuzzSiteNamesNeverBecomeMarkup(f *testing.F) {
	for _, s := range []string{`"><script>alert(1)</script>`, `</title>`, `{{.}}`, `</svg>`, `' onclick='x`, "<!--", "\x00<b>"} {
		f.Add(s)
	}
	tags := func(t *testing.T, s string) string {
		p := sitedProject()
		for _, at := range []*string{&p.Name, &p.Area, &p.Role, &p.Indicators[3].Reason, &p.Indicators[3].Title, &p.Indicators[3].Source, &p.Indicators[3].Contested.Words, &p.Indicators[3].Contested.Value,
			&p.Indicators[3].Contested.Role, &p.Indicators[4].Stated[0].Words, &p.Join[0].Text, &p.Join[1].Kind, &p.Gates[0].Level, &p.Gates[0].Source, &p.Risks[0].Title, &p.Risks[0].Mitigations[0].Text} {
			*at = "x" + s
		}
		var out []string
		for name, data := range siteFiles(t, siteOf(p)) {
			if path.Ext(name) == ".html" {
				for _, e := range elements(parseHTML(t, data)) {
					out = append(out, name+" "+e.Data+fmt.Sprint(len(e.Attr)))
				}
			}
		}
		slices.Sort(out)
		return strings.Join(out, "\n")
	}
	f.Fuzz(func(t *testing.T, s string) {
		if tags(t, s) != tags(t, "harmless") {
			t.Errorf("%q changes the elements of the pages", s)
		}
	})
}

func BenchmarkSite(b *testing.B) {
	for _, n := range []int{150, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := siteOf(slices.Repeat([]Project{sitedProject()}, n)...)
			for i := range s.Projects {
				s.Projects[i].ID, s.Projects[i].Name = fmt.Sprintf("project-%d", i), fmt.Sprintf("Project %d", i)
			}
			b.ReportAllocs()
			bytes := 0
			for b.Loop() {
				bytes = 0
				for f, err := range s.Files() {
					if err != nil {
						b.Fatal(err)
					}
					bytes += len(f.Data)
				}
			}
			b.ReportMetric(float64(bytes)/1e6, "MB/site")
		})
	}
}
