package thirdparty

import (
	"context"
	"net/url"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// ecosystemsEntry is a package of ecosyste.ms. It also names maintainers and owners, who are left out.
// Source: GET /api/v1/packages/lookup of packages.ecosyste.ms.
type ecosystemsEntry struct {
	Repository string `json:"repository_url,omitempty"`
	Dependents *int   `json:"dependent_packages_count,omitempty"`
}

func (c *Collector) ecosystems(ctx context.Context, a *asker, u packageurl.PackageURL) (ecosystemsEntry, answer, error) {
	u.Version, u.Qualifiers, u.Subpath = "", nil, ""
	list, ans, err := get[[]ecosystemsEntry](ctx, a, Ecosystems, "/api/v1/packages/lookup?purl="+url.QueryEscape(u.ToString()))
	switch {
	case err != nil:
		return ecosystemsEntry{}, ans, err
	case len(list) == 0:
		return ecosystemsEntry{}, ans, errNoSuchEntry
	}
	return list[0], ans, nil
}

// Repository asks indexes which repository a package comes from: deps.dev, then ecosyste.ms, then, for packages of
// distributions, Repology, which leads to the same project in a registry of a language. Only services that are switched on
// are asked. What registries say is claimed by whoever published the package: it is of low confidence, and ok is false
// unless one index names one repository. Failures of services are not told apart from not knowing.
func (c *Collector) Repository(ctx context.Context, purl string) (repo string, origin audit.Origin, ok bool) {
	u, err := packageurl.FromString(purl)
	if err != nil {
		return "", origin, false
	}
	a := &asker{c: c, people: &scoring.People{}}
	for _, look := range []func(context.Context, *asker, packageurl.PackageURL) (string, audit.Origin, bool){
		c.depsRepository, c.ecosystemsRepository, c.repologyRepository,
	} {
		if repo, origin, ok = look(ctx, a, u); ok {
			return repo, origin, true
		}
	}
	return "", audit.Origin{}, false
}

func (c *Collector) depsRepository(ctx context.Context, a *asker, u packageurl.PackageURL) (string, audit.Origin, bool) {
	system := registries(u.Type).depsdev
	if !c.on(DepsDev) || system == "" {
		return "", audit.Origin{}, false
	}
	name, version := nameOf(u), u.Version
	if version == "" {
		var err error
		if version, err = c.current(ctx, a, system, name); err != nil {
			return "", audit.Origin{}, false
		}
	}
	v, ans, err := get[depsVersion](ctx, a, DepsDev, depsPath("v3", system, name)+"/versions/"+url.PathEscape(version))
	if err != nil {
		return "", audit.Origin{}, false
	}
	for _, r := range v.Related {
		if r.Type == "SOURCE_REPO" {
			return webAddress(r.Project.ID, ans.origin)
		}
	}
	for _, l := range v.Links {
		if l.Label == "SOURCE_REPO" {
			return webAddress(l.URL, ans.origin)
		}
	}
	return "", audit.Origin{}, false
}

func (c *Collector) ecosystemsRepository(ctx context.Context, a *asker, u packageurl.PackageURL) (string, audit.Origin, bool) {
	if !c.on(Ecosystems) {
		return "", audit.Origin{}, false
	}
	entry, ans, err := c.ecosystems(ctx, a, u)
	if err != nil {
		return "", audit.Origin{}, false
	}
	return webAddress(entry.Repository, ans.origin)
}

// repologyRepository goes from a package of a distribution to one of a registry of a language, and asks deps.dev for that.
// Repology itself publishes no addresses of repositories.
func (c *Collector) repologyRepository(ctx context.Context, a *asker, u packageurl.PackageURL) (string, audit.Origin, bool) {
	path := repologyPath(u, "srcname")
	if !c.on(Repology) || u.Type != "deb" || path == "" {
		return "", audit.Origin{}, false
	}
	list, _, err := get[[]repologyPackage](ctx, a, Repology, path)
	if err != nil {
		return "", audit.Origin{}, false
	}
	for _, pkg := range list {
		for _, kind := range []string{"pypi", "cargo", "gem"} {
			if pkg.Repo != registries(kind).repology || pkg.Visible == "" {
				continue
			}
			if repo, origin, ok := c.depsRepository(ctx, a, packageurl.PackageURL{Type: kind, Name: pkg.Visible}); ok {
				return repo, origin, true
			}
		}
	}
	return "", audit.Origin{}, false
}

// webAddress makes an address of a repository from what an index says.
func webAddress(said string, origin audit.Origin) (string, audit.Origin, bool) {
	repo := repository(said)
	if repo == "" || len(repo) > 300 || strings.ContainsAny(repo, " \t\n\"'<>") {
		return "", audit.Origin{}, false
	}
	return "https://" + repo, origin, true
}
