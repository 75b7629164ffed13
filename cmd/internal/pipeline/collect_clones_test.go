//go:build unix

package pipeline

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/scoring"
)

// likeness is a kind of project to generate: how its files and its history look. The numbers are near the median of the
// catalogue's smaller projects; the benchmark on real clones says how far that carries.
type likeness struct {
	name     string
	sources  [][2]string // suffix of source files and a line of such a file
	files    map[string]string
	trailers string // of each commit; %d is its number
	bots     int    // each so many-th commit is by a machine
}

const (
	commitsPerShape = 800
	filesPerShape   = 300
)

func likenesses(licence string) []likeness {
	common := func(more map[string]string) map[string]string {
		files := map[string]string{
			"LICENSE": licence, "README.md": "# A project\n\n[![ok](https://example.org/badge)](https://example.org)\n" + strings.Repeat("Some words on what it does.\n", 60),
			"CONTRIBUTING.md": "# Contributing\n\nSend a change; two people review it.\n", "SECURITY.md": "# Security\n\nWrite to security@example.org.\n",
			".gitignore": "*.o\nbuild/\n", "docs/index.md": strings.Repeat("More words.\n", 100),
		}
		for name, text := range more {
			files[name] = text
		}
		return files
	}
	workflow := "name: test\non: [push, pull_request]\npermissions: {contents: read}\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n    - uses: actions/checkout@v4\n    - run: make test\n"
	goLine := [2]string{".go", "func (s *server) handle(name string) error { return s.next.handle(name) }\n"}
	pyLine := [2]string{".py", "        self.value = self.compute(context, key='name', other=None)\n"}
	cLine := [2]string{".c", "static int compute(struct state *s, int a) { return s->base + a; }\n"}
	shLine := [2]string{".sh", "if [ -n \"$NAME\" ]; then echo \"$(basename \"$NAME\")\"; fi\n"}
	jsLine := [2]string{".ts", "export const compute = (a: number): number => other(a) + 1\n"}
	return []likeness{
		{name: "gerrit", sources: [][2]string{pyLine, pyLine, pyLine, shLine}, bots: 12, trailers: "\nChange-Id: I%040x\nReviewed-by: Rev One <rev1@example.org>\n", files: common(map[string]string{
			".gitreview": "[gerrit]\nhost=review.example.org\nport=29418\nproject=example/gerrit.git\n", ".zuul.yaml": "- project:\n    check: {jobs: [tox]}\n", "tox.ini": "[testenv]\ncommands = stestr run\n", "setup.cfg": "[metadata]\nname = example\n",
		})},
		{name: "hub", sources: [][2]string{goLine, goLine, goLine, shLine}, bots: 5, trailers: "\nSigned-off-by: Person <p%d@example.org>\n", files: common(map[string]string{
			".github/workflows/test.yml": workflow, ".github/dependabot.yml": "version: 2\nupdates:\n- {package-ecosystem: gomod, directory: /, schedule: {interval: weekly}}\n", "go.mod": "module example.org/hub\n\ngo 1.25\n",
			"Dockerfile": "FROM example.org/base:1\nRUN go build ./...\n", "OWNERS": "approvers: [one, two]\n",
		})},
		{name: "mail", sources: [][2]string{cLine, cLine, cLine, shLine}, trailers: "\nAcked-by: Rev Two <rev2@example.org>\nSigned-off-by: Person <p%d@example.org>\n", files: common(map[string]string{
			"MAINTAINERS": "Person\n", "AUTHORS": "Persons\n", ".cirrus.yml": "task: {script: make check}\n", ".mailmap": "Person One <p1@example.org> <old1@example.org>\n",
		})},
		{name: "lab", sources: [][2]string{pyLine, goLine, jsLine}, bots: 9, trailers: "\nNumber %d\n", files: common(map[string]string{
			".gitlab-ci.yml": "test: {script: make test}\n", "pyproject.toml": "[project]\nname = 'lab'\n", "CODEOWNERS": "* @one @two\n",
		})},
		{name: "chart", sources: [][2]string{jsLine, {".yaml", "key: {name: value, other: [1, 2, 3]}\n"}, goLine}, bots: 3, trailers: "\nNumber %d\n", files: common(map[string]string{
			".github/workflows/test.yml": workflow, "package.json": "{\"name\": \"chart\"}\n", "renovate.json": "{}\n", "proposals/0001-first.md": "# First\n",
		})},
	}
}

