// Package upstream leads deployed parts to the upstream projects behind them. In come names as strings: image references,
// chart and package names, package URLs, names from deployment manifests. Out come catalogue entries with the rule that
// led there, the licence at a version, and the projects of a whole stack. The catalogue is data of this package. Nothing
// here reads a network, a clock or a file of the host.
package upstream

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

//go:embed catalogue.yaml
var embedded []byte

// Schema names the form of the catalogue that Read accepts.
const Schema = "pegel/catalogue/v1"

// Roles of a component (design section 9; the criterion stands in the head of catalogue.yaml).
const (
	RolePlatform      = "platform"
	RoleBuildingBlock = "building-block"
)

// NoAssertion is the licence of a component whose licence depends on version or edition.
const NoAssertion = "NOASSERTION"

// Catalogue is the list of known upstream components. It does not change after it was read, so that it may be used from
// several goroutines. The zero value knows nothing.
type Catalogue struct {
	digest     audit.Digest
	components []Component
	standards  []Standard
	byID       map[string]int
	images     map[string][]imageEntry // by last path segment
	charts     map[string][]int
	packages   map[string][]packageEntry // by package name
	purls      map[string][]int          // by type/namespace/name
	repos      map[string][]int          // by host/path
	software   map[string][]int
	support    map[string][]supportRow // by id; the longest version first
	table      *table                  // nil: nothing is known beside the components
}

// Component is one entry of the catalogue. The head of catalogue.yaml says what each field means.
type Component struct {
	ID               string        `yaml:"id"`
	Name             string        `yaml:"name"`
	Role             string        `yaml:"role"`
	Tiers            []string      `yaml:"tiers"`
	Area             string        `yaml:"area"`
	Repo             string        `yaml:"repo"`
	Mirror           string        `yaml:"mirror"`
	Licence          string        `yaml:"licence"`
	LicenceChecked   bool          `yaml:"licence_checked"`
	LicenceByVersion []LicenceRow  `yaml:"licence_by_version"`
	LicenceFlag      string        `yaml:"licence_flag"`
	Governance       Governance    `yaml:"governance"`
	Images           []string      `yaml:"images"`
	Inside           []string      `yaml:"inside"`
	Editions         []Edition     `yaml:"editions"`
	HelmCharts       []string      `yaml:"helm_charts"`
	Packages         []string      `yaml:"packages"`
	PURLs            []string      `yaml:"purls"`
	Software         []string      `yaml:"software"`
	Alternatives     []Alternative `yaml:"alternatives"`
	Standards        []Reference   `yaml:"standards"`
	Places           []Place       `yaml:"places"`
	Profile          string        `yaml:"profile,omitempty"`        // service if empty
	ProfileReason    string        `yaml:"profile_reason,omitempty"` // why another
	Notes            string        `yaml:"notes"`
	Verify           bool          `yaml:"verify"`
}

// LicenceRow says which licence holds for a range of versions of one edition.
type LicenceRow struct {
	Versions string `yaml:"versions"` // "*", or bounds joined by commas: ">=7.4,<8.0"
	Edition  string `yaml:"edition"`  // empty: the only edition that is known
	Licence  string `yaml:"licence"`  // SPDX expression
	OSI      bool   `yaml:"osi"`      // approved by the OSI, or one of a choice is
	Source   string `yaml:"source"`   // where it was read

	constraint constraint
}

// Governance says who runs a project, as far as the catalogue knows.
type Governance struct {
	Foundation  string `yaml:"foundation"`
	Model       string `yaml:"model"`
	ProjectTeam string `yaml:"project_team"`
	Maturity    string `yaml:"maturity"`
	PartOf      string `yaml:"part_of"`
	Registry    string `yaml:"registry"`
}

// Edition says which edition or vendor build an image ships.
type Edition struct {
	Images  []string `yaml:"images"`
	Edition string   `yaml:"edition"`
	Source  string   `yaml:"source"`
}

// Standard is a standard or interface that components speak.
type Standard struct {
	ID     string `yaml:"id"`
	Name   string `yaml:"name"`
	Source string `yaml:"source"` // address of its text
}

// Place is a further repository of a project, in which it keeps rules and plans.
type Place struct {
	Repo   string `yaml:"repo"`
	Source string `yaml:"source"` // where the project says that it is its own
}

// Reference says that a component speaks a standard.
type Reference struct {
	ID     string `yaml:"id"`     // of the standard
	Source string `yaml:"source"` // where that is documented
}

// Alternative is open source that can take the place of a component: another one of the catalogue by its id, or a project
// that the catalogue does not list, by name, repository and licence.
type Alternative struct {
	ID        string   `yaml:"id"`
	Name      string   `yaml:"name"`
	Repo      string   `yaml:"repo"`
	Licence   string   `yaml:"licence"`
	Standards []string `yaml:"standards"` // that both speak
	Source    string   `yaml:"source"`    // where that is documented
}

