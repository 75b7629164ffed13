package upstream

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/scoring"
)

// Locate returns where the strongest rule leads a part, with what weaker rules say otherwise as Rivals. ok is false for a part
// that no rule leads to a repository.
func (c *Catalogue) Locate(p Part) (link scoring.Link, ok bool) {
	found := c.Candidates(p)
	if len(found) == 0 {
		return scoring.Link{}, false
	}
	best := found[0]
	best.Rivals = rivalsAmong(found, c.ownRepos(p, best))
	return best, true
}

// ownRepos are the repositories that do not contradict the best link: its own, and, where the catalogue says that a part
// holds several components, those of all of them.
func (c *Catalogue) ownRepos(p Part, best scoring.Link) []string {
	own := []string{best.Repo}
	for _, m := range c.Match(p) {
		own = append(own, c.components[c.byID[m.ID]].Repo)
	}
	return own
}

// rivals are the repositories that other rules name for a part of the catalogue.
func (c *Catalogue) rivals(p Part) []scoring.Link {
	if len(p.Claims) == 0 && p.Kind != PartPURL {
		return nil // nothing else can be said about it
	}
	found := c.Candidates(p)
	if len(found) < 2 {
		return nil
	}
	return rivalsAmong(found, c.ownRepos(p, found[0]))
}

func rivalsAmong(found []scoring.Link, own []string) []scoring.Link {
	var rivals []scoring.Link
	for _, l := range found {
		if !slices.ContainsFunc(own, func(r string) bool { return sameRepo(r, l.Repo) }) {
			rivals = append(rivals, l)
		}
	}
	return rivals
}

// Survey says where all parts of a stack lead, those too that the catalogue does not know.
type Survey struct {
	Repositories []Repository `json:"repositories"` // sorted by address
	Unresolved   []Unit       `json:"unresolved"`   // sorted by ecosystem and name
	Shares       []Share      `json:"shares"`       // sorted by ecosystem
}

// Repository is one upstream repository and what of the stack comes from it: several packages of one repository are one
// project.
type Repository struct {
	Repo     string   `json:"repo"`
	Projects []string `json:"projects,omitempty"` // catalogue ids that have this repository
	Units    []Unit   `json:"units"`              // sorted by ecosystem and name
}

// Unit is what is counted once: a source package of a distribution, or a package without its version.
type Unit struct {
	Ecosystem string        `json:"ecosystem"` // deb, pypi, golang, npm, maven, ... or image, chart, software
	Name      string        `json:"name"`
	Parts     int           `json:"parts"` // deployed parts that it stands for
	Link      *scoring.Link `json:"link,omitempty"`
	Reason    string        `json:"reason,omitempty"` // why nothing was found
}

// Share counts the units of one ecosystem.
type Share struct {
	Ecosystem string `json:"ecosystem"`
	Units     int    `json:"units"`
	Resolved  int    `json:"resolved"`
	High      int    `json:"high"` // resolved with high confidence
	Medium    int    `json:"medium"`
	Low       int    `json:"low"`
	Conflicts int    `json:"conflicts"` // resolved, while another rule names another repository
}

// maxUnresolved bounds the list of what leads nowhere; the shares count all.
const maxUnresolved = 5000

// Survey leads all parts to repositories. The order of the parts does not matter, nor that one is given twice.
func (c *Catalogue) Survey(parts []Part) Survey {
	units := c.units(parts)
	repos := map[string]*Repository{}
	shares := map[string]*Share{}
	s := Survey{Repositories: []Repository{}, Unresolved: []Unit{}, Shares: []Share{}}
	for _, u := range units {
		share := shares[u.Ecosystem]
		if share == nil {
			share = &Share{Ecosystem: u.Ecosystem}
			shares[u.Ecosystem] = share
		}
		share.count(u)
		if u.Link == nil {
			if len(s.Unresolved) < maxUnresolved {
				s.Unresolved = append(s.Unresolved, u)
			}
			continue
		}
		key := place{repo: u.Link.Repo}.key()
		if repos[key] == nil {
			repos[key] = &Repository{Repo: u.Link.Repo, Projects: c.ofRepo(u.Link.Repo)}
		}
		repos[key].Repo = min(repos[key].Repo, u.Link.Repo)
		repos[key].Units = append(repos[key].Units, u)
	}
	for _, r := range repos {
		s.Repositories = append(s.Repositories, *r)
	}
	slices.SortFunc(s.Repositories, func(a, b Repository) int { return strings.Compare(a.Repo, b.Repo) })
	for _, ecosystem := range slices.Sorted(maps.Keys(shares)) {
		s.Shares = append(s.Shares, *shares[ecosystem])
	}
	return s
}

func (s *Share) count(u Unit) {
	s.Units++
	if u.Link == nil {
		return
	}
	s.Resolved++
	switch u.Link.Confidence {
	case High:
		s.High++
	case Medium:
		s.Medium++
	default:
		s.Low++
	}
	if len(u.Link.Rivals) > 0 {
		s.Conflicts++
	}
}

// units gathers the parts of one unit, so that what one of them says serves all, and leads each unit once.
func (c *Catalogue) units(parts []Part) []Unit {
	type gathered struct {
		part  Part
		found []scoring.Link
		own   []string
		seen  map[string]bool
	}
	all := map[string]*gathered{}
	for _, p := range parts {
		id := identityOf(p)
		if id.ecosystem == "" || id.name == "" {
			continue
		}
		g := all[id.key()]
		if g == nil {
			g = &gathered{part: p, seen: map[string]bool{}}
			all[id.key()] = g
		}
		key := partKey(p)
		if g.seen[key] {
			continue
		}
		g.seen[key] = true
		found := c.Candidates(p)
		g.found = append(g.found, found...)
		if len(found) > 0 {
			g.own = append(g.own, c.ownRepos(p, scoring.Link{Repo: found[0].Repo})[1:]...)
		}
	}
	out := make([]Unit, 0, len(all))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		g := all[key]
		ecosystem, name, _ := strings.Cut(key, "/")
		u := Unit{Ecosystem: ecosystem, Name: name, Parts: len(g.seen)}
		slices.SortStableFunc(g.found, func(a, b scoring.Link) int { return strings.Compare(a.Subject, b.Subject) })
		if found := onePerRepository(g.found); len(found) > 0 {
			best := found[0]
			best.Rivals = rivalsAmong(found, append(g.own, best.Repo))
			u.Link = &best
		} else {
			u.Reason = c.unresolved(g.part)
		}
		out = append(out, u)
	}
	return out
}

// partKey tells parts apart: what is the same in all that rules read is one part.
func partKey(p Part) string {
	var b strings.Builder
	for _, s := range []string{p.Subject, p.Kind, p.Name, p.Source, p.Assign} {
		b.WriteString(s + "\x00")
	}
	for _, claim := range p.Claims {
		b.WriteString(claim.Kind + "\x00" + claim.Value + "\x00" + claim.Path + "\x00")
	}
	return b.String()
}

// unresolved says what was missing.
func (c *Catalogue) unresolved(p Part) string {
	id := identityOf(p)
	named := slices.ContainsFunc(p.Claims, func(claim Claim) bool { _, ok := claimRules[claim.Kind]; return ok && claim.Value != "" })
	return cmp.Or(
		when(id.ecosystem == "golang", "the host of the module path is neither a forge nor in the table: only the host could tell where it leads"),
		when(named, "what it names is no repository, and the table does not know it"),
		"it names no address, and the table does not know it")
}

func when(holds bool, text string) string {
	if holds {
		return text
	}
	return ""
}
