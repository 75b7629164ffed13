package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

func TestNoInternalNameIsInAnyFormatOfThePublicForm(t *testing.T) {
	for _, c := range []struct {
		name  string
		full  Report
		names []string
	}{{"internal", internalSample(), internalNamesOfSample}, {"cloud", cloudSample(), internalNamesOfCloud}} {
		public := Redact(c.full)
		for _, f := range Formats() {
			data := strings.ToLower(string(render(t, f.Name, public)))
			for _, name := range c.names {
				if at := strings.Index(data, name); at >= 0 {
					t.Errorf("%s as %s: %q is in the public report: %s", c.name, f.Name, name, data[max(0, at-80):min(len(data), at+80)])
				}
			}
		}
		data := strings.ToLower(string(render(t, "json", c.full)))
		for _, name := range c.names {
			if !strings.Contains(data, name) {
				t.Errorf("%s: %q is not in the full report: the test above would prove nothing", c.name, name)
			}
		}
	}
}

func TestRedactingNeverChangesAVerdict(t *testing.T) {
	for _, s := range samples() {
		was, is := s.report, Redact(s.report)
		if len(was.Verdicts) != len(is.Verdicts) || len(was.Findings) != len(is.Findings) || len(was.Artifacts) != len(is.Artifacts) || len(was.Projects) != len(is.Projects) {
			t.Fatalf("%s: lines were added or lost", s.name)
		}
		for i, v := range was.Verdicts {
			got := is.Verdicts[i]
			if got.Scope != v.Scope || got.Outcome != v.Outcome || got.Counts != v.Counts || !got.ValidUntil.Equal(v.ValidUntil) || len(got.Limiting) != len(v.Limiting) {
				t.Errorf("%s: verdict %s: got %+v, want %+v", s.name, v.Scope, got, v)
			}
		}
		for i, f := range was.Findings {
			got := is.Findings[i]
			if got.Outcome != f.Outcome || got.Requirement != f.Requirement || got.Count != f.Count || got.Severity != f.Severity {
				t.Errorf("%s: finding %d: got %v %s, want %v %s", s.name, i, got.Outcome, got.Requirement, f.Outcome, f.Requirement)
			}
		}
		for i, p := range was.Projects {
			if is.Projects[i].Verdict != p.Verdict || len(is.Projects[i].Indicators) != len(p.Indicators) {
				t.Errorf("%s: project %s changed", s.name, p.ID)
			}
		}
		if was.Coverage != is.Coverage {
			t.Errorf("%s: coverage: got %+v, want %+v", s.name, is.Coverage, was.Coverage)
		}
	}
}

func TestRedactedReferencesStillLeadToTheirLines(t *testing.T) {
	r := Redact(internalSample())
	ids := map[string]bool{}
	for _, a := range r.Artifacts {
		if ids[a.ID] {
			t.Errorf("artifact id %q stands twice", a.ID)
		}
		ids[a.ID] = true
	}
	findings := map[string]bool{}
	for _, f := range r.Findings {
		findings[f.ID] = true
		if !ids[f.Subject.ID] {
			t.Errorf("finding %q leads to no artifact", f.ID)
		}
	}
	for _, id := range r.Verdicts[0].Limiting {
		if !findings[id] {
			t.Errorf("limiting finding %q is not in the report", id)
		}
	}
}

func TestRedactingTwiceChangesNothing(t *testing.T) {
	for _, s := range samples() {
		once := Redact(s.report)
		if want, got := render(t, "json", once), render(t, "json", Redact(once)); !bytes.Equal(got, want) {
			t.Errorf("%s: the second time changed\n%s\nto\n%s", s.name, want, got)
		}
	}
}

// redactedWith redacts a report with one artifact and one reason.
func redactedWith(a Artifact, reason string) Report {
	r := emptySample()
	r.Artifacts = []Artifact{a}
	r.Findings = []Finding{{ID: "x/" + a.ID, Subject: audit.SubjectRef{Kind: "artifact", ID: a.ID, Name: a.Name}, Reason: reason}}
	return Redact(r)
}