// generatedEstate makes a clone of each shape and gives it to many projects of the catalogue; a registry of governance with
// the projects of OpenStack stands beside them.
func generatedEstate(b *testing.B, projects []scoring.Project, n int) estate {
	licence, err := os.ReadFile("../../../LICENSE")
	if err != nil {
		b.Fatal(err)
	}
	s := estate{mirror: b.TempDir(), deployed: map[string][]string{}, at: judged}
	kinds := likenesses(string(licence))
	built := make([]string, len(kinds))
	for i, k := range kinds {
		built[i] = k.build(b, uint64(i))
	}
	var teams strings.Builder
	for _, p := range projects {
		folder := folderOf(p.Repo)
		if len(s.ids) == n || p.Repo == "" {
			continue
		}
		to := filepath.Join(s.mirror, folder, "repo")
		if _, err := os.Stat(to); err != nil { // two projects can share a repository
			linkClone(b, built[len(s.ids)%len(built)], to)
		}
		s.ids = append(s.ids, p.ID)
		s.deployed[p.ID] = []string{"1.9.0"}
		if owner, name, ok := strings.Cut(folder, "+"); ok && owner == "openstack" {
			fmt.Fprintf(&teams, "%s:\n  leadership_type: distributed\n  deliverables:\n    %s: {repos: [openstack/%s]}\n", name, name, name)
		}
	}
	if len(s.ids) < n {
		b.Fatalf("the catalogue has only %d projects with a repository, want %d", len(s.ids), n)
	}
	// In the form of openstack/governance c7e4f290; the content is invented.
	records := likeness{files: map[string]string{"reference/projects.yaml": "---\n" + teams.String(), "reference/legacy.yaml": "--- {}\n"}}
	linkClone(b, records.build(b, 99), filepath.Join(s.mirror, "openstack+governance", "repo"))
	return s
}

// linkClone gives the files of a clone a second name.
func linkClone(b *testing.B, from, to string) {
	b.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		return os.Link(path, filepath.Join(to, rel))
	})
	if err != nil {
		b.Fatal(err)
	}
}

// build writes the history of a shape: some 270 commits a year until the day before it is judged, by 40 people and a machine, with a tag
// at each fortieth.
func (s likeness) build(b *testing.B, seed uint64) string {
	dir := filepath.Join(b.TempDir(), "repo.git")
	r := rand.New(rand.NewPCG(seed, 1))
	var in bytes.Buffer
	file := func(name, text string) {
		fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", name, len(text), text)
	}
	source := func(i int) {
		kind := s.sources[i%len(s.sources)]
		file(fmt.Sprintf("src/part%d/a%d%s", i%17, i, kind[0]), fmt.Sprintf("// version %d\n", r.IntN(1e6))+strings.Repeat(kind[1], 20+r.IntN(200)))
	}
	const day = 24 * 60 * 60
	newest := judged.Unix() - day
	commits := commitsPerShape
	if len(s.sources) == 0 {
		commits = 1
	}
	for i := range commits {
		who := r.IntN(40)
		at := newest - int64(commits-1-i)*day*365/270
		author := fmt.Sprintf("Person %d <p%d@c%d.example.org>", who, who, who%9)
		if s.bots > 0 && i%s.bots == 0 {
			author = "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>"
		}
		text := fmt.Sprintf("Change part %d\n\nA reason in some words, over\ntwo lines.\n", i)
		if s.trailers != "" {
			text += fmt.Sprintf(s.trailers, i)
		}
		fmt.Fprintf(&in, "commit refs/heads/main\nmark :%d\nauthor %s %d +0200\ncommitter %s %d +0200\ndata %d\n%s\n", i+1, author, at, author, at, len(text), text)
		switch {
		case i == 0:
			for name, text := range s.files {
				file(name, text)
			}
			for j := range filesPerShape - len(s.files) {
				if len(s.sources) > 0 {
					source(j)
				}
			}
		default:
			for range 1 + r.IntN(3) {
				source(r.IntN(filesPerShape - len(s.files)))
			}
		}
		in.WriteString("\n")
		if i%40 == 39 {
			fmt.Fprintf(&in, "tag v1.%d.0\nfrom :%d\ntagger Person 1 <p1@example.org> %d +0200\ndata 8\nrelease\n\n", i/40, i+1, at)
		}
	}
	runGit(b, b.TempDir(), nil, "init", "--quiet", "--bare", "--initial-branch=main", dir)
	runGit(b, dir, in.Bytes(), "fast-import", "--quiet")
	return dir
}
