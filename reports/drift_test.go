package reports

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

func TestEveryKindOfDifferenceIsInTheSampleAndHasWords(t *testing.T) {
	inSample := map[string]bool{}
	for _, d := range cloudSample().Drift {
		inSample[d.Kind] = true
		if s := driftSign(d); s.Word == d.Kind || (s.Tone == unsure) != (d.Open != "") {
			t.Errorf("%s: got sign %+v", d.Kind, s)
		}
	}
	for _, k := range driftKinds {
		if !inSample[k.id] {
			t.Errorf("no difference of kind %s is in the sample", k.id)
		}
	}
	if s := driftSign(Drift{Kind: "tomorrow's kind"}); s.Word != "tomorrow's kind" {
		t.Errorf("an unknown kind: got %q, want its own name", s.Word)
	}
}

func TestOneSentenceSaysHowIntentAndFactCompare(t *testing.T) {
	row := func(open string) Drift { return Drift{Kind: "older", Open: open} }
	for _, c := range []struct {
		name   string
		report Report
		want   string
	}{
		{"certain ones", Report{Drift: []Drift{row(""), row("")}}, "2 differences between what was declared and what runs."},
		{"an open one", Report{Drift: []Drift{row(""), row("2 hosts were not read")}}, "2 differences between what was declared and what runs, 1 of them open."},
		{"ones of one side", Report{Drift: []Drift{row(""), {Kind: "unpinned"}, {Kind: "end-of-life"}}},
			"1 difference between what was declared and what runs. 2 names or versions are not pinned or no longer maintained."},
		{"only one of one side, not compared", Report{Undecided: "nothing runs", Drift: []Drift{{Kind: "end-of-life"}}},
			"1 name or version is not pinned or no longer maintained. Intent and fact could not be compared: nothing runs."},
		{"one", Report{Drift: []Drift{row("")}}, "1 difference between what was declared and what runs."},
		{"none", Report{Coverage: Coverage{Running: 3}}, "No difference was found between what was declared and what runs."},
		{"not compared", Report{Undecided: "nothing was seen running"}, "Intent and fact could not be compared: nothing was seen running."},
		{"not compared, with rows that need one side only", Report{Undecided: "nothing was seen running", Drift: []Drift{row("")}},
			"1 difference between what was declared and what runs. Intent and fact could not be compared: nothing was seen running."},
		{"nothing runs and nobody says why", Report{}, "Nothing was seen running, so that nothing was compared with what was declared."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := driftSentence(c.report); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTextListsAFewDifferencesCertainOnesFirstAndCountsTheRest(t *testing.T) {
	r := cloudSample()
	r.Drift = nil
	for i := range 40 {
		d := cloudSample().Drift[i%10]
		d.Name = fmt.Sprintf("%s-%02d", d.Name, i)
		r.Drift = append(r.Drift, d)
	}
	got := textOf(t, r, Options{})
	if !strings.Contains(flow(got), "… and 34 more differences; the HTML report shows them as a table.") {
		t.Errorf("the rest is not counted in\n%s", got)
	}
	if n := strings.Count(got, "      declared "); n != maxDrift {
		t.Errorf("got %d differences, want %d", n, maxDrift)
	}
	if strings.Contains(got, "Cannot be told yet") {
		t.Error("an open difference stands before certain ones")
	}
	r.Drift = cloudSample().Drift[5:7]
	got = flow(textOf(t, r, Options{}))
	for _, want := range []string{"? heat: declared, not seen running declared heat – environments/kolla/configuration.yml: enable_heat running not seen", "Cannot be told yet: 2 hosts were not read."} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}

func TestCoverageIsHeldAgainstOtherLists(t *testing.T) {
	for _, c := range []struct {
		name     string
		coverage Coverage
		want     string
	}{
		{"lists were given", Coverage{Artifacts: 3, Running: 2, HostsExpected: 7, HostsSeen: 5, ServicesExpected: 9, ServicesSeen: 8},
			"2 artifacts were seen running. Of 7 hosts that other lists name, 5 were seen. Of 9 services that other lists name, 8 were seen."},
		{"no list was given", Coverage{Artifacts: 3, Running: 2}, "No list made for another purpose names the hosts and services, so that whether any is missing is not known."},
		{"one list was given", Coverage{Artifacts: 3, Running: 2, HostsExpected: 1, HostsSeen: 1}, "No list made for another purpose names the services, so that"},
		{"a tier for some", Coverage{Artifacts: 1200, Placed: 1100}, "1,100 of 1,200 have a place in a tier."},
		{"things were left out", Coverage{Artifacts: 1, Omitted: 41}, "41 things were left out on purpose."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := seen(c.coverage); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q in it", got, c.want)
			}
		})
	}
	if got := seen(Coverage{Artifacts: 1}); strings.Contains(got, "list") || strings.Contains(got, "running") {
		t.Errorf("of a release: got %q, want nothing about hosts", got)
	}
}

func TestAnArtifactIsShownWithStateCopiesAndHosts(t *testing.T) {
	on := func(state, source, workload string, replicas int, hosts ...string) Sighting {
		return Sighting{Source: source, State: state, Workload: workload, Replicas: replicas, Hosts: hosts}
	}
	for _, c := range []struct {
		name      string
		artifact  Artifact
		state     string
		spread    string
		withCount int
	}{
		{"copies of one source are added", Artifact{Sightings: []Sighting{on("running", "kubernetes", "Deployment/a", 2, "h1"), on("running", "kubernetes", "Deployment/b", 1, "h2")}}, "runs", "3 copies on 2 hosts: h1 and h2", 3},
		{"copies that two sources see are the same", Artifact{Sightings: []Sighting{on("running", "kubernetes", "Deployment/a", 2, "h1"), on("running", "containers", "", 2, "h1")}}, "runs", "2 copies on h1", 2},
		{"many hosts are counted", Artifact{Sightings: []Sighting{on("running", "kubernetes", "DaemonSet/a", 5, "h1", "h2", "h3", "h4", "h5")}}, "runs", "5 copies on 5 hosts: h1, h2, h3 and 2 more", 5},
		{"a place where it is stopped is none where it runs", Artifact{Sightings: []Sighting{on("running", "containers", "", 1, "h1"), on("stopped", "containers", "", 0, "h2")}}, "runs", "1 copy on h1", 1},
		{"stopped", Artifact{Sightings: []Sighting{on("stopped", "containers", "", 0, "h2")}}, "is stopped", "on h2", 0},
		{"offered", Artifact{Sightings: []Sighting{on("offered", "osism", "", 0)}}, "only offered", "", 0},
		{"declared", Artifact{Sightings: []Sighting{on("offered", "osism", "", 0), on("declared", "configuration", "", 0)}}, "only declared", "", 0},
		{"a report of before", Artifact{Seen: true, Sightings: []Sighting{on("", "host", "", 0)}}, "was seen", "", 0},
		{"its own count comes first", Artifact{Replicas: 9, Sightings: []Sighting{on("running", "containers", "", 1)}}, "runs", "9 copies", 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.artifact.state().Word; got != c.state {
				t.Errorf("state: got %q, want %q", got, c.state)
			}
			if got := c.artifact.spread(); got != c.spread {
				t.Errorf("spread: got %q, want %q", got, c.spread)
			}
			if got := c.artifact.copies(); got != c.withCount {
				t.Errorf("copies: got %d, want %d", got, c.withCount)
			}
		})
	}
}

