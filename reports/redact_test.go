package reports

import (
	"bytes"
	"fmt"
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

// seenAt redacts a report with one image that was seen at the given places, a reason and a difference about it.
func seenAt(reason string, sightings ...Sighting) Report {
	r := emptySample()
	r.Artifacts = []Artifact{{ID: "image:quay.io/ceph/ceph:18", Kind: "image", Name: "ceph", Reference: "quay.io/ceph/ceph:18", Projects: []string{"ceph"}, Sightings: sightings}}
	r.Findings = []Finding{{ID: "x", Title: "Every artifact was seen running", Reason: reason}}
	r.Drift = []Drift{{Kind: "older", Artifact: r.Artifacts[0].ID, Name: "ceph", Detail: reason, Open: reason}}
	r.NotSeen = []Unseen{{What: "withheld evidence", Reason: reason, Settle: reason}}
	return Redact(r)
}

func TestNamespacesAndWorkloadsAreHiddenAndPublicWordsStay(t *testing.T) {
	in := func(namespace, workload string) Sighting {
		return Sighting{Source: "kubernetes", Where: "east, namespace " + namespace + ", " + workload, State: "running", Namespace: namespace, Workload: workload}
	}
	for _, c := range []struct {
		name         string
		seen         Sighting
		reason, want string
	}{
		{"a namespace that tells something", in("payroll", "Deployment/x"), "payroll was not read", "namespace 1 was not read"},
		{"named as one", in("payroll", "Deployment/x"), "pods in namespace payroll: refused", "pods in namespace 1: refused"},
		{"named as one in quotes", in("payroll", "Deployment/x"), `pods in namespace "payroll": refused`, "pods in namespace 1: refused"},
		{"called like a product", in("ceph", "Deployment/x"), "ceph runs with other contents", "ceph runs with other contents"},
		{"called like a product, named as a namespace", in("ceph", "Deployment/x"), "ceph in namespace ceph runs", "ceph in namespace 1 runs"},
		{"called like a word of our sentences", in("running", "Deployment/x"), "nothing was seen running", "nothing was seen running"},
		{"called like a word of the criteria", in("artifact", "Deployment/x"), "no artifact was read", "no artifact was read"},
		{"one that every cluster has", in("default", "Deployment/x"), "the default is used", "the default is used"},
		{"one that the report does not know", in("payroll", "Deployment/x"), "pods in namespace tenant-9: refused", "pods in a namespace: refused"},
		{"one that the report does not know, without preposition", in("payroll", "Deployment/x"), "namespace tenant-9 refused", "a namespace refused"},
		{"namespaces in general", in("payroll", "Deployment/x"), "the namespace is left out", "the namespace is left out"},
		{"the name of a workload", in("payroll", "Deployment/wage-runner"), "wage-runner names no image", "internal workload names no image"},
		{"a workload with its kind", in("payroll", "Deployment/wage-runner"), "Deployment/wage-runner restarts", "Deployment/internal workload restarts"},
		{"a workload called like a product", in("payroll", "Deployment/ceph"), "ceph runs", "ceph runs"},
		{"a container called like a product", in("payroll", "ceph"), "ceph runs", "ceph runs"},
		{"a pod that the report does not know", in("payroll", "Deployment/x"), "pod shop-7f9-abcde in namespace payroll: no image", "a pod in namespace 1: no image"},
		{"a node that the report does not know", in("payroll", "Deployment/x"), "node comp-17.dc1 is not ready", "a node is not ready"},
		{"the cluster", in("payroll", "Deployment/x"), "east: pods were not read", "internal place: pods were not read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := seenAt(c.reason, c.seen)
			for field, got := range map[string]string{"reason": r.Findings[0].Reason, "detail": r.Drift[0].Detail, "open": r.Drift[0].Open, "not seen": r.NotSeen[0].Reason, "settle": r.NotSeen[0].Settle} {
				if got != c.want {
					t.Errorf("%s: got %q, want %q", field, got, c.want)
				}
			}
			if got := r.Artifacts[0].Sightings[0]; got.Namespace != "namespace 1" || got.Where != hiddenWhere || got.State != "running" || r.Artifacts[0].Name != "ceph" || r.Drift[0].Name != "ceph" {
				t.Errorf("got %+v of %q", got, r.Artifacts[0].Name)
			}
		})
	}
}

func TestLabelsOfManyNamespacesStayInProse(t *testing.T) {
	var all []Sighting
	for i := range 12 {
		all = append(all, Sighting{Source: "kubernetes", Namespace: fmt.Sprintf("tenant-%c", 'a'+i)})
	}
	r := seenAt("pods in namespace tenant-l: refused", all...)
	for range 2 {
		if want := "pods in namespace 12: refused"; r.Findings[0].Reason != want {
			t.Errorf("got %q, want %q", r.Findings[0].Reason, want)
		}
		r = Redact(r)
	}
}

