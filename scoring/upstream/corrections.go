package upstream

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

//go:embed corrections/*.yaml
var embeddedCorrections embed.FS

// CorrectionsSchema names the form of a correction file.
const CorrectionsSchema = "pegel/corrections/v1"

// Limits of correction files.
const (
	maxCorrectionFiles = 5000
	maxCorrectionBytes = 64 << 10 // of one file
	maxCorrections     = 200      // in one file; there are 89 questions
	maxWords           = 1000     // bytes, as scoring.Statement promises
	maxValue           = 40       // bytes
	maxSource          = 500      // bytes
)

// roles are who may speak. A role stands for a person, who is never named.
var roles = [...]string{"maintainer", "foundation", "packager", "user"}

// correctionFile is one file: what is said about the answers of one project.
type correctionFile struct {
	Schema      string       `yaml:"schema"`
	Project     string       `yaml:"project"`
	Corrections []correction `yaml:"corrections"`
}

// correction is one fact, or one answer that is contested.
type correction struct {
	Indicator string `yaml:"indicator"`
	Contests  bool   `yaml:"contests"`
	Value     string `yaml:"value"`
	Words     string `yaml:"words"`
	Source    string `yaml:"source"`
	At        string `yaml:"at"`
	Role      string `yaml:"role"`
}

// Corrections are what maintainers and users say about the answers of projects. The zero value holds none.
type Corrections struct {
	byProject map[string][]scoring.Statement
}

// Corrections returns those that are built into the program: scoring/upstream/corrections.
func (c *Catalogue) Corrections() (Corrections, error) {
	dir, err := fs.Sub(embeddedCorrections, "corrections")
	if err != nil {
		return Corrections{}, fmt.Errorf("reading corrections: %w", err)
	}
	return c.ReadCorrections(dir)
}

// ReadCorrections reads all files NAME.yaml of a directory. NAME is the project's id in the catalogue; a project that the
// catalogue does not know is named by the address of its repository, in a file of any name. Like Read it accepts only what is
// right in full; errors name file and line.
func (c *Catalogue) ReadCorrections(dir fs.FS) (Corrections, error) {
	names, err := correctionFiles(dir)
	if err != nil {
		return Corrections{}, fmt.Errorf("reading corrections: %w", err)
	}
	out := Corrections{byProject: map[string][]scoring.Statement{}}
	for _, name := range names {
		project, said, err := c.readCorrections(dir, name)
		if err == nil && out.byProject[project] != nil {
			err = fmt.Errorf("project %q has another file already; one file holds all that is said of a project", project)
		}
		if err != nil {
			return Corrections{}, fmt.Errorf("reading corrections %q: %w", name, err)
		}
		out.byProject[project] = said
	}
	return out, nil
}

// correctionFiles lists the files of a directory in order.
func correctionFiles(dir fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, errors.New("the directory cannot be read")
	}
	var names []string
	for _, e := range entries {
		if path.Ext(e.Name()) == ".yaml" && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	if len(names) > maxCorrectionFiles {
		return nil, fmt.Errorf("%d files, at most %d are read", len(names), maxCorrectionFiles)
	}
	slices.Sort(names)
	return names, nil
}

func (c *Catalogue) readCorrections(dir fs.FS, name string) (project string, said []scoring.Statement, err error) {
	data, err := readBounded(dir, name, maxCorrectionBytes)
	if err != nil {
		return "", nil, err
	}
	root, err := parse(data)
	if err != nil {
		return "", nil, err
	}
	if err := checkShape(root, reflect.TypeFor[correctionFile](), 0); err != nil {
		return "", nil, err
	}
	var f correctionFile
	if err := root.Decode(&f); err != nil {
		return "", nil, flat(err)
	}
	switch {
	case f.Schema != CorrectionsSchema:
		return "", nil, fmt.Errorf("line %d: schema %q is not %q", value(root, "schema").Line, f.Schema, CorrectionsSchema)
	case len(f.Corrections) == 0 || len(f.Corrections) > maxCorrections:
		return "", nil, fmt.Errorf("line %d: %d corrections, want 1 to %d", root.Line, len(f.Corrections), maxCorrections)
	}
	if err := c.checkProject(f.Project, name); err != nil {
		return "", nil, fmt.Errorf("line %d: %w", value(root, "project").Line, err)
	}
	origin := audit.Origin{Source: "catalogue", Path: "corrections/" + name, Digest: audit.DigestOf(data)}
	for i, row := range f.Corrections {
		node := value(root, "corrections").Content[i]
		s, err := row.statement(node)
		if err != nil {
			return "", nil, err
		}
		s.Origin = origin
		s.Origin.Line = node.Line
		said = append(said, s)
	}
	return f.Project, said, nil
}