// largeSample has many sightings of each artifact, as a cloud with many hosts has.
func largeSample(artifacts, sightings int) Report {
	r := cloudSample()
	r.Artifacts = nil
	r.Drift = nil
	for i := range artifacts {
		a := Artifact{ID: fmt.Sprintf("image:sha256:%064x", i), Kind: "image", Name: fmt.Sprintf("image-%03d", i), Reference: fmt.Sprintf("registry.acme.example/kolla/image-%03d:2025.1", i),
			Digest: audit.Digest(fmt.Sprintf("sha256:%064x", i)), Seen: true, Tiers: []string{"functional"}, Projects: []string{"nova"}}
		for k := range sightings {
			host := fmt.Sprintf("compute-%04d.dc1.acme.example", k)
			a.Sightings = append(a.Sightings, Sighting{Source: "kubernetes", Where: fmt.Sprintf("east, namespace tenant-%d, Deployment/shop-%d-%d", k%40, i, k), State: "running", Reference: a.Reference,
				Digest: a.Digest, Hosts: []string{host}, Namespace: fmt.Sprintf("tenant-%d", k%40), Workload: fmt.Sprintf("Deployment/shop-%d-%d", i, k), Replicas: 1,
				Origin: audit.Origin{Source: "kubernetes", URL: "https://10.1.2.3:6443/api/v1/pods", Line: 1 + i*sightings + k, Digest: audit.DigestOf([]byte(host)), At: assessedAt}})
		}
		r.Artifacts = append(r.Artifacts, a)
		side := &DriftSide{Artifact: a.ID, Reference: a.Reference, Digest: a.Digest}
		for _, s := range a.Sightings[:min(5, sightings)] {
			side.Where, side.Origins = append(side.Where, s.Where), append(side.Origins, s.Origin)
		}
		for _, kind := range []string{"older", "unpinned", "end-of-life"} {
			r.Drift = append(r.Drift, Drift{Kind: kind, Artifact: a.ID, Name: a.Name, Tiers: a.Tiers, Detail: a.Name + " runs, older than declared", Declared: side, Running: side})
		}
	}
	return r
}