func TestReferencesAreShownByWhatTheyTellOutsiders(t *testing.T) {
	for _, c := range []struct {
		name, reference, want string
		project               string
	}{
		{"Docker Hub by its short form", "library/redis:7", "library/redis:7", "redis"},
		{"a public registry", "quay.io/openstack.kolla/keystone:2025.1", "quay.io/openstack.kolla/keystone:2025.1", "keystone"},
		{"a public registry in capitals", "QUAY.IO/openstack.kolla/keystone:2025.1", "QUAY.IO/openstack.kolla/keystone:2025.1", "keystone"},
		{"the registry of OSISM", "registry.osism.tech/kolla/release/nova-api:30", "registry.osism.tech/kolla/release/nova-api:30", "nova"},
		{"an internal registry with a known image", "harbor.example.net/kolla/nova-api:30", "internal registry/kolla/nova-api:30", "nova"},
		{"an internal registry with port", "10.0.0.5:5000/kolla/nova-api:30", "internal registry/kolla/nova-api:30", "nova"},
		{"localhost", "localhost/kolla/nova-api:30", "internal registry/kolla/nova-api:30", "nova"},
		{"an internal registry with an unknown image", "harbor.example.net/team/shop:3", "internal registry/internal image 1:3", ""},
		{"a public registry with an unknown image", "ghcr.io/team/shop:3", "ghcr.io/team/shop:3", ""},
		{"a name that only begins like a public registry", "quay.io.example.net/team/nova-api:3", "internal registry/team/nova-api:3", "nova"},
		{"a directory of this machine", "oci:./audits/customer-a/keystone", "keystone", "keystone"},
		{"an absolute path", "/srv/customer-a/keystone.tar", "keystone.tar", "keystone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := Artifact{ID: "image:" + c.reference, Kind: "image", Name: "it", Reference: c.reference}
			if c.project != "" {
				a.Projects = []string{c.project}
			}
			got := redactedWith(a, "").Artifacts[0]
			if got.Reference != c.want || got.ID != "image:"+c.want {
				t.Errorf("got reference %q and id %q, want %q", got.Reference, got.ID, c.want)
			}
		})
	}
}

func TestSeveralInternalRegistriesStayApart(t *testing.T) {
	r := emptySample()
	for _, ref := range []string{"b.example.net/kolla/nova:1", "a.example.net/kolla/nova:1"} {
		r.Artifacts = append(r.Artifacts, Artifact{ID: "image:" + ref, Kind: "image", Name: "nova", Reference: ref, Projects: []string{"nova"}})
	}
	got := Redact(r).Artifacts
	if got[0].Reference != "internal registry 2/kolla/nova:1" || got[1].Reference != "internal registry 1/kolla/nova:1" {
		t.Errorf("got %q and %q, want registry 2 and 1 by sorted order", got[0].Reference, got[1].Reference)
	}
}

func TestHostsAreReplacedWhereverTheyStand(t *testing.T) {
	for _, c := range []struct{ name, host, reason, want string }{
		{"in a sentence", "ctl01", "ctl01 did not answer", "host 1 did not answer"},
		{"in another case", "ctl01", "CTL01 did not answer", "host 1 did not answer"},
		{"inside a longer word it is another name", "ctl0", "ctl01 did not answer", "ctl01 did not answer"},
		{"with a suffix", "ctl01", "file ctl01-backup.tar", "file host 1-backup.tar"},
		{"the short form of a full name", "ctl01.dc.example.net", "ctl01: refused", "host 1: refused"},
		{"the domain of a full name", "ctl01.dc.example.net", "ns.dc.example.net: refused", "ns.internal domain: refused"},
		{"an address of a private network", "ctl01", "dial tcp 10.1.2.3:22: refused", "dial tcp internal address:22: refused"},
		{"a public address stays", "ctl01", "dial tcp 198.51.100.7: refused", "dial tcp 198.51.100.7: refused"},
		{"a path of the machine", "ctl01", "reading /home/someone/stack/x.yml: no such file", "reading x.yml: no such file"},
		{"a path from the stack file", "ctl01", "reading ./customer/x.yml: no such file", "reading x.yml: no such file"},
		{"a word that a host is called by chance", "host", "the host is old", "the host is old"},
		{"a very short name is no word to look for", "a", "a release has no operator", "a release has no operator"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := redactedWith(Artifact{ID: "host:" + c.host, Kind: "host", Name: c.host}, c.reason)
			if got := r.Findings[0].Reason; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if a := r.Artifacts[0]; a.ID != "host:host 1" || a.Name != "host 1" || r.Findings[0].Subject.Name != "host 1" || r.Findings[0].Subject.ID != a.ID {
				t.Errorf("got artifact %q %q and subject %q, want host 1", a.ID, a.Name, r.Findings[0].Subject.Name)
			}
		})
	}
}

func TestAHostCalledLikeAProjectDoesNotRenameTheProject(t *testing.T) {
	r := emptySample()
	r.Artifacts = []Artifact{{ID: "host:keystone", Kind: "host", Name: "keystone"}}
	r.Projects = []Project{{ID: "keystone", Name: "keystone", Failure: "keystone has no clone"}}
	got := Redact(r)
	if got.Projects[0].Name != "keystone" || got.Projects[0].Failure != "keystone has no clone" || got.Artifacts[0].Name != "host 1" {
		t.Errorf("got project %q (%q) and host %q", got.Projects[0].Name, got.Projects[0].Failure, got.Artifacts[0].Name)
	}
}

func TestHostsAreNumberedInSortedOrder(t *testing.T) {
	r := emptySample()
	names := []string{"l", "k", "j", "i", "h", "g", "f", "e", "d", "c", "b", "a"}
	for _, n := range names {
		r.Artifacts = append(r.Artifacts, Artifact{ID: "host:srv-" + n, Kind: "host", Name: "srv-" + n})
	}
	got := Redact(r).Artifacts
	if got[11].Name != "host 01" || got[0].Name != "host 12" {
		t.Errorf("got %q for the first and %q for the last, want host 01 and host 12", got[11].Name, got[0].Name)
	}
}

