package upstream

import (
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit/licence"
)

// checkReplaceable checks standards and alternatives: every word for a standard is explained, every alternative exists or
// brings its repository, is under a licence that the OSI has approved, and shares a standard with the component.
func checkReplaceable(f file, nodes []*yaml.Node) error {
	words := map[string]bool{}
	for i, s := range f.Standards {
		if words[s.ID] || matching(idPattern, "a word", s.ID) != nil || filled(s.Name) != nil || address(s.Source) != nil {
			return fmt.Errorf("standards, entry %d: id %q stands twice, or id, name or source is not right", i+1, s.ID)
		}
		words[s.ID] = true
	}
	components := map[string]Component{}
	for _, k := range f.Components {
		components[k.ID] = k
	}
	for i, k := range f.Components {
		for _, check := range []struct {
			key string
			err error
		}{{"standards", k.checkStandards(words)}, {"alternatives", k.checkAlternatives(components)}} {
			if check.err != nil {
				return fmt.Errorf("line %d: component %q: %s: %w", value(nodes[i], check.key).Line, k.ID, check.key, check.err)
			}
		}
	}
	return nil
}

func (k Component) checkStandards(words map[string]bool) error {
	for i, r := range k.Standards {
		switch {
		case !words[r.ID]:
			return fmt.Errorf("%q is not listed under standards of the catalogue", r.ID)
		case slices.ContainsFunc(k.Standards[:i], func(o Reference) bool { return o.ID == r.ID }):
			return fmt.Errorf("%q stands twice", r.ID)
		case address(r.Source) != nil:
			return fmt.Errorf("%q: %w", r.ID, address(r.Source))
		}
	}
	return nil
}

func (k Component) checkAlternatives(components map[string]Component) error {
	for _, a := range k.Alternatives {
		if err := a.check(k, components); err != nil {
			return fmt.Errorf("%s%s: %w", a.ID, a.Name, err)
		}
	}
	return nil
}

func (a Alternative) check(of Component, components map[string]Component) error {
	speaks := of.Standards
	switch other, ok := components[a.ID]; {
	case a.ID == "" && (filled(a.Name) != nil || address(a.Repo) != nil):
		return errors.New("without an id it needs name and repo")
	case a.ID == "" && licence.ClassOf(a.Licence) != licence.OSI:
		return fmt.Errorf("licence %q is not approved by the OSI", a.Licence)
	case a.ID == "":
	case !ok || a.ID == of.ID:
		return errors.New("is no other component")
	case a.Name != "" || a.Repo != "" || a.Licence != "":
		return errors.New("name, repo and licence stand in its own entry")
	case !other.allOSI():
		return errors.New("not all of its versions are under a licence that the OSI has approved")
	default:
		for _, id := range a.Standards {
			if !slices.ContainsFunc(other.Standards, func(r Reference) bool { return r.ID == id }) {
				return fmt.Errorf("its own entry does not list the standard %q", id)
			}
		}
	}
	if len(a.Standards) == 0 || address(a.Source) != nil {
		return errors.New("standards or source is missing")
	}
	for _, id := range a.Standards {
		if !slices.ContainsFunc(speaks, func(r Reference) bool { return r.ID == id }) {
			return fmt.Errorf("the component does not list the standard %q", id)
		}
	}
	return nil
}

// allOSI reports whether the component is open source in every version and edition that the catalogue knows.
func (k Component) allOSI() bool {
	if k.Licence != NoAssertion {
		return licence.ClassOf(k.Licence) == licence.OSI
	}
	return !slices.ContainsFunc(k.LicenceByVersion, func(r LicenceRow) bool { return !r.OSI })
}

// checkPlaces checks the further repositories of a component: addresses, each once, with where the project names them.
func (k Component) checkPlaces() error {
	for i, p := range k.Places {
		switch {
		case address(p.Repo) != nil:
			return address(p.Repo)
		case address(p.Source) != nil:
			return fmt.Errorf("source of %q: %w", p.Repo, address(p.Source))
		case p.Repo == k.Repo || slices.ContainsFunc(k.Places[:i], func(o Place) bool { return o.Repo == p.Repo }):
			return fmt.Errorf("%q stands twice", p.Repo)
		}
	}
	return nil
}