func TestSixtyThousandSightingsFitIntoEightMegabytesOfHTML(t *testing.T) {
	r := largeSample(300, 200)
	for name, report := range map[string]Report{"full": r, "public": Redact(r)} {
		page := render(t, "html", report)
		if len(page) > 8<<20 {
			t.Errorf("%s: got %d bytes, want at most 8 MiB", name, len(page))
		}
		want := "and 192 more places; the JSON report names all"
		if name == "public" {
			want = "on 200 hosts: host 001, host 002, host 003 and 197 more"
		}
		if !strings.Contains(string(page), want) {
			t.Errorf("%s: %q is missing", name, want)
		}
	}
}

func TestManyDifferencesAreCountedInHTML(t *testing.T) {
	page := string(render(t, "html", largeSample(400, 1)))
	if want := "… and 200 more differences; the JSON report has all."; !strings.Contains(page, want) {
		t.Errorf("%q is missing", want)
	}
}

func TestDifferencesLinkToBothArtifactsAndTheirEvidence(t *testing.T) {
	doc := parseHTML(t, render(t, "html", cloudSample()))
	targets := map[string]string{}
	var rows [][]string
	for _, e := range elements(doc) {
		if id := attr(e, "id"); id != "" && e.Data == "tr" {
			targets[id] = textIn(e)
		}
		if e.Data == "table" && strings.Contains(attr(e, "class"), "drift") {
			for _, tr := range elements(e) {
				if tr.Data != "tr" {
					continue
				}
				var links []string
				for _, link := range elements(tr) {
					if to, ok := strings.CutPrefix(attr(link, "href"), "#"); ok && link.Data == "a" {
						links = append(links, to)
					}
				}
				rows = append(rows, links)
			}
		}
	}
	if len(rows) != 1+len(cloudSample().Drift) {
		t.Fatalf("got %d rows, want one for each difference", len(rows)-1)
	}
	var linked []string
	for _, id := range rows[1] { // keystone: the artifact, each side with its evidence
		linked = append(linked, targets[id])
	}
	text := strings.Join(linked, "\n")
	for _, want := range []string{"keystone", "9.0.0/openstack-2024.2.yml:15", "exports/ctl01.json:3", string(audit.DigestOf([]byte("ctl01"))), "as of 2026-11-23"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not linked from the first difference:\n%s", want, text)
		}
	}
	if !slices.Contains(rows[1], "a1") || !slices.Contains(rows[1], "a2") {
		t.Errorf("got links %v, want both artifacts", rows[1])
	}
}

func BenchmarkRedactSixtyThousandSightings(b *testing.B) {
	r := largeSample(300, 200)
	b.ReportAllocs()
	for b.Loop() {
		Redact(r)
	}
}