func TestWorkloadsAreShownByTheirKindOnly(t *testing.T) {
	for workload, want := range map[string]string{
		"Deployment/shop": "Deployment", "StatefulSet/shop": "StatefulSet", "Rollout/shop": "workload", "shop": "workload", "Shop": "workload", "": "", "Deployment": "Deployment", "Node/ctl01": "Node", "/": "workload",
	} {
		if got := seenAt("", Sighting{Source: "kubernetes", Workload: workload}).Artifacts[0].Sightings[0].Workload; got != want {
			t.Errorf("%q: got %q, want %q", workload, got, want)
		}
	}
}

func TestAHostHasOneLabelWhereverItIsNamed(t *testing.T) {
	r := emptySample()
	r.Artifacts = []Artifact{
		{ID: "host:ctl01.dc1.acme.example", Kind: "host", Name: "ctl01.dc1.acme.example", Sightings: []Sighting{{Source: "host", Where: "ctl01.dc1.acme.example", Hosts: []string{"ctl01.dc1.acme.example"}}}},
		{ID: "image:x", Kind: "image", Name: "x", Sightings: []Sighting{{Source: "containers", Where: "ctl01", Hosts: []string{"CTL01", "db", "redis", "10.0.0.7"}}}},
		{ID: "software:redis@7", Kind: "software", Name: "redis"},
	}
	r.NotSeen = []Unseen{{What: "hosts without anything seen on them", Reason: "named by Ansible inventory", Count: 2, Names: []string{"ctl02.dc1.acme.example", "redis"}}}
	r.Findings = []Finding{{ID: "1", Reason: "ctl01 and ctl02.dc1.acme.example and db7 and 10 others; redis is old"}}
	r.Drift = []Drift{
		{Kind: "end-of-life", Artifact: "host:ctl01.dc1.acme.example", Name: "ctl01.dc1.acme.example", Detail: "ctl01.dc1.acme.example: maintenance of Ubuntu 20.04 ended",
			Running: &DriftSide{Artifact: "host:ctl01.dc1.acme.example", Reference: "ctl01.dc1.acme.example", Where: []string{"ctl01.dc1.acme.example"}, Origins: []audit.Origin{{Source: "host"}}}},
	}
	got := Redact(r)
	if hosts := strings.Join(got.Artifacts[1].Sightings[0].Hosts, ", "); hosts != "host 2, host 4, host 5, host 1" {
		t.Errorf("got hosts %s", hosts)
	}
	if a := got.Artifacts[0]; a.Name != "host 2" || a.Sightings[0].Hosts[0] != "host 2" || a.Sightings[0].Where != "host 2" {
		t.Errorf("got %+v", a)
	}
	if names := strings.Join(got.NotSeen[0].Names, ", "); names != "host 3, host 5" {
		t.Errorf("got missing %s", names)
	}
	if want := "host 2 and host 3 and db7 and 10 others; redis is old"; got.Findings[0].Reason != want {
		t.Errorf("got %q, want %q", got.Findings[0].Reason, want)
	}
	d := got.Drift[0]
	if d.Artifact != "host:host 2" || d.Name != "host 2" || d.Detail != "host 2: maintenance of Ubuntu 20.04 ended" || d.Running.Where[0] != "host 2" || d.Running.Reference != "" {
		t.Errorf("got %+v and %+v", d, d.Running)
	}
}

func TestADifferenceAboutAHostThatIsCalledLikeAProductDoesNotTellItsName(t *testing.T) {
	r := emptySample()
	r.Artifacts = []Artifact{{ID: "host:redis", Kind: "host", Name: "redis"}, {ID: "software:redis@7", Kind: "software", Name: "redis"}}
	r.Drift = []Drift{{Kind: "end-of-life", Artifact: "host:redis", Name: "redis", Detail: "redis: maintenance of Ubuntu 20.04 ended"}, {Kind: "older", Artifact: "software:redis@7", Name: "redis", Detail: "redis 7 runs"}}
	got := Redact(r).Drift
	if got[0].Name != "host 1" || got[0].Detail != "host 1: maintenance of Ubuntu 20.04 ended" || got[1].Name != "redis" || got[1].Detail != "redis 7 runs" {
		t.Errorf("got %+v", got)
	}
}

