package policies

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// Profiles are the profiles of a policy: one that judges every project whose catalogue entry names no other, and variants
// that extend it. The zero value has none. It does not change and may be shared between goroutines.
type Profiles struct {
	main string
	all  []audit.Profile // sorted by id
}

// For returns the profile of that id. The main profile stands in for one that the policy does not have, and for the empty
// id: variants only relax what they may, so that the main profile is the stricter one.
func (p Profiles) For(id string) audit.Profile {
	if found, ok := p.get(id); ok {
		return found
	}
	found, _ := p.get(p.main)
	return found
}

// Main returns the profile that judges what names no other.
func (p Profiles) Main() audit.Profile { return p.For("") }

// IDs lists the ids of all profiles, the main one first, the others sorted.
func (p Profiles) IDs() []string {
	if len(p.all) == 0 {
		return nil
	}
	ids := []string{p.main}
	for _, profile := range p.all {
		if profile.ID != p.main {
			ids = append(ids, profile.ID)
		}
	}
	return ids
}

// Only returns the profiles with which the one of that id judges every project, whatever the catalogue says.
func (p Profiles) Only(id string) (Profiles, error) {
	found, ok := p.get(id)
	if !ok {
		return Profiles{}, fmt.Errorf("choosing a profile: there is no profile %q; there are %s%s", clean(id), strings.Join(p.IDs(), ", "), didYouMean(id, p.IDs()))
	}
	return Profiles{main: id, all: []audit.Profile{found}}, nil
}

func (p Profiles) get(id string) (audit.Profile, bool) {
	i, ok := slices.BinarySearchFunc(p.all, id, func(q audit.Profile, id string) int { return cmp.Compare(q.ID, id) })
	if !ok {
		return audit.Profile{}, false
	}
	return p.all[i], true
}

// ProfilesOf makes profiles of values that were loaded before, and perhaps changed: main judges whatever names none of the
// variants, which are called by their keys.
func ProfilesOf(main audit.Profile, variants map[string]audit.Profile) Profiles {
	out := Profiles{main: main.ID, all: []audit.Profile{main}}
	for id, profile := range variants {
		if id != main.ID {
			profile.ID = id
			out.all = append(out.all, profile)
		}
	}
	slices.SortFunc(out.all, func(a, b audit.Profile) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// DefaultProfiles returns the profiles that are built in.
func DefaultProfiles() (Profiles, error) {
	files, err := builtInProfiles()
	if err != nil {
		return Profiles{}, err
	}
	base, err := DefaultProfile()
	if err != nil {
		return Profiles{}, err
	}
	return LoadProfiles(files, base.ID)
}

func builtInProfiles() ([]File, error) {
	names, err := fs.Glob(profileFiles, "data/profiles/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("reading the built-in profiles: %w", err)
	}
	var files []File
	for _, name := range names {
		data, err := profileFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading the built-in profiles: %w", err)
		}
		files = append(files, File{Name: strings.TrimPrefix(name, "data/"), Data: data})
	}
	return files, nil
}

// LoadProfiles reads profiles strictly: main is the id of the one that judges what names no other, and every other one
// extends it, so that none relaxes what may not be relaxed. What is wrong is a *LoadError with the places.
func LoadProfiles(files []File, main string) (Profiles, error) {
	p, problems := loadProfiles(files, main)
	if len(problems) == 0 {
		if _, ok := p.get(main); !ok {
			problems = []Problem{{File: "profiles", Text: fmt.Sprintf("no profile %q%s", clean(main), didYouMean(main, p.ids()))}}
		}
	}
	if len(problems) > 0 {
		return Profiles{}, &LoadError{Problems: problems}
	}
	return p, nil
}

// LoadProfileFor reads one profile that somebody gives beside a policy: a whole one, one that extends a profile of the policy,
// or one that asks only some of its questions (selection). The result judges every project by it.
func LoadProfileFor(data []byte, name string, known Profiles) (Profiles, error) {
	r := &reader{file: name, beside: true}
	root := r.root(data)
	profile, _ := r.anyProfile(root, func(id string) (audit.Profile, bool) { return known.get(id) }, known.IDs())
	if err := r.wrong(); err != nil {
		return Profiles{}, err
	}
	return Profiles{main: profile.ID, all: []audit.Profile{profile}}, nil
}

func (p Profiles) ids() []string {
	var ids []string
	for _, profile := range p.all {
		ids = append(ids, profile.ID)
	}
	return ids
}

// loadProfiles reads whole profiles first, then those that extend one of them.
func loadProfiles(files []File, main string) (Profiles, []Problem) {
	var problems []Problem
	out := Profiles{main: main}
	for _, variants := range []bool{false, true} {
		whole := out
		for _, f := range files {
			r := &reader{file: f.Name}
			root := r.root(f.Data)
			if (extendsNode(root) != nil) != variants {
				continue
			}
			profile, at := r.anyProfile(root, whole.get, whole.ids())
			if !variants && profile.ID != main && len(r.problems) == 0 && root != nil && main != "" {
				r.problem(at, "profile %q does not extend %q, which judges what names no other; say what differs from it", profile.ID, main)
			}
			if _, twice := out.get(profile.ID); twice {
				r.problem(at, "profile %s is in another file too", profile.ID)
			}
			var bad *LoadError
			if err := r.wrong(); errors.As(err, &bad) {
				problems = append(problems, bad.Problems...)
				continue
			}
			out.all = append(slices.Clone(out.all), profile)
			slices.SortFunc(out.all, func(a, b audit.Profile) int { return cmp.Compare(a.ID, b.ID) })
		}
	}
	return out, problems
}

// extendsNode is the value of the key extends; nil if there is none.
func extendsNode(root *yaml.Node) *yaml.Node { return valueOf(root, "extends") }

// valueOf is the value of a key at the root; nil if there is none.
func valueOf(root *yaml.Node, key string) *yaml.Node {
	if root == nil || root.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == key {
			return root.Content[i+1]
		}
	}
	return nil
}

// anyProfile reads a whole profile or one that extends a profile of those known; at is where problems with it as a whole
// are shown.
func (r *reader) anyProfile(root *yaml.Node, get func(string) (audit.Profile, bool), known []string) (p audit.Profile, at *yaml.Node) {
	if root == nil {
		return p, nil
	}
	n := extendsNode(root)
	if n == nil {
		return r.profile(root), root
	}
	base, ok := get(n.Value)
	switch {
	case !ok:
		r.problem(n, "no profile %q to extend; there are %s%s", clean(n.Value), orNone(known), didYouMean(n.Value, known))
		return p, n
	case base.Extends != "":
		r.problem(n, "profile %q extends %q itself; extend that one", base.ID, base.Extends)
		return p, n
	}
	if only := valueOf(root, "only"); only != nil {
		if !r.beside {
			r.problem(only, `"only" leaves questions out, which no profile of a policy may; give the file with --profile`)
			return p, n
		}
		return r.selection(root, base), n
	}
	return r.variant(root, base), n
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