func TestPlacesOfEvidenceAreShownOnlyIfOutsidersCanReachThem(t *testing.T) {
	for _, c := range []struct {
		name string
		url  string
		want bool
	}{
		{"a public repository", "https://github.com/openstack/keystone", true},
		{"a git address", "git://git.example.org/x", true},
		{"a name without dots", "https://gitlab/x", false},
		{"a private network", "https://192.168.3.4/x", false},
		{"this machine", "http://[::1]:8080/x", false},
		{"a reserved ending", "https://git.corp.internal/x", false},
		{"a file", "file:///srv/x", false},
		{"credentials", "https://user:secret@example.org/x", false},
		{"no address", "::::", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := emptySample()
			r.Findings = []Finding{{ID: "x", Origins: []audit.Origin{{Source: "git", URL: c.url, Path: "inner/path"}}}}
			got := Redact(r).Findings[0].Origins[0]
			if shown := got.URL == c.url && got.Path != ""; shown != c.want {
				t.Errorf("got %+v, want shown: %v", got, c.want)
			}
			if !c.want && got.URL+got.Path != "" {
				t.Errorf("got %+v, want neither address nor path", got)
			}
		})
	}
}

func TestSightingsShowFileNamesButNoRunningPlaces(t *testing.T) {
	for _, c := range []struct{ source, where, want string }{
		{"osism", "release/9.0.0/base.yml docker_images.redis", "base.yml docker_images.redis"},
		{"osism", `C:\audits\base.yml`, "base.yml"},
		{"osism", "https://github.com/osism/release/blob/main/base.yml", "https://github.com/osism/release/blob/main/base.yml"},
		{"image", "oci:./images/keystone", "keystone"},
		{"kubernetes", "payroll/shop-0", hiddenWhere},
		{"a source of tomorrow", "anything", hiddenWhere},
		{"host", "srv-1", "host 1"},
	} {
		t.Run(c.source+" "+c.where, func(t *testing.T) {
			a := Artifact{ID: "host:srv-1", Kind: "host", Name: "srv-1", Sightings: []Sighting{{Source: c.source, Where: c.where}}}
			if got := redactedWith(a, "").Artifacts[0].Sightings[0].Where; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestEveryPublicRegistryHasAReasonAndStandsInOrder(t *testing.T) {
	for i, r := range publicRegistries {
		if r.reason == "" || r.host != strings.ToLower(r.host) || i > 0 && publicRegistries[i-1].host >= r.host {
			t.Errorf("%q: want a reason, small letters, sorted", r.host)
		}
	}
}

func FuzzAHostNameNeverReachesThePublic(f *testing.F) {
	f.Add("ctl-east-01", "ctl-east-01 and CTL-EAST-01.", "after")
	f.Add("db7.cust.example.net", "from db7.cust.example.net to db7", "x")
	f.Add("zz9", "zz9zz9 zz9", "zz9")
	f.Fuzz(func(t *testing.T, host, reason, other string) {
		if len(host) < minName || host != strings.TrimSpace(host) || !strings.ContainsAny(strings.ToLower(host), "0123456789") || strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
			t.Skip("no host name")
		}
		if strings.Contains("host 1 internal domain 0123456789", lowerASCII(host)) {
			t.Skip("part of what stands for it")
		}
		r := emptySample()
		r.Artifacts = []Artifact{{ID: "host:" + host, Kind: "host", Name: host, Sightings: []Sighting{{Source: "host", Where: host}}}}
		r.Findings = []Finding{{ID: "q/host:" + host, Subject: audit.SubjectRef{Kind: "artifact", ID: "host:" + host, Name: host}, Reason: reason + " " + host + " " + other, Settle: []string{host}}}
		r.Drift = []Drift{{Kind: "older", Artifact: "host:" + host, Name: host, Detail: host + other}}
		public := Redact(r)
		text := lowerASCII(public.Findings[0].Reason)
		for i := 0; ; {
			at := strings.Index(text[i:], lowerASCII(host))
			if at < 0 {
				break
			}
			at += i
			end := at + len(host)
			if (at == 0 || !wordByte(text[at-1])) && (end == len(text) || !wordByte(text[end])) {
				t.Fatalf("host %q is in %q", host, text)
			}
			i = at + 1
		}
		if public.Artifacts[0].Name != "host 1" || public.Findings[0].ID != "q/host:host 1" || public.Findings[0].Settle[0] != "host 1" {
			t.Fatalf("host %q: got %q, %q, %q", host, public.Artifacts[0].Name, public.Findings[0].ID, public.Findings[0].Settle[0])
		}
		if again := Redact(public); again.Findings[0].Reason != public.Findings[0].Reason {
			t.Errorf("once more gives %q, want %q", again.Findings[0].Reason, public.Findings[0].Reason)
		}
	})
}
