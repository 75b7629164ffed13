package upstream

import (
	"cmp"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"
)

// Rules that lead from a name to a catalogue entry, as written in scoring.Link.
const (
	RuleImage    = "image"
	RuleChart    = "chart"
	RulePackage  = "package"
	RulePURL     = "purl"
	RuleSoftware = "software"
	RuleAssign   = "assign"
)

// Confidence of a match.
const (
	High   = "high"   // the name stands where the catalogue says
	Medium = "medium" // the name agrees, the place is plausible
	Low    = "low"    // only the last part of the name agrees: it may be something else
)

// Match says that a name leads to a catalogue entry.
type Match struct {
	ID         string // catalogue id
	Rule       string
	Confidence string
	Detail     string // what agreed, for people
	// Edition is the edition that the part ships, EditionSource where that was read; empty if the catalogue says nothing.
	Edition       string
	EditionSource string
	// Versioned says that the version in the part's name is the version of this component. It is false where one image
	// holds several components, or where a build numbers its images itself.
	Versioned bool
}

// MatchImage returns the components of an image reference by the naming rules of the SCS reference stack: segments are
// compared from the right, registry hosts are ignored. It returns the most specific matches only, the best first, and
// nil if nothing matches. Entries matched by their last name alone have confidence Low.
func (c *Catalogue) MatchImage(ref string) []Match {
	r, ok := parseRepository(ref)
	if !ok {
		return nil
	}
	var found []Match
	best := 0
	for _, e := range c.images[r.path[len(r.path)-1]] {
		m, rank := e.fits(r)
		if rank == 0 || rank < best {
			continue
		}
		if rank > best {
			best, found = rank, nil
		}
		m.ID, m.Rule, m.Versioned = c.components[e.component].ID, RuleImage, !e.inside
		m.Edition, m.EditionSource = e.edition.Edition, e.edition.Source
		found = append(found, m)
	}
	return strongest(found)
}

// MatchChart returns the components that a Helm chart deploys. The name may carry a repository before it. Chart names are
// not unique in the world, so the confidence is Medium; the version of a chart is never that of the component.
func (c *Catalogue) MatchChart(name string) []Match {
	if len(name) > maxName {
		return nil
	}
	name = name[strings.LastIndexByte(name, '/')+1:]
	return c.matches(c.charts[name], Match{Rule: RuleChart, Confidence: Medium, Detail: "chart " + name})
}

// packageEntry is a package name of the catalogue, with the distribution if only that one counts.
type packageEntry struct {
	component    int
	distribution string
	name         string
}

func newPackageEntry(component int, text string) packageEntry {
	distribution, name, ok := strings.Cut(text, "/")
	if !ok {
		distribution, name = "", text
	}
	return packageEntry{component, distribution, name}
}

// MatchPackage returns the components of a package. kind is the package type as SBOM tools name it: deb, python or pypi,
// go-module or golang, npm. The name of a deb may carry its distribution: debian/base-files.
func (c *Catalogue) MatchPackage(kind, name string) []Match {
	if len(name) > maxName {
		return nil
	}
	switch kind {
	case "deb":
		distribution, bare, ok := strings.Cut(name, "/")
		if !ok {
			distribution, bare = "", name
		}
		return c.matchDeb(distribution, bare, RulePackage)
	case "python", "pypi":
		return c.matchKey("pypi/"+pythonName(name), RulePackage)
	case "go-module", "golang":
		return c.matchGoModule(name, RulePackage)
	case "npm":
		return c.matchKey("npm/"+name, RulePackage)
	}
	return nil
}

func (c *Catalogue) matchDeb(distribution, name, rule string) []Match {
	var found []Match
	for _, e := range c.packages[name] {
		m := Match{ID: c.components[e.component].ID, Rule: rule, Confidence: High, Detail: "package " + name, Versioned: true}
		switch {
		case e.distribution == "" || e.distribution == distribution:
		case distribution == "":
			m.Confidence, m.Detail = Low, "package "+name+" of an unknown distribution"
		default:
			continue
		}
		found = append(found, m)
	}
	return strongest(found)
}

// MatchPURL returns the components of a package URL: by catalogue entry, by Debian binary and then source package, by the
// repository of Go modules and of purls that name one, and for images and charts by their own rules.
func (c *Catalogue) MatchPURL(purl string) []Match {
	if len(purl) > 4*maxName {
		return nil
	}
	p, err := packageurl.FromString(purl)
	if err != nil {
		return nil
	}
	switch p.Type {
	case "deb":
		return c.matchDebPURL(p)
	case "docker", "oci":
		return asPURL(c.MatchImage(imageOf(p)))
	case "helm":
		return asPURL(c.MatchChart(p.Name))
	case "golang":
		return c.matchGoModule(join(p.Namespace, p.Name), RulePURL)
	}
	if found := c.matchKey(join(p.Type, p.Namespace, p.Name), RulePURL); found != nil {
		return found
	}
	if p.Type == "github" {
		return c.matchRepo("github.com/"+join(p.Namespace, p.Name), RulePURL)
	}
	return c.matchRepo(repoKey(p.Qualifiers.Map()["vcs_url"]), RulePURL)
}