// readBounded reads a file that must be regular and small.
func readBounded(dir fs.FS, name string, most int) ([]byte, error) {
	if info, err := fs.Stat(dir, name); err != nil || !info.Mode().IsRegular() { // before it is opened: a pipe would be waited for
		return nil, errors.New("not a regular file")
	}
	f, err := dir.Open(name)
	if err != nil {
		return nil, errors.New("the file cannot be opened")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	switch {
	case err != nil:
		return nil, errors.New("the file cannot be read")
	case len(data) > most:
		return nil, fmt.Errorf("more than %d bytes; give an address instead of long words", most)
	}
	return data, nil
}

func (c *Catalogue) checkProject(project, file string) error {
	if _, ok := c.Get(project); ok {
		if want := project + ".yaml"; want != file {
			return fmt.Errorf("corrections of project %q belong into %q", project, want)
		}
		return nil
	}
	if publicAddress(project) {
		return nil
	}
	ids := make([]string, 0, len(c.components))
	for _, k := range c.components {
		ids = append(ids, k.ID)
	}
	near := hint(project, ids)
	if strings.HasPrefix(near, "; known are") {
		near = "; give its id in the catalogue, or the address of its repository"
	}
	return fmt.Errorf("the catalogue does not know project %q%s", shortened(project), near)
}

func shortened(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "..."
	}
	return s
}

// publicAddress reports whether a text is a web address that can hold neither credentials nor somebody's mail address.
func publicAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxSource && u.Scheme == "https" && u.Host != "" && u.User == nil && !strings.ContainsAny(text, "@ \t\r\n")
}

var indicatorID = regexp.MustCompile(`^[A-Z]{2}-[0-9]{2}$`)

// statement checks one entry; node is where it stands.
func (r correction) statement(node *yaml.Node) (scoring.Statement, error) {
	bad := func(key, form string, args ...any) (scoring.Statement, error) {
		return scoring.Statement{}, fmt.Errorf("line %d: %s: "+form, append([]any{value(node, key).Line, key}, args...)...)
	}
	day, err := time.Parse(time.DateOnly, r.At)
	switch {
	case !indicatorID.MatchString(r.Indicator):
		return bad("indicator", "%q is no id of a question, such as SE-01", shortened(r.Indicator))
	case err != nil || day.Year() < 2000:
		return bad("at", "%q is no day, such as 2026-11-20", shortened(r.At))
	case !slices.Contains(roles[:], r.Role):
		return bad("role", "%q is none of %s; names of persons are not wanted", shortened(r.Role), strings.Join(roles[:], ", "))
	case r.Contests && strings.TrimSpace(r.Words) == "":
		return bad("words", "who contests an answer says why")
	case r.Value == "" && r.Words == "":
		return bad("value", "a correction has a value, words, or both")
	case len(r.Words) > maxWords || !printableWords(r.Words):
		return bad("words", "want at most %d bytes of readable text", maxWords)
	case strings.Contains(r.Words, "@"):
		return bad("words", "an @ looks like a mail address or a login; people are not named")
	case !answer(r.Value):
		return bad("value", "%q is neither true or false, nor a number, nor a day", shortened(r.Value))
	case !publicAddress(r.Source):
		return bad("source", "want the https address of a public page that shows it, without user names")
	}
	return scoring.Statement{Indicator: r.Indicator, By: scoring.ByCatalogue, Role: r.Role, Contests: r.Contests, Value: r.Value,
		Words: strings.Join(strings.Fields(r.Words), " "), Source: r.Source, At: day}, nil
}

// answer reports whether a value is one of the forms of scoring.Statement; none is one.
func answer(v string) bool {
	if v == "" || v == "true" || v == "false" {
		return true
	}
	if len(v) > maxValue {
		return false
	}
	_, number := strconv.Atoi(v)
	_, day := time.Parse(time.DateOnly, v)
	return number == nil || day == nil
}

func printableWords(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) })
}

// Of returns what is said of a project, as of a day: what was said later is not known then.
func (c Corrections) Of(project string, at time.Time) []scoring.Statement {
	var out []scoring.Statement
	for _, s := range c.byProject[project] {
		if !s.At.After(at) {
			out = append(out, s)
		}
	}
	return out
}

// And returns both; of a project that both name, what more says follows.
func (c Corrections) And(more Corrections) Corrections {
	out := Corrections{byProject: map[string][]scoring.Statement{}}
	for _, one := range []Corrections{c, more} {
		for project, said := range one.byProject {
			out.byProject[project] = append(slices.Clone(out.byProject[project]), said...)
		}
	}
	return out
}

// All gives every statement with its project, ordered by project.
func (c Corrections) All(yield func(project string, s scoring.Statement) bool) {
	projects := make([]string, 0, len(c.byProject))
	for project := range c.byProject {
		projects = append(projects, project)
	}
	slices.Sort(projects)
	for _, project := range projects {
		for _, s := range c.byProject[project] {
			if !yield(project, s) {
				return
			}
		}
	}
}