func TestAWordOfAHostNeverChangesWhatTheSchemaFixes(t *testing.T) {
	r := cloudSample()
	for _, name := range []string{"running", "older", "contents", "kubernetes", "offered", "host", "declared", "ops"} {
		r.Artifacts = append(r.Artifacts, Artifact{ID: "host:" + name, Kind: "host", Name: name, Projects: []string{}, Tiers: []string{"ops"},
			Sightings: []Sighting{{Source: "host", Where: name, State: "running", Hosts: []string{name}, Namespace: name, Workload: name}}})
	}
	if err := compiled(t, "report").Validate(parsed(t, render(t, "json", Redact(r)))); err != nil {
		t.Error(err)
	}
}

func TestReferencesOfSightingsAndSidesShowNoInternalRegistry(t *testing.T) {
	r := emptySample()
	digest := audit.DigestOf([]byte("x"))
	r.Artifacts = []Artifact{
		{ID: "image:" + string(digest), Kind: "image", Name: "nova-api", Reference: "quay.io/kolla/nova-api:1", Projects: []string{"nova"},
			Sightings: []Sighting{{Source: "containers", Where: "x.json: a.acme.example/kolla/nova-api:1", Reference: "a.acme.example/kolla/nova-api:1"}, {Source: "image", Where: "b.acme.example:5000/kolla/nova-api:1", Reference: "b.acme.example:5000/kolla/nova-api:1"}}},
		{ID: "image:" + string(digest[:70]) + "0", Kind: "image", Name: "shop", Sightings: []Sighting{{Source: "containers", Reference: "a.acme.example/retail/shop:1"}}},
	}
	r.Drift = []Drift{{Kind: "older", Artifact: r.Artifacts[0].ID, Name: "nova-api", Declared: &DriftSide{Artifact: r.Artifacts[0].ID, Reference: "c.acme.example/kolla/nova-api:1", Where: []string{"c.acme.example/kolla/nova-api:1"}, Origins: []audit.Origin{{Source: "image"}}}},
		{Kind: "not-declared", Artifact: r.Artifacts[1].ID, Name: "shop", Detail: "shop runs", Running: &DriftSide{Artifact: r.Artifacts[1].ID, Reference: "a.acme.example/retail/shop:1", Where: []string{}}}}
	r.NotSeen = []Unseen{{What: "source image d.acme.example/kolla/cinder:1", Reason: "d.acme.example: refused"}}
	got := Redact(r)
	for _, c := range [][2]string{
		{got.Artifacts[0].Sightings[0].Reference, "internal registry 1/kolla/nova-api:1"},
		{got.Artifacts[0].Sightings[1].Reference, "internal registry 2/kolla/nova-api:1"},
		{got.Artifacts[0].Sightings[1].Where, "nova-api:1"},
		{got.Artifacts[1].Sightings[0].Reference, "internal registry 1/internal image 2:1"},
		{got.Artifacts[1].Name, "internal image 2"},
		{got.Drift[0].Declared.Reference, "internal registry 3/kolla/nova-api:1"},
		{got.Drift[0].Declared.Where[0], "nova-api:1"},
		{got.Drift[1].Name, "internal image 2"}, {got.Drift[1].Detail, "internal image 2 runs"},
		{got.NotSeen[0].Reason, "internal registry 4: refused"},
	} {
		if c[0] != c[1] {
			t.Errorf("got %q, want %q", c[0], c[1])
		}
	}
	if data := string(render(t, "json", got)); strings.Contains(data, "acme") || strings.Contains(data, "retail") {
		t.Errorf("an internal name is in %s", data)
	}
}

func TestPlacesOfADifferenceAreShownBySource(t *testing.T) {
	for _, c := range []struct{ source, where, want string }{
		{"configuration", "environments/acme/configuration.yml: enable_heat", "configuration.yml: enable_heat"},
		{"configuration", "inventory/host_vars/ctl99/main.yml: nova_tag", "host_vars nova_tag"},
		{"osism", "9.0.0/base.yml: docker_images.redis", "base.yml: docker_images.redis"},
		{"kubernetes", "east, namespace payroll, Deployment/shop", hiddenWhere},
		{"containers", "exports/ctl01.json: x", hiddenWhere},
		{"a source of tomorrow", "anything", hiddenWhere},
	} {
		t.Run(c.source+" "+c.where, func(t *testing.T) {
			r := emptySample()
			side := DriftSide{Where: []string{c.where}, Origins: []audit.Origin{{Source: c.source, Path: "secret/dir/file.yml"}}}
			r.Drift = []Drift{{Kind: "older", Artifact: "x", Name: "x", Declared: &side, Running: &DriftSide{Where: []string{c.where, c.where}, Origins: side.Origins}}}
			got := Redact(r).Drift[0]
			if got.Declared.Where[0] != c.want {
				t.Errorf("got %q, want %q", got.Declared.Where[0], c.want)
			}
			if got.Running.Where[0] != hiddenWhere {
				t.Errorf("a place whose source is not known: got %q", got.Running.Where[0])
			}
			if path := got.Declared.Origins[0].Path; c.source != "osism" && path != "file.yml" {
				t.Errorf("got path %q of the evidence, want its file name", path)
			}
		})
	}
}

