package runbook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// steps are enough words for a section that says something.
const steps = "\nLog in to the manager, look at the state of the services, stop them one by one, and start them again in this order.\n"

func read(t *testing.T, files map[string]string) transparency.Place {
	t.Helper()
	a := Collect(context.Background(), transparency.Target{Kind: transparency.KindRunbooks, Repositories: []string{"https://git.example.org/ops/runbooks"}},
		transparency.World{Open: opening(repositoryOf(files), nil), At: judged})
	if a.Trouble != nil {
		t.Fatalf("trouble: %+v", a.Trouble)
	}
	return a.Runbooks.Places[0]
}

func topicList(p transparency.Place) string {
	var out []string
	for _, topic := range p.Topics {
		out = append(out, fmt.Sprintf("%s %s:%d", topic.Topic, topic.Path, topic.Line))
	}
	return strings.Join(out, "\n")
}

func TestTopicsAreFoundInThreeLanguagesByHeadingsAndNames(t *testing.T) {
	p := read(t, map[string]string{
		"docs/operations.md":      "---\ntitle: x\n---\n# How we work\n" + steps + "\n## Deployment of a node\n" + steps + "\n### Restore of the database\n```\n# Upgrade in code is no heading\nmariadb --restore " + strings.Repeat("step by step ", 9) + "\n```\n",
		"betrieb/handbuch.md":     "Störungen\n=========\n" + steps + "\nZugang zu den Systemen\n----------------------\n" + steps,
		"exploitation.rst":        "Mise à jour du système\n**********************\n" + steps + "\nSauvegarde\n----------\n" + steps,
		"guide.adoc":              "= Guide\n" + steps + "\n== Gestion des accès\n" + steps,
		"playbooks/upgrade.yml":   "---\n- name: Upgrade\n  hosts: control\n  tasks: []\n",
		"roles/x/tasks/main.yml":  "- name: Deploy nothing\n  debug: {}\n",
		"UpgradeGuide.md":         steps,
		"docs/user-guide/up.md":   "# Backup of your data\n" + steps,
		"CHANGELOG.md":            "# Deployment\n" + steps,
		"docs/empty.md":           "# Incident handling\n\nTODO: will be written when there is time, by somebody, perhaps in the next quarter or later\n",
		"docs/short.md":           "# Notfall\n\nsiehe oben\n",
		"tests/fixtures/rules.md": "# Restore\n" + steps,
	})
	want := `deploy docs/operations.md:8
upgrade UpgradeGuide.md:0
upgrade exploitation.rst:1
upgrade playbooks/upgrade.yml:0
backup docs/operations.md:12
backup exploitation.rst:6
incident betrieb/handbuch.md:1
access betrieb/handbuch.md:6
access guide.adoc:5`
	got := strings.Split(topicList(p), "\n")
	slices.SortStableFunc(got, func(a, b string) int { return strings.Compare(strings.Fields(a)[0], strings.Fields(b)[0]) })
	expected := strings.Split(want, "\n")
	slices.Sort(got)
	slices.Sort(expected)
	if !slices.Equal(got, expected) {
		t.Errorf("topics\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(expected, "\n     "))
	}
	if p.Playbooks != 1 || p.Documents != 10 {
		t.Errorf("got %d playbooks and %d documents, want 1 and 10", p.Playbooks, p.Documents)
	}
}

func TestWordsThatOnlyLookLikeATopicAreNone(t *testing.T) {
	for _, text := range []string{
		"Privilege escalation by headers", "Errors and Updates", "Update the SSH configuration", "Accessibility", "Where Designate is deployed", "Accessories",
		"Installments", "Node Networking Setup", "Installed base", "Droits d'auteur", "Success stories", "Aufbaustoffe",
	} {
		if got := topicsOf(text); len(got) != 0 {
			t.Errorf("%q speaks of %v", text, got)
		}
	}
	for text, want := range map[string]string{
		"System_Runbooks: How to get access": "access", "Zugriffsrechte": "access", "Datensicherung und Rücksicherung": "backup", "Wiederherstellung": "backup", "Gérer les habilitations": "access",
		"Déploiement": "", "Mise en service des nœuds": "deploy", "Dépannage": "incident", "Montée de version": "upgrade", "Störungsmanagement": "incident", "Inbetriebnahme": "deploy",
	} {
		got := strings.Join(topicsOf(text), ",")
		if want == "" {
			want = "deploy"
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestAnAddressFromABrowserNamesRepositoryAndFolder(t *testing.T) {
	for _, c := range []struct{ url, folder, want string }{
		{"https://github.com/example/ops", "", "https://github.com/example/ops  git"},
		{"https://github.com/example/ops/tree/main/docs/runbooks", "", "https://github.com/example/ops docs/runbooks git"},
		{"https://github.com/example/ops/tree/main", "", "https://github.com/example/ops  git"},
		{"https://gitlab.example.org/a/b/c/-/tree/main/docs", "", "https://gitlab.example.org/a/b/c docs git"},
		{"https://codeberg.org/example/ops/src/branch/main/docs", "", "https://codeberg.org/example/ops docs git"},
		{"https://git.example.org/ops.git", "/doc/", "https://git.example.org/ops.git doc git"},
		{"https://docs.example.org/ops/tree/oak", "", "https://docs.example.org/ops/tree/oak  "},
		{"https://docs.example.org/", "", "https://docs.example.org/  "},
	} {
		a := addressOf(c.url, c.folder, "")
		git := ""
		if a.git {
			git = "git"
		}
		if got := a.url + " " + a.folder + " " + git; got != c.want {
			t.Errorf("%s: got %q, want %q", c.url, got, c.want)
		}
	}
}

func TestAFolderAloneIsReadWhereOneIsNamed(t *testing.T) {
	files := map[string]string{"docs/ops/a.md": "# Upgrade\n" + steps, "other/b.md": "# Backup\n" + steps, "docs/ops2/c.md": "# Access\n" + steps}
	target := transparency.Target{Kind: transparency.KindRunbooks, URL: "https://github.com/example/ops/tree/main/docs/ops"}
	a := Collect(context.Background(), target, transparency.World{Open: opening(repositoryOf(files), nil), At: judged})
	if got := topicList(a.Runbooks.Places[0]); got != "upgrade docs/ops/a.md:1" {
		t.Errorf("topics: %q", got)
	}
	target.Path = "nowhere"
	a = Collect(context.Background(), target, transparency.World{Open: opening(repositoryOf(files), nil), At: judged})
	if a.Trouble == nil || !strings.Contains(a.Trouble.Text, `no files in "nowhere"`) {
		t.Errorf("a folder without files: %+v", a.Trouble)
	}
}

func TestTroubleWithAPlaceIsSaidAndWeighsOnlyIfNothingElseIsThere(t *testing.T) {
	gone := &audit.Trouble{Kind: audit.TroubleNotFound, Text: "the server says that there is no such repository"}
	offline := &audit.Trouble{Kind: audit.TroubleOffline, Text: "offline"}
	world := transparency.World{At: judged, Open: func(_ context.Context, url string) (*transparency.Repository, *audit.Trouble) {
		switch {
		case strings.HasSuffix(url, "gone"):
			return nil, gone
		case strings.HasSuffix(url, "offline"):
			return nil, offline
		}
		return repositoryOf(map[string]string{"a.md": steps}), nil
	}}
	target := transparency.Target{Kind: transparency.KindRunbooks, Repositories: []string{"https://example.org/offline", "https://example.org/gone"}}
	if a := Collect(context.Background(), target, world); a.Trouble != gone || a.Runbooks != nil || len(a.Seen) != 2 {
		t.Errorf("nothing readable: %+v", a)
	}
	target.Repositories = append(target.Repositories, "https://example.org/here")
	a := Collect(context.Background(), target, world)
	if a.Trouble != nil || len(a.Runbooks.Places) != 3 || a.Runbooks.Places[1].Trouble != gone {
		t.Errorf("one readable: %+v", a)
	}
	if a := Collect(context.Background(), transparency.Target{Kind: transparency.KindRunbooks}, world); a.Trouble.Kind != audit.TroubleNotNamed {
		t.Errorf("nothing named: %+v", a.Trouble)
	}
	if a := Collect(context.Background(), target, transparency.World{At: judged}); a.Trouble.Kind != audit.TroubleOffline {
		t.Errorf("a run that can read nothing: %+v", a.Trouble)
	}
	target.Repositories = nil
	for i := range maxPlaces + 5 {
		target.Repositories = append(target.Repositories, fmt.Sprintf("https://example.org/%d", i))
	}
	if a := Collect(context.Background(), target, world); len(a.Runbooks.Places) != maxPlaces || !strings.Contains(a.Notes[0], "first 20 of 25") {
		t.Errorf("too many places: %d, %q", len(a.Runbooks.Places), a.Notes)
	}
}

// The first line is that of gitprotocol-http: git http-backend announces the service in a packet of its own.
func TestACloneOfThisMachineIsPublicOnlyIfTheServerSaysSo(t *testing.T) {
	answers := map[string]func(http.ResponseWriter){
		"public": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", gitAdvertisement)
			fmt.Fprint(w, "001e# service=git-upload-pack\n0000010a"+strings.Repeat("a", 40)+" HEAD\x00 agent\n003f"+strings.Repeat("b", 40)+" refs/heads/a-persons-name\n0000")
		},
		"private": func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) },
		"page":    func(w http.ResponseWriter) { fmt.Fprint(w, "<html>welcome</html>") },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(r.URL.Path[1:], "/")
		answers[name](w)
	}))
	defer server.Close()
	for name, want := range map[string]string{"public": "true", "private": "false", "page": "none of git"} {
		r := repositoryOf(map[string]string{"a.md": steps})
		r.Local, r.URL = true, server.URL+"/"+name
		a := Collect(context.Background(), transparency.Target{Kind: transparency.KindRunbooks, Repositories: []string{r.URL}}, transparency.World{Open: opening(r, nil), Ask: asking(), At: judged})
		f := a.Runbooks.Places[0].Public
		got := f.Failure
		if v, known := f.Get(); known {
			got = fmt.Sprint(v)
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		for _, s := range a.Seen {
			if s.Size > 100 && name == "public" {
				t.Errorf("names of branches were kept: %d bytes", s.Size)
			}
		}
	}
	r := repositoryOf(map[string]string{"a.md": steps})
	r.Local = true
	a := Collect(context.Background(), transparency.Target{Kind: transparency.KindRunbooks, Repositories: []string{r.URL}}, transparency.World{Open: opening(r, nil), At: judged})
	if f := a.Runbooks.Places[0].Public; f.Unknown() != audit.MISS || f.Settle == "" {
		t.Errorf("nobody asked: %+v", f)
	}
}

