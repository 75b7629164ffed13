package pipeline

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/reports"
)

// regionStack audits a stack of the given regions, each with the files that the function writes below its name.
func regionStack(t *testing.T, rest string, regions map[string]string, files map[string]string) reports.Report {
	t.Helper()
	text := rest + "regions:\n"
	for _, name := range sortedKeys(regions) {
		text += "  - name: " + name + "\n    " + strings.ReplaceAll(strings.TrimSpace(regions[name]), "\n", "\n    ") + "\n"
	}
	return judgeStack(t, text, func(dir string) {
		for name, content := range files {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// running is a list of docker with one container for each image.
func running(images ...string) string {
	var b strings.Builder
	for i, image := range images {
		fmt.Fprintf(&b, `{"ID": "%d%063d", "Image": %q, "Names": "c%d", "State": "running", "Status": "Up 3 weeks"}`+"\n", i+1, 0, image, i)
	}
	return b.String()
}

func hostFiles(root, pkg, version string) map[string]string {
	out := map[string]string{}
	for name, content := range debian(pkg, version) {
		out[root+"/"+name] = content
	}
	return out
}

const (
	regionKeystone = "registry.osism.tech/kolla/release/keystone:26.0.1.20250408"
	regionRedis    = "docker.io/library/redis:7.4.2"
)

func regionVerdict(t *testing.T, r reports.Report, scope, region string) reports.RegionVerdict {
	t.Helper()
	for _, v := range r.Verdicts {
		for _, x := range v.Regions {
			if v.Scope == scope && x.Region == region {
				return x
			}
		}
	}
	t.Fatalf("no verdict about %s in %s", scope, region)
	return reports.RegionVerdict{}
}

func findingsOf(r reports.Report, requirement, region string) []reports.Finding {
	var out []reports.Finding
	for _, f := range r.Findings {
		if f.Requirement == requirement && (len(f.Regions) == 0 || slices.Contains(f.Regions, region)) {
			out = append(out, f)
		}
	}
	return out
}

func TestTheExampleWithTwoRegionsTakesTheWorstAndReplays(t *testing.T) {
	stack, err := ReadStack("../../../examples/regions/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "b")
	r, _, err := Audit(t.Context(), stack, Options{Version: "test", Now: truthNow, Offline: true, Bundle: dir, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	v := r.Verdicts[0]
	if v.Outcome != "not-eligible" || !slices.Equal(v.Worst, []string{"muc"}) || len(v.Regions) != 2 {
		t.Fatalf("want not eligible because of muc, got %s because of %q", v.Outcome, v.Worst)
	}
	if fra := regionVerdict(t, r, "scs-open-iaas", "fra"); fra.Outcome != "undetermined" {
		t.Errorf("want fra undetermined, got %s because of %q", fra.Outcome, fra.Limiting)
	}
	if !strings.Contains(v.Limiting[0], "redis@7.4.2") {
		t.Errorf("want Redis first, got %q", v.Limiting)
	}
	for _, a := range r.Artifacts {
		want := []string{"fra", "muc"}
		switch {
		case a.Name == "redis":
			want = []string{"muc"}
		case !a.Seen:
			want = nil
		}
		if !slices.Equal(a.Regions, want) {
			t.Errorf("%s: want it in %q, got %q", a.Name, want, a.Regions)
		}
	}
	for _, x := range r.Regions {
		if x.Coverage.HostsExpected != 1 || x.Coverage.HostsSeen != 1 || x.MonitorSubject != "example-"+x.Name {
			t.Errorf("%s: want one host of one, got %d of %d (%s)", x.Name, x.Coverage.HostsSeen, x.Coverage.HostsExpected, x.MonitorSubject)
		}
	}
	if same, _, err := Replay(dir, AssessOptions{}); err != nil || !same {
		t.Errorf("want the same report again, got %v, %v", same, err)
	}
	if problems, err := bundle.Verify(dir); err != nil || len(problems) > 0 {
		t.Errorf("want a sound bundle, got %v, %v", problems, err)
	}
	for _, format := range []string{"text", "html"} {
		for _, shown := range []reports.Report{r, reports.Redact(r)} {
			data, err := reports.Render(format, shown, reports.Options{})
			if err != nil || !strings.Contains(string(data), "region muc") || !strings.Contains(string(data), "region fra") {
				t.Errorf("%s, %s: the regions are not named: %v", format, shown.Visibility, err)
			}
		}
	}
}

// A region is judged as if there were no other: beside a failing region it gets the verdict that it gets alone.
func TestARegionIsJudgedAsIfItWereAlone(t *testing.T) {
	files := map[string]string{"fra.json": running(regionKeystone), "muc.json": running(regionKeystone, regionRedis), "bad.json": "no list"}
	fra := "sources: [{containers: {ps: ./fra.json}}]"
	for _, muc := range []string{"sources: [{containers: {ps: ./muc.json}}]", "sources: [{containers: {ps: ./bad.json}}]", "sources: []"} {
		alone := regionVerdict(t, regionStack(t, "", map[string]string{"fra": fra}, files), "scs-open-iaas", "fra")
		r := regionStack(t, "", map[string]string{"fra": fra, "muc": muc}, files)
		beside := regionVerdict(t, r, "scs-open-iaas", "fra")
		for i, id := range beside.Limiting {
			beside.Limiting[i] = strings.TrimSuffix(id, " in fra")
		}
		a, _ := json.Marshal(alone)
		b, _ := json.Marshal(beside)
		if string(a) != string(b) {
			t.Errorf("%s\nalone  %s\nbeside %s", muc, a, b)
		}
	}
}

func TestASourceThatFailsInOneRegionIsThatRegionsTrouble(t *testing.T) {
	files := map[string]string{"fra.json": running(regionKeystone), "muc.json": "no list"}
	r := regionStack(t, "", map[string]string{"fra": "sources: [{containers: {ps: ./fra.json}}]", "muc": "sources: [{containers: {ps: ./muc.json}}]"}, files)
	if f := findingsOf(r, "sources-read", "fra"); len(f) != 1 || f[0].Outcome != audit.PASS {
		t.Errorf("want PASS in fra, got %+v", f)
	}
	if f := findingsOf(r, "sources-read", "muc"); len(f) != 1 || f[0].Outcome != audit.DNF {
		t.Errorf("want DNF in muc, got %+v", f)
	}
	named := false
	for _, u := range r.NotSeen {
		named = named || strings.Contains(u.What, "of region muc")
	}
	if !named {
		t.Errorf("want the source named with its region, got %+v", r.NotSeen)
	}
}

func TestARegionWithoutSourcesIsUndeterminedByName(t *testing.T) {
	const image = "registry.osism.tech/kolla/release/memcached:1.6.18.20250408"
	files := map[string]string{"all.json": running(image), "fra.json": running(image)}
	r := regionStack(t, "sources: [{containers: {ps: ./all.json}}]\n", map[string]string{"fra": "sources: [{containers: {ps: ./fra.json}}]", "muc": "monitor_subject: x-muc"}, files)
	muc := regionVerdict(t, r, "scs-open-iaas", "muc")
	if muc.Outcome != "undetermined" || muc.Reason == "" {
		t.Errorf("want muc undetermined because nothing of its own was seen, got %s: %q", muc.Outcome, muc.Reason)
	}
	if fra := regionVerdict(t, r, "scs-open-iaas", "fra"); fra.Reason != "" {
		t.Errorf("fra has an artifact of its own: %q", fra.Reason)
	}
}

// Two regions may call a machine by one name: one list says what runs in each, and contents never mix.
func TestMachinesOfTwoRegionsWithOneNameStayApart(t *testing.T) {
	files := hostFiles("fra/root", "bash", "5.2.15-2+b8")
	for name, content := range hostFiles("muc/root", "dash", "0.5.12-2") {
		files[name] = content
	}
	files["fra/hosts"], files["muc/hosts"] = "[all]\nctl-01\nctl-02\n", "[all]\nctl-01\n"
	region := func(name string) string {
		return fmt.Sprintf("sources: [{host: {root: ./%s/root, name: ctl-01}}, {crosscheck: {ansible: ./%s/hosts}}]", name, name)
	}
	r := regionStack(t, "", map[string]string{"fra": region("fra"), "muc": region("muc")}, files)
	var ids []string
	for _, a := range r.Artifacts {
		if a.Kind == "host" {
			ids = append(ids, a.ID)
			if a.Packages == nil || *a.Packages == 0 {
				t.Errorf("%s: its contents were not read", a.ID)
			}
		}
	}
	if !slices.Equal(ids, []string{"host:fra/ctl-01", "host:muc/ctl-01"}) {
		t.Fatalf("want two machines, got %q", ids)
	}
	packages := map[string][]string{}
	for _, f := range r.Findings {
		for _, region := range f.Regions {
			if f.Subject.Kind == "package" || f.Count > 0 {
				packages[region] = append(packages[region], f.ID)
			}
		}
	}
	if text := strings.Join(packages["fra"], " "); strings.Contains(text, "dash") || strings.Contains(text, "host:muc") {
		t.Errorf("fra is judged by packages of muc: %s", text)
	}
	if f := findingsOf(r, "inventory-complete", "fra"); len(f) != 1 || f[0].Outcome == audit.PASS || !strings.Contains(f[0].Reason+strings.Join(f[0].Missing, " "), "ctl-02") && f[0].Outcome == audit.FAIL {
		t.Errorf("want ctl-02 missing in fra, got %+v", f)
	}
	for _, x := range r.Regions {
		want := map[string]int{"fra": 2, "muc": 1}[x.Name]
		if x.Coverage.HostsExpected != want || x.Coverage.HostsSeen != 1 {
			t.Errorf("%s: want 1 host of %d, got %d of %d", x.Name, want, x.Coverage.HostsSeen, x.Coverage.HostsExpected)
		}
	}
	if text, err := reports.Render("json", reports.Redact(r), reports.Options{}); err != nil || strings.Contains(string(text), "ctl-0") {
		t.Errorf("a public report names a machine: %v", err)
	}
}

func TestIntentAndFactAreComparedWithinARegion(t *testing.T) {
	files := map[string]string{"fra.json": running(regionKeystone), "muc.json": running(regionRedis)}
	files["rel/9.9.9/sbom-openstack-2024.2.yml"] = "images:\n- image: " + regionKeystone + "\n"
	files["rel/9.9.9/base.yml"] = "docker_images: {}\nmanager_version: 9.9.9\n"
	r := regionStack(t, "sources: [{osism: {release: ./rel/9.9.9}}]\n", map[string]string{"fra": "sources: [{containers: {ps: ./fra.json}}]", "muc": "sources: [{containers: {ps: ./muc.json}}]"}, files)
	seen := map[string][]string{}
	for _, d := range r.Drift {
		if d.Kind == "not-declared" || d.Kind == "not-running" {
			seen[d.Kind+" "+d.Name] = d.Regions
		}
	}
	if !slices.Equal(seen["not-declared redis"], []string{"muc"}) || !slices.Equal(seen["not-running keystone"], []string{"muc"}) || len(seen) != 2 {
		t.Errorf("want both differences in muc alone, got %v", seen)
	}
}

func TestACorrectionMayCountInOneRegion(t *testing.T) {
	files := map[string]string{"a.json": running(regionKeystone, regionRedis), "b.json": running(regionKeystone, regionRedis)}
	regions := map[string]string{"fra": "sources: [{containers: {ps: ./a.json}}]", "muc": "sources: [{containers: {ps: ./b.json}}]"}
	r := regionStack(t, "assign: [{match: 'image:*/redis', not-deployed: true, region: fra, reason: a test that was left behind}]\n", regions, files)
	licence := func(region string) (n int) {
		for _, f := range findingsOf(r, "product-licence-osi", region) {
			if strings.Contains(f.ID, "redis") {
				n++
			}
		}
		return n
	}
	if licence("fra") != 0 || licence("muc") != 1 {
		t.Errorf("want Redis judged in muc only, got %d in fra and %d in muc", licence("fra"), licence("muc"))
	}
	if fra, muc := findingsOf(r, "corrections-accepted", "fra"), findingsOf(r, "corrections-accepted", "muc"); fra[0].Outcome == audit.PASS || muc[0].Outcome != audit.PASS {
		t.Errorf("want the correction open in fra only, got %s and %s", fra[0].Outcome, muc[0].Outcome)
	}
}

func TestTheMonitorIsAskedAboutEachRegionByItsName(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s := r.FormValue("subject"); s != "" && !slices.Contains(asked, s) {
			asked = append(asked, s)
		}
		complianceStatus(w, r)
	}))
	defer server.Close()
	text := `schema: pegel/stack/v1
subject: {name: t, kind: cloud, exposure: public, operator: {name: Example GmbH, domains: [example.org]}}
scopes: [scs-open-iaas]
network: {allow: [127.0.0.0/8]}
collect: {forges: false}
conformance: {scs_compatible: {monitor: "` + server.URL + `", subject: whole-cloud}}
regions:
  - {name: fra, monitor_subject: exemplary-cloud, sources: [{containers: {ps: ./a.json}}]}
  - {name: muc, monitor_subject: other-cloud, sources: [{containers: {ps: ./a.json}}]}
`
	stack, err := ParseStack([]byte(text), "stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	stack.Dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(stack.Dir, "a.json"), []byte(running(regionKeystone)), 0o644); err != nil {
		t.Fatal(err)
	}
	g, err := prepare(stack, Options{Version: "test", Now: operatorsDay, Clock: func() time.Time { return operatorsDay }, Bundle: filepath.Join(t.TempDir(), "b")})
	if err != nil {
		t.Fatal(err)
	}
	d := &dossier{levels: g.levels(t.Context(), g.visitor()), profiles: g.policy.Profiles(), policy: g.policy}
	d.stack.AssessedAt, d.stack.Subject, d.stack.Scopes = operatorsDay, stack.Subject, stack.Scopes
	slices.Sort(asked)
	if !slices.Equal(asked, []string{"exemplary-cloud", "other-cloud"}) {
		t.Errorf("want both regions asked for and the cloud not, got %q", asked)
	}
	fra := d.in(regionDocument{Name: "fra", Subject: "exemplary-cloud"}).standing("iaas")
	muc := d.in(regionDocument{Name: "muc", Subject: "other-cloud"}).standing("iaas")
	if fra.Tests.Outcome != audit.PASS || muc.Tests.Outcome == audit.PASS {
		t.Errorf("want tests to pass in fra only, got %s: %s and %s: %s", fra.Tests.Outcome, fra.Tests.Reason, muc.Tests.Outcome, muc.Tests.Reason)
	}
	d.regions = []regionDocument{{Name: "fra", Subject: "exemplary-cloud"}, {Name: "muc", Subject: "other-cloud"}}
	if _, reason := d.levelRung("iaas"); !strings.HasPrefix(reason, "region fra: ") {
		t.Errorf("want the first of two that are alike named, got %q", reason)
	}
}

func TestRegionsOfAStackFileAreReadStrictly(t *testing.T) {
	const head = "schema: pegel/stack/v1\nsubject: {name: t, kind: cloud}\nscopes: [scs-open-iaas]\n"
	const ps = "sources: [{containers: {ps: ./a.json}}]"
	many := "regions:\n"
	for i := range 65 {
		many += fmt.Sprintf("  - {name: r%d, %s}\n", i, ps)
	}
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":    {head + "regions: [{name: muc, source: []}]\n", `unknown key "source" in regions; did you mean "sources"?`},
		"key twice":      {head + "regions: [{name: muc, name: fra}]\n", "stands twice"},
		"no mapping":     {head + "regions: [muc]\n", "regions must be a mapping"},
		"no name":        {head + "regions: [{" + ps + "}]\n", "line 4: entry 1 has no name"},
		"no id":          {head + "regions: [{name: Muc 1, " + ps + "}]\n", `name is "Muc 1", want lower-case letters`},
		"twice":          {head + "regions: [{name: muc, " + ps + "}, {name: muc, " + ps + "}]\n", `entry 2: region "muc" stands there twice`},
		"too many":       {head + many, "65 regions; at most 64"},
		"a person":       {head + "regions: [{name: muc, monitor_subject: a@example.org, " + ps + "}]\n", "may name a person"},
		"no source":      {head + "regions: [{name: muc}]\n", "no source is given"},
		"of a release":   {strings.Replace(head, "cloud", "release", 1) + "regions: [{name: muc, " + ps + "}]\n", "a release runs nowhere"},
		"unknown assign": {head + "regions: [{name: muc, " + ps + "}]\nassign: [{match: 'image:*/x', tier: ops, region: mux, reason: y}]\n", `entry 1: unknown region "mux"; did you mean "muc"?`},
		"unknown conformance": {head + "regions: [{name: muc, " + ps + "}]\nconformance: {scs_compatible: {monitor: 'https://m.example.org', subject: x, region: mucc}}\n",
			`unknown region "mucc"; did you mean "muc"?`},
		"unknown transparency": {head + "regions: [{name: muc, " + ps + "}]\ntransparency: {status_page: {url: 'https://s.example.org', region: fra}}\n", `unknown region "fra"`},
		"bad source":           {head + "regions: [{name: muc, sources: [{containerz: {}}]}]\n", "containerz"},
	} {
		stack, err := ParseStack([]byte(c.text), "stack.yaml")
		if err == nil {
			stack.Dir = t.TempDir()
			_, err = prepare(stack, Options{Now: truthNow, Bundle: filepath.Join(t.TempDir(), "b")})
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, got %v", name, c.want, err)
		}
	}
}