func (c *Catalogue) matchDebPURL(p packageurl.PackageURL) []Match {
	if found := c.matchDeb(p.Namespace, p.Name, RulePURL); found != nil {
		return found
	}
	source, _, _ := strings.Cut(p.Qualifiers.Map()["upstream"], "@")
	if source == "" || source == p.Name {
		return nil
	}
	found := c.matchDeb(p.Namespace, source, RulePURL)
	for i := range found {
		found[i].Detail = "source package " + source
		if found[i].Confidence == High {
			found[i].Confidence = Medium
		}
	}
	return found
}

// imageOf writes the image reference that an oci or docker purl stands for.
func imageOf(p packageurl.PackageURL) string {
	address := strings.TrimSuffix(p.Qualifiers.Map()["repository_url"], "/")
	address = strings.TrimPrefix(strings.TrimPrefix(address, "https://"), "http://")
	name := join(p.Namespace, p.Name)
	if address == "" || address == name || strings.HasSuffix(address, "/"+name) {
		if address != "" {
			return address
		}
		return name
	}
	return address + "/" + name
}

func asPURL(found []Match) []Match {
	for i := range found {
		found[i].Rule = RulePURL
	}
	return found
}

func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "/")
}

func pythonName(name string) string {
	return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
}

// purlKey returns type/namespace/name of a purl, the form in which purls are looked up.
func purlKey(purl string) (string, bool) {
	p, err := packageurl.FromString(purl)
	if err != nil {
		return "", false
	}
	return join(p.Type, p.Namespace, p.Name), true
}

// matchGoModule looks for the module path itself, then for each path above it: a module below a repository is part of it. It
// has versions of its own, which are not those of the component: .../vault/api 1.9.0 is no Vault 1.9.0.
func (c *Catalogue) matchGoModule(path, rule string) []Match {
	for at := path; at != ""; at = parent(at) {
		found := c.matchKey("golang/"+at, rule)
		if found == nil {
			found = c.matchRepo(at, rule)
		}
		if found == nil {
			continue
		}
		if at != path {
			for i := range found {
				found[i].Confidence, found[i].Detail = Medium, "module "+path+" below "+at
				found[i].Versioned = found[i].Versioned && majorPattern.MatchString(path[len(at)+1:])
			}
		}
		return found
	}
	return nil
}

func parent(path string) string { return path[:max(0, strings.LastIndexByte(path, '/'))] }

func (c *Catalogue) matchKey(key, rule string) []Match {
	return c.matches(c.purls[key], Match{Rule: rule, Confidence: High, Detail: key, Versioned: true})
}

func (c *Catalogue) matchRepo(key, rule string) []Match {
	key = strings.ToLower(key)
	return c.matches(c.repos[key], Match{Rule: rule, Confidence: High, Detail: "repository " + key, Versioned: true})
}

// repoKey folds the addresses of one repository: host and path without scheme, user, suffix .git, revision and case.
// It returns "" for what is no repository address.
func repoKey(address string) string {
	address = strings.TrimPrefix(address, "git+")
	_, rest, ok := strings.Cut(address, "://")
	if !ok || len(address) > maxName {
		return ""
	}
	host, path, ok := strings.Cut(rest, "/")
	if !ok || strings.Trim(path, "/") == "" {
		return ""
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	path, _, _ = strings.Cut(path, "#")
	path, _, _ = strings.Cut(path, "@")
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	return strings.ToLower(host + "/" + path)
}

// MatchSoftware returns the components of a name from a deployment manifest, such as the keys of osism_projects, or a full
// collection name such as osism.services. Names that the catalogue does not know stay unmatched.
func (c *Catalogue) MatchSoftware(name string) []Match {
	if len(name) > maxName {
		return nil
	}
	return c.matches(c.software[softwareKey(name)], Match{Rule: RuleSoftware, Confidence: High, Detail: "name " + name, Versioned: true})
}

func (c *Catalogue) matches(components []int, like Match) []Match {
	var found []Match
	for _, i := range components {
		m := like
		m.ID = c.components[i].ID
		found = append(found, m)
	}
	return strongest(found)
}

// weakness ranks confidences, the best first.
func weakness(confidence string) int { return slices.Index([]string{High, Medium, Low}, confidence) }

// strongest sorts matches and keeps one per component: high confidence first, then those whose version is known, those
// with an edition, then by id. Low matches are dropped where a better one exists.
func strongest(found []Match) []Match {
	slices.SortStableFunc(found, func(a, b Match) int {
		return cmp.Or(cmp.Compare(weakness(a.Confidence), weakness(b.Confidence)),
			cmp.Compare(falseLast(a.Versioned), falseLast(b.Versioned)),
			cmp.Compare(falseLast(a.Edition != ""), falseLast(b.Edition != "")), cmp.Compare(a.ID, b.ID))
	})
	var kept []Match
	for _, m := range found {
		if m.Confidence == Low && len(kept) > 0 && kept[0].Confidence != Low {
			continue
		}
		if !slices.ContainsFunc(kept, func(k Match) bool { return k.ID == m.ID }) {
			kept = append(kept, m)
		}
	}
	return kept
}

func falseLast(b bool) int {
	if b {
		return 0
	}
	return 1
}