func TestTheLicenceComesFromItsFileThenFromTheReadme(t *testing.T) {
	for _, c := range []struct {
		name    string
		licence audit.Fact[string]
		readme  string
		want    string // licence, open
	}{
		{"file", audit.Known("CC-BY-4.0"), "", "CC-BY-4.0 true "},
		{"closed", audit.Known("CC-BY-NC-SA-4.0"), "", "CC-BY-NC-SA-4.0 false "},
		{"readme words", audit.Failed[string]("there is no licence file at its root"), "The documents are licensed under the\nApache License, Version 2.0.", "Apache-2.0 true "},
		{"readme link", audit.Failed[string]("there is no licence file at its root"), "[CC](https://creativecommons.org/licenses/by-sa/4.0/)", "CC-BY-SA-4.0 true "},
		{"readme two", audit.Failed[string]("there is no licence file at its root"), "licensed under MIT, and licensed under CC BY 4.0", " false "},
		{"none", audit.Failed[string]("there is no licence file at its root"), "Nothing about rights.", " false "},
		{"unknown text", audit.Failed[string]("LICENSE holds no licence text that is known"), "licensed under MIT", " unknown LICENSE holds no licence text that is known"},
	} {
		r := repositoryOf(map[string]string{"README.md": "# Ops\n" + c.readme + steps})
		r.Licence = c.licence
		a := Collect(context.Background(), transparency.Target{Repositories: []string{r.URL}}, transparency.World{Open: opening(r, nil), At: judged})
		p := a.Runbooks.Places[0]
		expression, _ := p.Licence.Get()
		open := "unknown"
		if v, known := p.Open.Get(); known {
			open = fmt.Sprint(v)
		}
		if got := expression + " " + open + " " + p.Open.Failure; !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFilesThatCannotBeReadLeaveTheQuestionOfSecretsOpen(t *testing.T) {
	r := repositoryOf(map[string]string{"a.md": steps, "b.yml": "x: 1\n", "large.yml": strings.Repeat("x", maxFileSize+1)})
	plain := r.Read
	r.Read = func(ctx context.Context, id string, limit int64) ([]byte, error) {
		if id == "b.yml" {
			return nil, errors.New("the clone lacks the file")
		}
		return plain(ctx, id, limit)
	}
	fetched := 0
	r.Fetch = func(_ context.Context, ids []string) error { fetched += len(ids); return nil }
	a := Collect(context.Background(), transparency.Target{Repositories: []string{r.URL}}, transparency.World{Open: opening(r, nil), At: judged})
	if f := a.Runbooks.Places[0].SecretsSeen; f.Unknown() != audit.DNF || !strings.Contains(f.Failure, "1 files") {
		t.Errorf("secrets: %+v", f)
	}
	notes := strings.Join(a.Notes, "\n")
	if !strings.Contains(notes, "1 files of more than 1 MiB") || !strings.Contains(notes, "1 files could not be read") || fetched != 3 {
		t.Errorf("fetched %d, notes %q", fetched, notes)
	}
}

func TestConfigurationShowsInventoryVersionsAndRules(t *testing.T) {
	files := map[string]string{
		"inventory/20-roles":                     "[control]\nst01-ctl\n[compute:children]\nctl\n",
		"environments/manager/configuration.yml": "manager_version: 9.1.0\nceph_version: reef\n",
		"prometheus/node.rules":                  "groups:\n- name: node\n  rules:\n  - alert: NodeDown\n    expr: up == 0\n  - record: x:y\n    expr: sum(up)\n",
		"grafana/overview.json":                  `{"title": "Overview", "schemaVersion": 39, "panels": []}`,
	}
	target := transparency.Target{Kind: transparency.KindConfiguration, Repositories: []string{"https://git.example.org/ops/runbooks"}}
	a := CollectConfiguration(context.Background(), target, transparency.World{Open: opening(repositoryOf(files), nil), At: judged})
	if p := a.Configuration.Places[0]; !p.Inventory || !p.Versions || p.Rules != 3 {
		t.Errorf("got inventory %v, versions %v, %d rules; want true, true, 3", p.Inventory, p.Versions, p.Rules)
	}
	a = CollectConfiguration(context.Background(), target, transparency.World{Open: opening(repositoryOf(map[string]string{
		"inventory/README.md": "# Inventory\n" + steps, "inventory/hosts": "", "vars.yml": "some_version: latest\nname: value\n", "package.json": `{"panels": 1}`,
		"host_vars/a/secrets.yml": "$ANSIBLE_VAULT;1.1;AES256\n6162\n", "examples/inventory/hosts": "[all]\nx\n",
	}), nil), At: judged})
	if p := a.Configuration.Places[0]; p.Inventory || p.Versions || p.Rules != 0 {
		t.Errorf("nothing of worth: got inventory %v, versions %v, %d rules", p.Inventory, p.Versions, p.Rules)
	}
}
