package upstream

import (
	_ "embed"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

//go:embed repositories.yaml
var embeddedRepositories []byte

// RepositoriesSchema names the form of the table of repositories that is built into the program.
const RepositoriesSchema = "pegel/repositories/v1"

// maxTableRows bounds each list of the table; the longest of the shipped one has some 580.
const maxTableRows = 50000

// repositoriesFile is the table as it is written. The head of repositories.yaml says what each field means.
type repositoriesFile struct {
	Schema    string        `yaml:"schema"`
	Forges    []forgeRow    `yaml:"forges"`
	Vanity    []vanityRow   `yaml:"vanity"`
	Moved     []movedRow    `yaml:"moved"`
	Mirrors   []movedRow    `yaml:"mirrors"`
	Gerrits   []gerritRow   `yaml:"gerrits"`
	OpenStack openstackRows `yaml:"openstack"`
	Projects  []projectRow  `yaml:"projects"`
}

type forgeRow struct {
	Host   string `yaml:"host"`
	Form   string `yaml:"form"`
	Source string `yaml:"source"`
}

type vanityRow struct {
	Module string `yaml:"module"`
	Repo   string `yaml:"repo"`
	Path   string `yaml:"path"`
	Source string `yaml:"source"`
}

type movedRow struct {
	From   string `yaml:"from"`
	Repo   string `yaml:"repo"`
	Since  string `yaml:"since"`
	Source string `yaml:"source"`
}

type gerritRow struct {
	Host   string `yaml:"host"`
	Repo   string `yaml:"repo"`
	Source string `yaml:"source"`
}

type openstackRows struct {
	Source string   `yaml:"source"`
	Names  []string `yaml:"names"`
}

type projectRow struct {
	Repo    string   `yaml:"repo"`
	Path    string   `yaml:"path"`
	Keys    []string `yaml:"keys"`
	Source  string   `yaml:"source"`
	Checked bool     `yaml:"checked"`
}

// table is the table of repositories, ready to be asked. A nil table knows nothing.
type table struct {
	digest    audit.Digest
	forges    map[string]string
	vanity    map[string]vanityRow // by module path
	moved     map[string]step      // by place.key, stars and all
	gerrits   map[string]gerritRow
	openstack map[string]string // repository below openstack/ by its name as PyPI compares names
	source    string            // of openstack
	keys      map[string]projectRow
	starred   []starredKey // keys with a star
}

// step is how one address leads to the next.
type step struct {
	what string // moved or mirror
	movedRow
}

// starredKey is a key with one star, which stands for digits, dots and dashes.
type starredKey struct {
	before, after string
	row           projectRow
}

// withRepositories returns the catalogue with a table of repositories. Like Read it accepts only what is right in full.
func (c *Catalogue) withRepositories(data []byte) (*Catalogue, error) {
	t, err := readTable(data)
	if err != nil {
		return nil, fmt.Errorf("reading table of repositories: %w", err)
	}
	out := *c
	out.table = t
	return &out, nil
}

func readTable(data []byte) (*table, error) {
	root, err := parse(data)
	if err != nil {
		return nil, err
	}
	if err := checkShape(root, reflect.TypeFor[repositoriesFile](), 0); err != nil {
		return nil, err
	}
	var f repositoriesFile
	if err := root.Decode(&f); err != nil {
		return nil, flat(err)
	}
	if f.Schema != RepositoriesSchema {
		return nil, fmt.Errorf("line %d: schema %q is not %q", root.Line, f.Schema, RepositoriesSchema)
	}
	t := &table{
		digest: audit.DigestOf(data), source: f.OpenStack.Source, forges: map[string]string{}, vanity: map[string]vanityRow{},
		moved: map[string]step{}, gerrits: map[string]gerritRow{}, openstack: map[string]string{}, keys: map[string]projectRow{},
	}
	return t, t.fill(f, root)
}

// fill takes the rows over, each after it was checked.
func (t *table) fill(f repositoriesFile, root *yaml.Node) error {
	for _, list := range []struct {
		key string
		n   int
		add func(i int) error
	}{
		{"forges", len(f.Forges), func(i int) error { return t.addForge(f.Forges[i]) }},
		{"vanity", len(f.Vanity), func(i int) error { return t.addVanity(f.Vanity[i]) }},
		{"moved", len(f.Moved), func(i int) error { return t.addMoved(stepMoved, f.Moved[i]) }},
		{"mirrors", len(f.Mirrors), func(i int) error { return t.addMoved(stepMirror, f.Mirrors[i]) }},
		{"gerrits", len(f.Gerrits), func(i int) error { return t.addGerrit(f.Gerrits[i]) }},
		{"projects", len(f.Projects), func(i int) error { return t.addProject(f.Projects[i]) }},
	} {
		if list.n > maxTableRows {
			return fmt.Errorf("%s: %d rows, want at most %d", list.key, list.n, maxTableRows)
		}
		for i := range list.n {
			if err := list.add(i); err != nil {
				return fmt.Errorf("line %d: %s: %w", value(root, list.key).Content[i].Line, list.key, err)
			}
		}
	}
	for _, name := range f.OpenStack.Names {
		if !folderPattern.MatchString(name) || filled(f.OpenStack.Source) != nil {
			return fmt.Errorf("openstack: name %q or the source is not right", name)
		}
		t.openstack[pythonName(name)] = name
	}
	return nil
}

func (t *table) addForge(r forgeRow) error {
	if _, ok := t.forges[r.Host]; ok || !publicName(r.Host) || filled(r.Source) != nil {
		return fmt.Errorf("host %q stands twice, is no host name, or has no source", r.Host)
	}
	t.forges[r.Host] = r.Form
	return oneOf(r.Form, formOwnerName, formGroup, formGitSuffix, formRest)
}

var modulePattern = regexp.MustCompile(`^[a-z0-9.-]+(/([A-Za-z0-9._-]+|\*))*$`)

func (t *table) addVanity(r vanityRow) error {
	if _, ok := t.vanity[r.Module]; ok || !modulePattern.MatchString(r.Module) || filled(r.Source) != nil {
		return fmt.Errorf("module %q stands twice, is no module path, or has no source", r.Module)
	}
	if err := address(strings.ReplaceAll(r.Repo, "*", "x")); err != nil {
		return err
	}
	if strings.Contains(r.Repo, "*") != strings.Contains(r.Module, "*") || r.Path != folderName(r.Path) {
		return fmt.Errorf("module %q: stars or path do not fit the repository", r.Module)
	}
	t.vanity[r.Module] = r
	return nil
}

var sincePattern = regexp.MustCompile(`^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?$`)

func (t *table) addMoved(what string, r movedRow) error {
	for _, a := range []string{r.From, r.Repo} {
		if err := address(strings.ReplaceAll(a, "*", "x")); err != nil {
			return err
		}
	}
	key := place{repo: r.From}.key()
	if _, ok := t.moved[key]; ok || filled(r.Source) != nil || strings.Count(r.From, "*") != strings.Count(r.Repo, "*") {
		return fmt.Errorf("%q stands twice, has no source, or its stars do not fit", r.From)
	}
	if what == stepMoved && r.Since == "" || !sincePattern.MatchString(r.Since) {
		return fmt.Errorf("%q: since %q is no year, month or day", r.From, r.Since)
	}
	t.moved[key] = step{what, r}
	return nil
}

func (t *table) addGerrit(r gerritRow) error {
	if err := address(r.Repo); err != nil {
		return err
	}
	if !publicName(r.Host) || filled(r.Source) != nil {
		return fmt.Errorf("host %q is no host name, or has no source", r.Host)
	}
	t.gerrits[r.Host] = r
	return nil
}

var keyPattern = regexp.MustCompile(`^(deb|pypi|npm|maven|home)/[A-Za-z0-9._~+:@/*-]+$`)

func (t *table) addProject(r projectRow) error {
	if err := address(r.Repo); err != nil {
		return err
	}
	switch {
	case filled(r.Source) != nil:
		return errors.New("a row has no source")
	case len(r.Keys) == 0:
		return fmt.Errorf("%s has no keys", r.Repo)
	case r.Path != folderName(r.Path):
		return fmt.Errorf("%s: path %q is no folder", r.Repo, r.Path)
	}
	for _, k := range r.Keys {
		if !keyPattern.MatchString(k) {
			return fmt.Errorf("key %q is none of deb/, pypi/, npm/, maven/ and home/", k)
		}
		if rest, ok := strings.CutPrefix(k, "home/"); ok {
			k = "home/" + homeKey(rest)
		}
		if _, ok := t.keys[k]; ok {
			return fmt.Errorf("key %q stands twice", k)
		}
		if before, after, ok := strings.Cut(k, "*"); ok {
			t.starred = append(t.starred, starredKey{before, after, r})
			continue
		}
		t.keys[k] = r
	}
	return nil
}

// homeKey folds the ways in which one home page is written.
func homeKey(hostAndPath string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(hostAndPath, "www."), "/"))
}

// find returns the row of a key; the exact one before one with a star.
func (t *table) find(key string) (projectRow, bool) {
	if r, ok := t.keys[key]; ok {
		return r, true
	}
	if strings.HasPrefix(key, "maven/") { // a group of Maven whose artifacts come from one repository
		r, ok := t.keys[parent(key)]
		return r, ok
	}
	for _, s := range t.starred {
		if middle, ok := strings.CutPrefix(key, s.before); ok {
			if middle, ok = strings.CutSuffix(middle, s.after); ok && middle != "" && strings.Trim(middle, "0123456789.-") == "" {
				return s.row, true
			}
		}
	}
	return projectRow{}, false
}

// origin says where a row of the table was read: the digest of the table, the key, and the address that the row names.
func (t *table) origin(key, source string) audit.Origin {
	o := audit.Origin{Source: "repositories", Path: "repositories.yaml#" + key, Digest: t.digest}
	if address(source) == nil {
		o.URL = source
	}
	return o
}
