package thirdparty

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// repologyPackage is one package of a project at Repology. It also names maintainers, who are left out.
// Source: repology.org/api.
type repologyPackage struct {
	Repo    string `json:"repo"`
	Name    string `json:"srcname,omitempty"`
	Binary  string `json:"binname,omitempty"`
	Visible string `json:"visiblename,omitempty"`
	Version string `json:"version"`
	Status  string `json:"status,omitempty"` // newest, devel, unique, outdated, legacy, rolling, noscheme, incorrect, untrusted, ignored
}

//go:embed families.csv
var familyTable string

// families reads the table of distributions: beginnings of names of repositories, and their families.
func families() map[string]string {
	out := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(familyTable))
	for lines.Scan() {
		if prefix, family, ok := strings.Cut(lines.Text(), ","); ok && !strings.HasPrefix(prefix, "#") {
			out[prefix] = family
		}
	}
	return out
}

// familyOf returns the family of a repository, by the longest beginning that the table has; empty if it is no distribution.
func familyOf(table map[string]string, repo string) string {
	for n := len(repo); n > 0; n-- {
		if family, ok := table[repo[:n]]; ok {
			return family
		}
	}
	return ""
}

// packaging asks Repology where distributions ship a project. Its name there is looked up by a package that the catalogue
// or the stack gives; without one nobody looks, because a guessed name may be that of another project. For the same reason
// an unknown or empty name is no answer: that Repology does not know a name does not show that nobody ships the project.
func (c *Collector) packaging(ctx context.Context, a *asker, p scoring.Project) audit.Fact[scoring.Packaging] {
	if !c.on(Repology) {
		return off[scoring.Packaging](string(Repology))
	}
	paths := repologyPaths(p)
	if len(paths) == 0 {
		return audit.Fact[scoring.Packaging]{Settle: "enter a package of a distribution or of PyPI in the catalogue"}
	}
	var reason string
	for _, path := range paths {
		list, ans, err := get[[]repologyPackage](ctx, a, Repology, path)
		switch {
		case err != nil && !errors.Is(err, errNoSuchEntry):
			return vain[scoring.Packaging]("ask repology.org again", trouble(Repology, err))
		case err != nil || len(list) == 0:
			reason = "repology.org does not know the package"
			continue
		}
		v := packagingOf(list)
		v.Project = projectName(ans.origin.URL)
		return graded(audit.Known(v, ans.origin), a.at(ans.origin))
	}
	return vain[scoring.Packaging]("enter the name of a package that Repology knows in the catalogue", reason)
}

// packagingOf counts families.
func packagingOf(list []repologyPackage) scoring.Packaging {
	table := families()
	all, current := map[string]bool{}, map[string]bool{}
	v := scoring.Packaging{}
	for _, pkg := range list {
		if pkg.Status == "newest" && v.Newest == "" {
			v.Newest = clip(pkg.Version)
		}
		family := familyOf(table, pkg.Repo)
		if family == "" {
			continue
		}
		switch pkg.Status {
		case "newest", "devel", "unique":
			all[family], current[family] = true, true
		case "incorrect", "untrusted", "ignored": // versions that Repology does not believe
		default:
			all[family] = true
		}
	}
	v.Families, v.Current = len(all), len(current)
	return v
}

// projectName is the name of a project in an address of the API.
func projectName(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	name, _ := strings.CutPrefix(u.EscapedPath(), "/api/v1/project/")
	name, err = url.PathUnescape(name)
	if err != nil || strings.HasPrefix(name, "/") {
		return ""
	}
	return clip(name)
}

// mostNames bounds how many packages are tried, at one request in a second.
const mostNames = 3

// repologyPaths are the questions that go from a package to its project.
func repologyPaths(p scoring.Project) []string {
	var out []string
	add := func(path string) {
		if path != "" && len(out) < mostNames && !slices.Contains(out, path) {
			out = append(out, path)
		}
	}
	for _, u := range packages(p) {
		add(repologyPath(u, "srcname"))
	}
	for _, link := range p.Links {
		if u, err := packageurl.FromString(link.Subject); err == nil && link.Confidence == "high" && u.Type == "deb" {
			add(repologyPath(u, "binname"))
		}
	}
	return out
}

// repologyPath asks for the project that a package belongs to; empty for packages that Repology does not have.
// Source: repology.org/tools/project-by, whose answer redirects to the API.
func repologyPath(u packageurl.PackageURL, kind string) string {
	repo := registries(u.Type).repology
	switch {
	case u.Type == "deb" && u.Namespace == "debian":
		repo = "debian_unstable"
	case u.Type == "deb" && u.Namespace == "ubuntu":
		repo = "ubuntu_24_04"
	case repo == "":
		return ""
	}
	query := url.Values{"repo": {repo}, "name_type": {kind}, "target_page": {"api_v1_project"}, "name": {u.Name}}
	return "/tools/project-by?" + query.Encode()
}