func TestSourcesThatWereNotReadAreNamedByTheirKind(t *testing.T) {
	for _, c := range []struct{ what, reason, wantWhat, wantReason string }{
		{"source host ctl-09", "ctl-09: connection refused", "source host", "internal place: connection refused"},
		{"source kubernetes east-prod (exports/acme/pods.json)", "east-prod: pods.json: line 3: no list", "source kubernetes", "internal place: pods.json: line 3: no list"},
		{"source containers unix:///run/docker.sock", "docker did not answer", "source containers", "docker did not answer"},
		{"source osism ./acme/9.0.0", "no base.yml", "source osism 9.0.0", "no base.yml"},
		{"12 pods of kubernetes east-prod", "left out by the stack file: namespaces that match bigbank-*", "12 pods of kubernetes", "left out by the stack file"},
		{"withheld evidence", "third-party text", "withheld evidence", "third-party text"},
		{"key conformance of the stack file", "not read", "key conformance of the stack file", "not read"},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := emptySample()
			r.NotSeen = []Unseen{{What: c.what, Reason: c.reason}}
			once := Redact(r)
			if got := once.NotSeen[0]; got.What != c.wantWhat || got.Reason != c.wantReason {
				t.Errorf("got %q: %q, want %q: %q", got.What, got.Reason, c.wantWhat, c.wantReason)
			}
			if twice := Redact(once).NotSeen[0]; twice.What != c.wantWhat || twice.Reason != c.wantReason {
				t.Errorf("twice: got %q: %q", twice.What, twice.Reason)
			}
		})
	}
}

func TestCopiesAreCountedBeforeWorkloadsLoseTheirNames(t *testing.T) {
	r := seenAt("", Sighting{Source: "kubernetes", State: "running", Namespace: "a", Workload: "Deployment/x", Replicas: 2}, Sighting{Source: "kubernetes", State: "running", Namespace: "a", Workload: "Deployment/y", Replicas: 3})
	if got := r.Artifacts[0].copies(); got != 5 || r.Artifacts[0].Replicas != 5 {
		t.Errorf("got %d and %d, want 5", got, r.Artifacts[0].Replicas)
	}
}

func TestWaiversTasksAndWhatIfsTellNothingThatAFindingHides(t *testing.T) {
	const prose = "ask 10.1.2.3 for pods in namespace payroll, see /srv/acme/list.json"
	r := emptySample()
	r.Findings = []Finding{{ID: "q/x", Reason: prose, Settle: []string{prose}, Waived: &audit.Waived{By: "Example Assessors", Reason: prose}}}
	r.Waivers = []Waiver{
		{Requirement: "q", Subject: "host:ctl77.acme.example", By: "Example Assessors", Reason: prose, Unused: "nothing of that name was judged"},
		{Requirement: "q", Subject: "image:reg.acme.example/retail/shop:1", Reason: "retail/shop on ctl77.acme.example ends"},
	}
	r.Worklist = []Outlook{{Layer: "iaas", Tasks: []Task{{Findings: []string{"q/x"}, Settle: []string{prose}}}, Remains: []Task{{Settle: []string{prose}}}}}
	r.WhatIf = &WhatIf{Gone: []WhatIfLine{{Finding: "q/x", Settle: []string{prose}}}, New: []WhatIfLine{{Settle: []string{prose}}}}
	once := Redact(r)
	data := render(t, "json", once)
	for _, secret := range []string{"10.1.2.3", "payroll", "acme", "ctl77", "retail"} {
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("%q is in %s", secret, data)
		}
	}
	if twice := render(t, "json", Redact(once)); !bytes.Equal(data, twice) {
		t.Errorf("redacting twice changes\n%s\nto\n%s", data, twice)
	}
}

