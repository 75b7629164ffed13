package thirdparty

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// depsPackage, depsVersion and depsDependents are parts of what the API of deps.dev answers.
// Source: messages Package, Version and Dependents of api.proto, v3 and v3alpha.
type depsPackage struct {
	Versions []struct {
		Key struct {
			Version string `json:"version"`
		} `json:"versionKey"`
		Default bool `json:"isDefault,omitempty"`
	} `json:"versions"`
}

type depsVersion struct {
	Links []struct {
		Label string `json:"label"`
		URL   string `json:"url"`
	} `json:"links,omitempty"`
	Related []struct {
		Project struct {
			ID string `json:"id"`
		} `json:"projectKey"`
		Type string `json:"relationType"`
	} `json:"relatedProjects,omitempty"`
}

type depsDependents struct {
	Count *int `json:"dependentCount,omitempty"`
}

// counted lists the systems for which deps.dev counts dependents.
// Source: description of GetDependents, v3alpha: npm, Cargo, Maven and PyPI.
func counted(system string) bool {
	return system == "NPM" || system == "CARGO" || system == "MAVEN" || system == "PYPI"
}

// depsPath is the address of a package.
func depsPath(api, system, name string) string {
	return "/" + api + "/systems/" + system + "/packages/" + url.PathEscape(name)
}

// current returns the version of a package that deps.dev calls its default.
func (c *Collector) current(ctx context.Context, a *asker, system, name string) (string, error) {
	v, _, err := get[depsPackage](ctx, a, DepsDev, depsPath("v3", system, name))
	if err != nil {
		return "", err
	}
	last := ""
	for _, version := range v.Versions {
		if last = version.Key.Version; version.Default {
			break
		}
	}
	if last == "" {
		return "", errNoSuchEntry
	}
	return last, nil
}

// dependents counts the packages that depend on a project: the largest count over its packages, by deps.dev, else by
// ecosyste.ms. A package that an index does not know gives no answer.
func (c *Collector) dependents(ctx context.Context, a *asker, p scoring.Project) audit.Fact[scoring.Dependents] {
	if !c.on(DepsDev) && !c.on(Ecosystems) {
		return off[scoring.Dependents](string(DepsDev), string(Ecosystems))
	}
	list := packages(p)
	if len(list) == 0 {
		return audit.Fact[scoring.Dependents]{Settle: "enter the packages of the project in the catalogue; one that is no package has no dependents"}
	}
	reason := "no index knows a package of the project"
	for _, index := range []Service{DepsDev, Ecosystems} {
		if !c.on(index) {
			continue
		}
		v := scoring.Dependents{Index: host(index)}
		var origins []audit.Origin
		var at time.Time
		for _, u := range list {
			n, ans, err := c.dependentsOf(ctx, a, index, u)
			switch {
			case errors.Is(err, errNoSuchEntry):
				continue
			case err != nil:
				reason = trouble(index, err)
				continue
			}
			v.Packages++
			v.Count = max(v.Count, n)
			origins, at = append(origins, ans.origin), earlier(at, a.at(ans.origin))
		}
		if v.Packages > 0 {
			return graded(audit.Known(v, origins...), at)
		}
	}
	return vain[scoring.Dependents]("ask the index again, or enter other packages in the catalogue", reason)
}

func (c *Collector) dependentsOf(ctx context.Context, a *asker, index Service, u packageurl.PackageURL) (int, answer, error) {
	if index == Ecosystems {
		entry, ans, err := c.ecosystems(ctx, a, u)
		return dependentCount(entry.Dependents, ans, err)
	}
	system := registries(u.Type).depsdev
	if !counted(system) {
		return 0, answer{}, errNoSuchEntry
	}
	version, err := c.current(ctx, a, system, nameOf(u))
	if err != nil {
		return 0, answer{}, err
	}
	path := depsPath("v3alpha", system, nameOf(u)) + "/versions/" + url.PathEscape(version) + ":dependents"
	v, ans, err := get[depsDependents](ctx, a, DepsDev, path)
	return dependentCount(v.Count, ans, err)
}

// dependentCount takes a missing number for what it is: no answer.
func dependentCount(n *int, ans answer, err error) (int, answer, error) {
	if err == nil && (n == nil || *n < 0) {
		return 0, ans, errors.New("the answer has no number of dependents")
	}
	if err != nil {
		return 0, ans, err
	}
	return *n, ans, nil
}
