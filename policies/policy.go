// Package policies decides. It loads a policy (a directory of requirement modules, scopes and profiles), applies each
// requirement to subjects with the facts known about them, and turns the findings into verdicts per scope. Comes in:
// subjects with the list of what is not known, a profile and the day of the audit. Goes out: findings and verdicts. It never
// reads a clock or the network, and what is not known never passes.
package policies

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Schema names the form of all files of a policy.
const Schema = "pegel/policy/v1"

// Severities of requirements.
const (
	Must   = "must"   // decides the scope
	Should = "should" // shown, never blocks
)

//go:embed data
var embedded embed.FS

// Text is one text by language ("en" is always there).
type Text map[string]string

// Requirement is one demand on one kind of subject.
type Requirement struct {
	ID          string
	Module      string
	Severity    string // must or should
	ForEach     string // kind of subject
	Title       Text
	Rationale   Text
	Remedy      Text
	Owner       string            // who can fix it: operator, upstream, distribution, assessor
	Sources     []Clause          // what it rests on, most important first
	Applies     string            // CEL; empty: to every subject of the kind
	Pass        string            // CEL
	Because     map[string]string // words for "pass", "fail" and "na", with {fields}
	Evidence    []string          // fact paths shown with the finding
	Lifetime    string            // kind of evidence, a key of the profile's lifetimes
	DeclaredOK  bool              // the operator's word may satisfy it, tentatively
	Manual      bool              // no program can decide it, only an assessor: a manual check of SCS
	EffectiveOn time.Time         // before this day a FAIL warns and does not block; zero: always effective

	rule *rule
	at   Problem // where it stands, without a text
}

// SourceText writes the sources on one line: document, place and address of each.
func (q Requirement) SourceText() string {
	parts := make([]string, len(q.Sources))
	for i, c := range q.Sources {
		parts[i] = c.String()
	}
	return strings.Join(parts, "; ")
}

// Selector takes subjects by where they stand in the stack. An empty list selects everything. A subject whose place is not
// known is taken by every selector of its kind: what could not be placed must not slip away.
type Selector struct {
	Tiers []string
	Areas []string
	Kinds []string // of placed subjects: artifact, product, package, project
}

// Scope is one certificate that could be asked for: a level in a layer.
type Scope struct {
	ID       string
	Title    string // e.g. "SCS-open IaaS"
	Level    string // scs-open
	Number   int    // 3
	Layer    string // iaas
	Gates    string // key of the profile's gates
	Requires string // scope that must be held first; may be outside of the policy (scs-compatible-iaas)
	Select   []Selector
	Include  []string // requirement ids, in order of importance
}

// File is one file of a policy. Name is relative to the policy directory, with slashes.
type File struct {
	Name string
	Data []byte
}

// Policy is a loaded and checked policy. It does not change and may be shared between goroutines.
type Policy struct {
	id, version, status string
	title               Text
	budget              uint64
	switches            []Switch // sorted by name
	stabilized          time.Time
	timeline            []State // newest first
	moduleTitles        map[string]Text
	clauses             []Clause // sorted by id
	profiles            Profiles
	files               []File
	digest              audit.Digest
	requirements        []Requirement // sorted by id
	scopes              []Scope       // sorted by number, layer, id
	glossary            []Term
	crosswalk           []Framework // sorted by id
}

// ID returns the name of the policy.
func (p *Policy) ID() string { return p.id }

// Version returns the version of the policy.
func (p *Policy) Version() string { return p.version }

// Status returns "proposal" as long as SCS has decided nothing.
func (p *Policy) Status() string { return p.status }

// Title returns what the policy calls itself.
func (p *Policy) Title() Text { return p.title }

// Digest names the policy by its bytes: the SHA-256 over the sorted list of file names with the SHA-256 of each file.
func (p *Policy) Digest() audit.Digest { return p.digest }

// Profile returns a copy of the thresholds and gates that the policy chose among its profiles.
func (p *Policy) Profile() audit.Profile { return copied(p.profiles.Main()) }

// Profiles returns all profiles of the policy: the one it chose, and variants for projects whose catalogue entry names them.
func (p *Policy) Profiles() Profiles {
	out := Profiles{main: p.profiles.main}
	for _, profile := range p.profiles.all {
		out.all = append(out.all, copied(profile))
	}
	return out
}

// copied returns a profile whose maps may be changed.
func copied(p audit.Profile) audit.Profile {
	out := p
	out.Lifetimes, out.Licences, out.Indicators = maps.Clone(p.Lifetimes), maps.Clone(p.Licences), maps.Clone(p.Indicators)
	out.Gates = make(map[string]map[string]map[string]audit.Gate, len(p.Gates))
	for level, roles := range p.Gates {
		out.Gates[level] = make(map[string]map[string]audit.Gate, len(roles))
		for role, gates := range roles {
			out.Gates[level][role] = maps.Clone(gates)
		}
	}
	return out
}

// Files returns the files of the policy, sorted by name; FromFiles makes the same policy of them.
func (p *Policy) Files() []File {
	out := make([]File, len(p.files))
	for i, f := range p.files {
		out[i] = File{Name: f.Name, Data: slices.Clone(f.Data)}
	}
	return out
}