// FuzzNoNameOfTheInsideReachesThePublic puts one name into every new field and looks for it in all of them.
func FuzzNoNameOfTheInsideReachesThePublic(f *testing.F) {
	f.Add("payroll-7", "pods of payroll-7 in namespace payroll-7", uint8(0))
	f.Add("tenant.a9", "node tenant.a9", uint8(1))
	f.Add("shop-1", "Deployment/shop-1 on shop-1", uint8(2))
	f.Add("reg9.acme", "reg9.acme/x", uint8(3))
	f.Fuzz(func(t *testing.T, name, reason string, kind uint8) {
		if len(name) < minName || !strings.ContainsAny(name, "0123456789") || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" || !wordByte(name[0]) || !wordByte(name[len(name)-1]) || strings.Contains(name, "..") {
			t.Skip("no name")
		}
		if strings.Trim(name, "0123456789.") == "" || strings.Contains("host 1 namespace 1 internal registry workload image domain place address sha256", name) {
			t.Skip("a number, or part of what stands for it")
		}
		reason = strings.ToLower(reason)
		s := Sighting{Source: "kubernetes", Where: "east, " + name + ", Deployment/" + name, State: "running", Replicas: 1, Origin: audit.Origin{Source: "kubernetes", Path: "exports/" + name + "/pods.json"}}
		side := &DriftSide{Artifact: "image:x", Where: []string{name + ", " + name}, Origins: []audit.Origin{s.Origin}}
		switch kind % 4 {
		case 0:
			s.Namespace = name
		case 1:
			s.Hosts = []string{name}
		case 2:
			s.Workload = "Deployment/" + name
		case 3:
			if !strings.Contains(name, ".") || PublicRegistry(name) {
				t.Skip("no registry")
			}
			s.Reference, side.Reference = name+"/kolla/nova:1", name+"/kolla/nova:1"
		}
		r := emptySample()
		r.Artifacts = []Artifact{{ID: "image:x", Kind: "image", Name: "nova", Projects: []string{"nova"}, Sightings: []Sighting{s}}}
		r.Drift = []Drift{{Kind: "older", Artifact: "image:x", Name: "nova", Detail: reason + " " + name, Open: name + " " + reason, Declared: side, Running: side}}
		r.NotSeen = []Unseen{{What: "source kubernetes " + name, Reason: reason + " " + name, Settle: name, Names: []string{name}}}
		public := Redact(r)
		shown := public.Artifacts[0].Sightings[0]
		d := public.Drift[0]
		for _, text := range append(append([]string{shown.Where, shown.Reference, shown.Namespace, shown.Workload, shown.Origin.Path, d.Detail, d.Open, d.Declared.Reference,
			public.NotSeen[0].What, public.NotSeen[0].Reason, public.NotSeen[0].Settle}, shown.Hosts...), append(d.Running.Where, public.NotSeen[0].Names...)...) {
			if standsIn(lowerASCII(text), name) {
				t.Errorf("%q is in %q", name, text)
			}
		}
		if once, twice := render(t, "json", public), render(t, "json", Redact(public)); !bytes.Equal(once, twice) {
			t.Errorf("redacting twice changes\n%s\nto\n%s", once, twice)
		}
	})
}

// standsIn reports whether a name stands in a text as a word.
func standsIn(text, name string) bool {
	for i := 0; ; {
		at := strings.Index(text[i:], name)
		if at < 0 {
			return false
		}
		at += i
		end := at + len(name)
		if (at == 0 || !wordByte(text[at-1])) && (end == len(text) || !wordByte(text[end])) {
			return true
		}
		i = at + 1
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
		r.Artifacts = append(r.Artifacts, Artifact{ID: "image:x", Kind: "image", Name: "x", Sightings: []Sighting{{Source: "containers", Hosts: []string{host}}}})
		r.NotSeen = []Unseen{{What: "hosts without anything seen on them", Names: []string{host}}}
		r.Drift = []Drift{{Kind: "older", Artifact: "host:" + host, Name: host, Detail: reason + " " + host, Open: host + " " + other}}
		public := Redact(r)
		for _, text := range []string{public.Findings[0].Reason, public.Drift[0].Detail, public.Drift[0].Open, public.Artifacts[1].Sightings[0].Hosts[0], public.NotSeen[0].Names[0]} {
			if standsIn(lowerASCII(text), lowerASCII(host)) {
				t.Fatalf("host %q is in %q", host, text)
			}
		}
		if public.Artifacts[0].Name != "host 1" || public.Findings[0].ID != "q/host:host 1" || public.Findings[0].Settle[0] != "host 1" {
			t.Fatalf("host %q: got %q, %q, %q", host, public.Artifacts[0].Name, public.Findings[0].ID, public.Findings[0].Settle[0])
		}
		if again := Redact(public); again.Findings[0].Reason != public.Findings[0].Reason {
			t.Errorf("once more gives %q, want %q", again.Findings[0].Reason, public.Findings[0].Reason)
		}
	})
}