// Alternatives returns what can take the place of a component, each with name, repository and licence, those of the catalogue
// too. It returns nil for an id that the catalogue does not have; an empty list says that none is known.
func (c *Catalogue) Alternatives(id string) []Alternative {
	k, ok := c.Get(id)
	if !ok {
		return nil
	}
	out := slices.Clone(k.Alternatives)
	for i, a := range out {
		if other, ok := c.Get(a.ID); ok {
			out[i].Name, out[i].Repo, out[i].Licence = other.Name, other.Repo, other.Licence
		}
	}
	return out
}

// Standards returns the standards that the catalogue has words for, in the order of the file.
func (c *Catalogue) Standards() []Standard { return slices.Clone(c.standards) }

// Load returns the catalogue that is built into the program, with the ends of maintenance and the table of repositories. It
// fails only if the program was built from a broken one.
func Load() (*Catalogue, error) {
	c, err := Read(embedded)
	if err != nil {
		return nil, err
	}
	if c, err = c.withSupport(embeddedSupport); err != nil {
		return nil, err
	}
	return c.withRepositories(embeddedRepositories)
}

// Digest returns the SHA-256 of the bytes the catalogue was read from: the version of the catalogue.
func (c *Catalogue) Digest() audit.Digest { return c.digest }

// Components returns all entries in the order of the file. The list may be kept and sorted; what its entries point to may
// not be changed.
func (c *Catalogue) Components() []Component { return slices.Clone(c.components) }

// Get returns the entry with that id.
func (c *Catalogue) Get(id string) (Component, bool) {
	i, ok := c.byID[id]
	if !ok {
		return Component{}, false
	}
	return c.components[i], true
}

// Origin says where a statement about the entry was read: the catalogue's digest and the entry's id.
func (c *Catalogue) Origin(id string) audit.Origin {
	return audit.Origin{Source: "catalogue", Path: "catalogue.yaml#" + id, Digest: c.digest}
}

// Service names the service that a component belongs to: the component whose governance it shares, or itself.
func (k Component) Service() string {
	if k.Governance.PartOf != "" {
		return k.Governance.PartOf
	}
	return k.ID
}

// KnowsService reports whether a name is one by which operators call a service of the catalogue: an id, the service that a
// component belongs to, or the name of an image (nova-compute). Case does not matter; underscores count as dashes.
func (c *Catalogue) KnowsService(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	if _, ok := c.byID[name]; ok || len(c.images[name]) > 0 {
		return true
	}
	return slices.ContainsFunc(c.components, func(k Component) bool { return k.Service() == name })
}

// index fills the look-up tables from the components, which were checked before.
func (c *Catalogue) index() {
	c.byID = make(map[string]int, len(c.components))
	c.images = make(map[string][]imageEntry)
	c.charts = make(map[string][]int)
	c.packages = make(map[string][]packageEntry)
	c.purls = make(map[string][]int)
	c.repos = make(map[string][]int)
	c.software = make(map[string][]int)
	for i, k := range c.components {
		c.byID[k.ID] = i
		c.indexImages(i, k)
		for _, chart := range k.HelmCharts {
			c.charts[chart] = append(c.charts[chart], i)
		}
		for _, p := range k.Packages {
			e := newPackageEntry(i, p)
			c.packages[e.name] = append(c.packages[e.name], e)
		}
		for _, p := range k.PURLs {
			if key, ok := purlKey(p); ok {
				c.purls[key] = append(c.purls[key], i)
			}
		}
		for _, name := range append([]string{k.ID}, k.Software...) {
			addOnce(c.software, softwareKey(name), i)
		}
		for _, address := range []string{k.Repo, k.Mirror} {
			if key := repoKey(address); key != "" {
				addOnce(c.repos, key, i)
			}
		}
	}
}

func (c *Catalogue) indexImages(i int, k Component) {
	edition := make(map[string]Edition)
	for _, e := range k.Editions {
		for _, image := range e.Images {
			edition[image] = e
		}
	}
	add := func(name string, inside bool) {
		e, ok := newImageEntry(name)
		if !ok {
			return
		}
		e.component, e.inside, e.edition = i, inside, edition[name]
		last := e.path[len(e.path)-1]
		c.images[last] = append(c.images[last], e)
	}
	for _, name := range k.Images {
		add(name, false)
	}
	for _, name := range k.Inside {
		add(name, true)
	}
}

func addOnce(m map[string][]int, key string, i int) {
	if !slices.Contains(m[key], i) {
		m[key] = append(m[key], i)
	}
}

// softwareKey folds what manifests write differently for one thing: case, and underscore for hyphen.
func softwareKey(name string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", "-")
}
