package thirdparty

import (
	"net/url"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/scoring"
)

// mostPackages bounds how many packages of one project are asked about.
const mostPackages = 20

// packages returns the packages of a project that have a readable purl, each once, in the order of the catalogue.
func packages(p scoring.Project) []packageurl.PackageURL {
	var out []packageurl.PackageURL
	for _, text := range p.Packages {
		if u, err := packageurl.FromString(text); err == nil && len(out) < mostPackages && !slices.ContainsFunc(out, sameAs(u)) {
			u.Version, u.Qualifiers, u.Subpath = "", nil, ""
			out = append(out, u)
		}
	}
	return out
}

func sameAs(a packageurl.PackageURL) func(packageurl.PackageURL) bool {
	return func(b packageurl.PackageURL) bool {
		return a.Type == b.Type && a.Namespace == b.Namespace && a.Name == b.Name
	}
}

// registry says how a type of purl is called by the indexes; empty: the index does not have it.
type registry struct{ osv, depsdev, repology string }

// registries of languages, whose versions are those of the upstream project. Distributions are none: the versions of their
// packages are their own, and so are their advisories.
// Sources: defined ecosystems of the OSV schema 1.9.0; enum System of the deps.dev API v3; repos.d of Repology.
func registries(purlType string) registry {
	switch purlType {
	case "pypi":
		return registry{"PyPI", "PYPI", "pypi"}
	case "golang":
		return registry{"Go", "GO", ""}
	case "npm":
		return registry{"npm", "NPM", ""}
	case "cargo":
		return registry{"crates.io", "CARGO", "crates_io"}
	case "maven":
		return registry{"Maven", "MAVEN", ""}
	case "gem":
		return registry{"RubyGems", "RUBYGEMS", "rubygems"}
	case "nuget":
		return registry{"NuGet", "NUGET", ""}
	case "composer":
		return registry{"Packagist", "", ""}
	case "hex":
		return registry{"Hex", "", ""}
	case "pub":
		return registry{"Pub", "", ""}
	case "cran":
		return registry{"CRAN", "", "cran"}
	case "hackage":
		return registry{"Hackage", "", "hackage"}
	}
	return registry{}
}

// nameOf is the name of a package as its registry spells it.
func nameOf(u packageurl.PackageURL) string {
	switch {
	case u.Namespace == "":
		return u.Name
	case u.Type == "maven":
		return u.Namespace + ":" + u.Name
	}
	return u.Namespace + "/" + u.Name
}

// key is how a package is found in an index of advisories: ecosystem and name in the spelling that does not distinguish.
func key(ecosystem, name string) string {
	ecosystem = registryOf(ecosystem)
	switch ecosystem {
	case "PyPI":
		name = strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name)) // PEP 503
	case "NuGet", "Packagist":
		name = strings.ToLower(name)
	}
	return ecosystem + " " + name
}

// repository is an address without scheme, user, port and .git, in lower case: host/path. It is empty if it is none.
func repository(address string) string { return strings.ToLower(spelled(address)) }

// spelled is repository in the spelling of the address, which some indexes mind.
func spelled(address string) string {
	address = strings.TrimPrefix(strings.TrimSpace(address), "git+")
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	path := strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
	if path == "" {
		return ""
	}
	return strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.") + "/" + path
}

// homes are the addresses of a project, the authoritative one first.
func homes(p scoring.Project) []string {
	var out []string
	for _, address := range []string{p.Repo, p.Mirror} {
		if r := repository(address); r != "" && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// spellings are homes in the spelling of the catalogue.
func spellings(p scoring.Project) []string {
	var out []string
	for _, address := range []string{p.Repo, p.Mirror} {
		if r := spelled(address); r != "" && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}
