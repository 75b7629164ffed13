package copyright

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Place is somebody who may be asked about licences.
type Place struct {
	kind   *kind
	base   string // URL without a final slash; empty for a directory
	dir    string // directory of this machine; never written into evidence
	given  string // the directory as the operator wrote it, for the plan
	label  string // what is written instead of a directory
	replay bool   // only recorded answers count
}

// kind is one kind of place.
type kind struct {
	word string
	base string // where the public service is; empty: the operator has to say it
	env  string // variable of the environment that names the operator's choice
	// about returns what the place can be asked about a component, if anything. os is ID and VERSION_ID of os-release.
	about func(c sbom.Component, os string) (question, bool)
	// ask returns the claims of an answer, or a *miss.
	ask func(ctx context.Context, a *asker, p Place, q question) (answer, error)
	// what is asked for, for the plan
	purpose string
}

// answer is what a place says about one package.
type answer struct {
	claims []sbom.LicenceClaim // with an origin only where it is another one than that of all
	origin audit.Origin
}

// question is about one package in one version.
type question struct {
	ecosystem string // what kind of name it is: deb, deb-source, python, npm, maven, go, crate
	name      string // of a Maven artifact: group:artifact
	version   string
	arch      string   // of a deb
	source    string   // of a deb: its source package
	areas     []string // of a deb: parts of the archive it may be in, likeliest first
}

// subject names the question in records; equal subjects are equal questions.
func (q question) subject() string {
	return strings.TrimSpace(strings.Join([]string{q.ecosystem, q.name, q.version, q.arch}, " "))
}

// what names the package for people.
func (q question) what() string { return q.name + " " + q.version }

// String names the place in evidence: the kind and the address, never a path of this machine.
func (p Place) String() string { return p.kind.word + " " + p.base + p.label }

func (p Place) local() bool { return p.dir != "" }

func (p Place) ask(ctx context.Context, a *asker, q question) (answer, error) {
	return p.kind.ask(ctx, a, p, q)
}

// url is an address below the base; segments are escaped.
func (p Place) url(segments ...string) string {
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return p.base + "/" + strings.Join(segments, "/")
}

// Contact says what asking the place would contact, for a plan.
func (p Place) Contact() audit.Contact {
	if p.local() {
		return audit.Contact{Host: "local", Address: p.given, Right: "read", Purpose: p.kind.purpose}
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(p.base, "https://"), "http://"), "/")
	return audit.Contact{
		Host: host, Address: p.base, Right: "anonymous read",
		Purpose: p.kind.purpose + ", by name and version",
	}
}

// ParseService reads an entry under services: a word such as "debsources", or a word and the address of a mirror of that
// service. Words without a public address of their own take it from the environment. Errors say what would be right.
func ParseService(word, address string, getenv func(string) string) (Place, error) {
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return k.word == word && word != wordMirror && word != wordModules })
	if i < 0 {
		return Place{}, fmt.Errorf("unknown service %q; known are %s", word, strings.Join(Services(), ", "))
	}
	k := all[i]
	if address == "" && k.env != "" && getenv != nil {
		address = firstURL(getenv(k.env))
	}
	if address == "" {
		address = k.base
	}
	if address == "" {
		return Place{}, fmt.Errorf("service %q has no address: write {%s: https://...}, or set %s in the environment", word, word, k.env)
	}
	base, err := parseBase(address)
	if err != nil {
		return Place{}, fmt.Errorf("service %q: %w", word, err)
	}
	return Place{kind: &k, base: base}, nil
}

// firstURL takes the first address of a list as GOPROXY has it.
func firstURL(list string) string {
	for _, entry := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == '|' }) {
		if entry = strings.TrimSpace(entry); strings.Contains(entry, "://") {
			return entry
		}
	}
	return ""
}

// Services returns the words that ParseService knows, sorted.
func Services() []string {
	var out []string
	for _, k := range kinds() {
		if k.word != wordMirror && k.word != wordModules {
			out = append(out, k.word)
		}
	}
	slices.Sort(out)
	return out
}

// ParseMirror reads an entry under mirrors: the address of an archive of .deb packages (the directory that holds pool/),
// or a directory of this machine with such an archive or with the packages themselves, as /var/cache/apt/archives has
// them. dir is where a relative path starts; number tells several directories apart in evidence.
func ParseMirror(text, dir string, number int) (Place, error) {
	k := kindOf(wordMirror)
	if strings.Contains(text, "://") {
		base, err := parseBase(text)
		if err != nil {
			return Place{}, fmt.Errorf("mirror %w", err)
		}
		return Place{kind: k, base: base}, nil
	}
	if text == "" {
		return Place{}, errors.New("mirror is empty; write the address of an archive, or a directory")
	}
	return Place{kind: k, dir: absolute(text, dir), given: text, label: fmt.Sprintf("directory %d", number)}, nil
}

// ModuleCache returns the place of a Go module cache: a directory as GOMODCACHE names it. dir is where a relative path
// starts.
func ModuleCache(text, dir string) (Place, error) {
	if text == "" {
		return Place{}, errors.New("module_cache is empty; write the directory that \"go env GOMODCACHE\" prints")
	}
	return Place{kind: kindOf(wordModules), dir: absolute(text, dir), given: text, label: "directory"}, nil
}

func absolute(text, dir string) string {
	if filepath.IsAbs(text) {
		return filepath.Clean(text)
	}
	return filepath.Join(dir, text)
}

// parseBase checks an address: http or https, without login, query and fragment.
func parseBase(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return "", errors.New("address is no URL such as https://example.org/debian")
	case u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("address has the scheme %q, want https", u.Scheme)
	case u.User != nil:
		return "", errors.New("address holds a login; leave it out, pegel asks without one")
	case u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("address has a query or fragment; leave it out")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// inOrder brings places into the order in which their word is believed; those of one kind stay as they are.
func inOrder(places []Place) []Place {
	out := slices.Clone(places)
	slices.SortStableFunc(out, func(a, b Place) int { return rank(a.kind.word) - rank(b.kind.word) })
	return out
}

func rank(word string) int {
	return slices.IndexFunc(kinds(), func(k kind) bool { return k.word == word })
}

func kindOf(word string) *kind {
	all := kinds()
	if i := rank(word); i >= 0 {
		return &all[i]
	}
	return nil
}

// withRecorded adds the places of recorded answers that are not among the given ones. They are never asked.
func withRecorded(places []Place, records []Record) []Place {
	known := map[string]bool{}
	for _, p := range places {
		known[p.String()] = true
	}
	var more []Place
	for _, r := range records {
		word, rest, _ := strings.Cut(r.Place, " ")
		k := kindOf(word)
		if k == nil || known[r.Place] {
			continue
		}
		known[r.Place] = true
		more = append(more, Place{kind: k, label: rest, replay: true})
	}
	slices.SortFunc(more, func(a, b Place) int { return strings.Compare(a.label, b.label) })
	return inOrder(append(slices.Clone(places), more...))
}