// Requirements lists all requirements, sorted by id.
func (p *Policy) Requirements() []Requirement { return slices.Clone(p.requirements) }

// Requirement returns one requirement by id.
func (p *Policy) Requirement(id string) (Requirement, bool) {
	for _, q := range p.requirements {
		if q.ID == id {
			return q, true
		}
	}
	return Requirement{}, false
}

// ModuleTitle returns what the module of that id calls itself; nil if there is none.
func (p *Policy) ModuleTitle(id string) Text { return maps.Clone(p.moduleTitles[id]) }

// Scopes lists all scopes, lower levels first.
func (p *Policy) Scopes() []Scope { return slices.Clone(p.scopes) }

// Scope returns one scope by id.
func (p *Policy) Scope(id string) (Scope, bool) {
	for _, s := range p.scopes {
		if s.ID == id {
			return s, true
		}
	}
	return Scope{}, false
}

// ScopeIDs lists the ids of all scopes, lower levels first.
func (p *Policy) ScopeIDs() []string {
	out := make([]string, len(p.scopes))
	for i, s := range p.scopes {
		out[i] = s.ID
	}
	return out
}

// Layers lists the layers of all scopes, in alphabetical order.
func (p *Policy) Layers() []string {
	var out []string
	for _, s := range p.scopes {
		if !slices.Contains(out, s.Layer) {
			out = append(out, s.Layer)
		}
	}
	slices.Sort(out)
	return out
}

// Default loads the policy that is built in.
func Default() (*Policy, error) {
	data, err := fs.Sub(embedded, "data")
	if err != nil {
		return nil, fmt.Errorf("reading the built-in policy: %w", err)
	}
	return Load(data)
}

// Load reads the policy in a directory. What is wrong with its contents is a *LoadError with the places.
func Load(fsys fs.FS) (*Policy, error) {
	files, err := ReadFiles(fsys)
	if err != nil {
		return nil, err
	}
	return FromFiles(files)
}

// FromFiles makes a policy of files that ReadFiles or Policy.Files returned, in any order.
func FromFiles(files []File) (*Policy, error) {
	p, problems := load(files)
	if len(problems) > 0 {
		return nil, &LoadError{Problems: problems}
	}
	return p, nil
}

// Lint lists everything that is wrong with the policy in a directory, in the order of files and lines; nil if it loads.
func Lint(fsys fs.FS) []Problem {
	_, err := Load(fsys)
	var bad *LoadError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &bad):
		return bad.Problems
	}
	return []Problem{{File: ".", Text: err.Error()}}
}

// manifest is the file that names a policy.
const manifest = "policy.yaml"

// folders of a policy; anything else in the directory (tests, notes) is no part of it.
func folders() []string { return []string{"clauses", "crosswalk", "modules", "profiles", "scopes"} }

// mostFiles bounds the number of files of a policy.
const mostFiles = 256

// ReadFiles reads the files that make up the policy in a directory: policy.yaml, glossary.yaml if there is one, and *.yaml in clauses, crosswalk, modules,
// profiles and scopes, sorted by name.
func ReadFiles(fsys fs.FS) ([]File, error) {
	names := []string{manifest}
	if _, err := fs.Stat(fsys, glossaryFile); err == nil {
		names = append(names, glossaryFile)
	}
	for _, folder := range folders() {
		entries, err := fs.ReadDir(fsys, folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the checks name what is missing
		}
		if err != nil {
			return nil, fmt.Errorf("reading policy: %w", err)
		}
		for _, e := range entries {
			if path.Ext(e.Name()) == ".yaml" {
				names = append(names, path.Join(folder, e.Name()))
			}
		}
	}
	if len(names) > mostFiles {
		return nil, fmt.Errorf("reading policy: %d files; at most %d are read", len(names), mostFiles)
	}
	slices.Sort(names)
	files := make([]File, 0, len(names))
	for _, name := range names {
		data, err := readFile(fsys, name)
		if errors.Is(err, fs.ErrNotExist) && name == manifest {
			return nil, &LoadError{Problems: []Problem{{File: manifest, Text: "no such file; a policy is a directory with " + manifest + ", clauses, modules, profiles and scopes"}}}
		}
		if err != nil {
			return nil, fmt.Errorf("reading policy: %w", err)
		}
		files = append(files, File{Name: name, Data: data})
	}
	return files, nil
}

// readFile reads a regular file of at most mostBytes; one byte more is kept so that the checks see that it is too long.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is no regular file", name)
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, mostBytes+1))
}

// FileList writes files, sorted by name, as a list with one line for each: its digest, two blanks, its name. The digest of a
// policy is that of this list, and this list is what a signature of a policy signs.
func FileList(files []File) []byte {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	var list strings.Builder
	for _, f := range files {
		fmt.Fprintf(&list, "%s  %s\n", audit.DigestOf(f.Data), f.Name)
	}
	return []byte(list.String())
}

// digestOf names a list of files.
func digestOf(files []File) audit.Digest { return audit.DigestOf(FileList(files)) }
