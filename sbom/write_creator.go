package sbom

import (
	"cmp"
	"net/url"
	"regexp"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"
)

// BSI TR-03183-2 wants an e-mail address of the creator of each component, or else a URL. Pegel never writes addresses of
// persons, so it writes the URL of the project or of the place that publishes the component (docs/decisions/0005). What
// no rule gives stays absent.

// maker is who creates a component: an organisation or project, where it can be reached, and the rule that says so.
type maker struct{ name, address, rule string }

// Rules by which the address of a creator is found, as they stand in documents.
const (
	ruleTracker   = "tracker"   // page of the source package at the distribution that built it
	ruleHomepage  = "homepage"  // that the package names
	ruleModule    = "module"    // the path of the module is an address
	rulePublisher = "publisher" // page of the project where its ecosystem publishes
	ruleOwner     = "owner"     // that the package names in whose files it lies
	ruleSupplier  = "supplier"  // organisation that the package names, without address
)

// parsedPURL returns the purl of a package, or the zero value if it has none that can be read.
func parsedPURL(p Component) packageurl.PackageURL {
	purl, err := packageurl.FromString(p.PURL)
	if err != nil {
		return packageurl.PackageURL{}
	}
	return purl
}

// makerOf returns the creator of a package; owner is the package in whose files it lies, or nil.
func makerOf(p Component, purl packageurl.PackageURL, owner *Component) maker {
	if home, page := homeOf(p, purl); page != "" {
		return maker{cmp.Or(p.Supplier, home), page, ruleTracker}
	}
	if module := moduleAddress(purl); module != "" {
		return maker{cmp.Or(p.Supplier, purl.Namespace, purl.Name), module, ruleModule}
	}
	if webAddress(p.Homepage) {
		return maker{cmp.Or(p.Supplier, p.Name), p.Homepage, ruleHomepage}
	}
	if owner != nil { // it came with that one; whether anybody publishes it elsewhere was not seen
		if webAddress(owner.Homepage) { // of the project, which both are made from
			return maker{cmp.Or(p.Supplier, p.Name), owner.Homepage, ruleOwner}
		}
		if of := makerOf(*owner, parsedPURL(*owner), nil); of.address != "" {
			return maker{cmp.Or(p.Supplier, of.name), of.address, ruleOwner}
		}
	} else if page := publisherAddress(purl); page != "" {
		return maker{cmp.Or(p.Supplier, purl.Namespace, p.Name), page, rulePublisher}
	}
	if p.Supplier != "" {
		return maker{p.Supplier, "", ruleSupplier}
	}
	return maker{}
}

var (
	// builtByDebian are marks that Debian's own tools put into versions: stable updates, backports and rebuilds.
	builtByDebian = regexp.MustCompile(`[+~](deb\d+u\d+|bpo\d+\+\d+)(\+b\d+)?$|-[0-9.]+\+b\d+$`)
	// builtByUbuntu ends the versions of packages that Ubuntu changed, e.g. 3.0.2-0ubuntu1.15.
	builtByUbuntu = regexp.MustCompile(`-[0-9a-z.+]*ubuntu[0-9.]+$`)
)

// homeOf returns the distribution that built a deb and the page of the source package there. Which system a deb is
// installed on says nothing about who built it; so the maintainer must be one of the distribution, or the version must
// bear a mark of its tools. Anything else may be a vendor's.
func homeOf(p Component, purl packageurl.PackageURL) (name, page string) {
	if p.Type != "deb" || !ownBuild(p.Version) && purl.Namespace == "debian" {
		return "", ""
	}
	source := url.PathEscape(cmp.Or(p.Source, p.Name))
	switch purl.Namespace {
	case "debian":
		if fromDebian(p) || p.Supplier == "Debian" || builtByDebian.MatchString(p.Version) {
			return "Debian Project", "https://tracker.debian.org/pkg/" + source
		}
	case "ubuntu": // it builds most packages of Debian as they are
		if fromDebian(p) || strings.HasPrefix(p.Supplier, "Ubuntu ") || strings.HasPrefix(p.Supplier, "Kubuntu ") || builtByUbuntu.MatchString(p.Version) {
			return "Ubuntu", "https://launchpad.net/ubuntu/+source/" + source
		}
	}
	return "", ""
}

// moduleAddress is the repository of a Go module whose path is an address, or its page.
func moduleAddress(purl packageurl.PackageURL) string {
	if purl.Type != packageurl.TypeGolang {
		return ""
	}
	if purl.Name == "stdlib" && purl.Namespace == "" {
		return "https://go.dev/"
	}
	full := strings.Trim(purl.Namespace+"/"+purl.Name, "/")
	host, _, nested := strings.Cut(full, "/")
	if !nested || !strings.Contains(host, ".") {
		return "" // the main module of a private build: no address
	}
	switch host {
	case "github.com", "gitlab.com", "codeberg.org", "opendev.org", "bitbucket.org":
		parts := strings.SplitN(full, "/", 4)
		if len(parts) < 3 {
			return ""
		}
		return "https://" + escaped(strings.Join(parts[:3], "/"))
	}
	return "https://pkg.go.dev/" + escaped(full)
}

// publisherAddress is the page of a project where its ecosystem publishes packages.
func publisherAddress(purl packageurl.PackageURL) string {
	full := escaped(strings.Trim(purl.Namespace+"/"+purl.Name, "/"))
	switch purl.Type {
	case packageurl.TypePyPi:
		return "https://pypi.org/project/" + full + "/"
	case packageurl.TypeNPM:
		return "https://www.npmjs.com/package/" + full
	case packageurl.TypeMaven:
		if strings.Contains(purl.Namespace, ".") {
			return "https://repo1.maven.org/maven2/" + mavenPath(purl) + "/"
		}
	case packageurl.TypeCargo:
		return "https://crates.io/crates/" + full
	case packageurl.TypeGem:
		return "https://rubygems.org/gems/" + full
	}
	return ""
}

// addressesOf returns where the source and the deployable form of a package can be had (BSI TR-03183-2 section 5.2.3:
// source code URI, URI of the deployable form), as far as the version is known and its ecosystem keeps every version.
func addressesOf(p Component, purl packageurl.PackageURL) (source, deployable string) {
	if purl.Version == "" {
		return "", ""
	}
	full, version := escaped(strings.Trim(purl.Namespace+"/"+purl.Name, "/")), url.PathEscape(purl.Version)
	switch purl.Type {
	case packageurl.TypeDebian:
		return debAddresses(p, purl)
	case packageurl.TypePyPi:
		deployable = "https://pypi.org/project/" + full + "/" + version + "/"
	case packageurl.TypeNPM:
		deployable = "https://www.npmjs.com/package/" + full + "/v/" + version
	case packageurl.TypeGolang:
		if host, _, nested := strings.Cut(full, "/"); nested && strings.Contains(host, ".") && strings.HasPrefix(purl.Version, "v") {
			source = "https://pkg.go.dev/" + full + "@" + version
		}
	case packageurl.TypeMaven:
		if strings.Contains(purl.Namespace, ".") {
			deployable = "https://repo1.maven.org/maven2/" + mavenPath(purl) + "/" + version + "/"
		}
	}
	return source, deployable
}

func debAddresses(p Component, purl packageurl.PackageURL) (source, deployable string) {
	distribution, _ := homeOf(p, purl)
	name, version := url.PathEscape(cmp.Or(p.Source, p.Name)), url.PathEscape(cmp.Or(p.SourceVersion, p.Version))
	switch distribution {
	case "Debian Project":
		source = "https://snapshot.debian.org/package/" + name + "/" + version + "/"
		return source, source + "#" + url.PathEscape(p.Name+"_"+p.Version)
	case "Ubuntu":
		source = "https://launchpad.net/ubuntu/+source/" + name + "/" + version
		return source, ""
	}
	return "", ""
}

func mavenPath(purl packageurl.PackageURL) string {
	return escaped(strings.ReplaceAll(purl.Namespace, ".", "/") + "/" + purl.Name)
}

// escaped escapes each part of a path; @ of npm scopes stays.
func escaped(full string) string {
	parts := strings.Split(full, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}

// distributionMaker returns who makes an operating system, by ID of os-release(5).
func distributionMaker(id string) (name, address string) {
	known := map[string][2]string{
		"almalinux": {"AlmaLinux OS Foundation", "https://almalinux.org/"},
		"alpine":    {"Alpine Linux", "https://alpinelinux.org/"},
		"centos":    {"The CentOS Project", "https://www.centos.org/"},
		"debian":    {"Debian Project", "https://www.debian.org/"},
		"fedora":    {"Fedora Project", "https://fedoraproject.org/"},
		"opensuse":  {"openSUSE", "https://www.opensuse.org/"},
		"rhel":      {"Red Hat, Inc.", "https://www.redhat.com/"},
		"rocky":     {"Rocky Enterprise Software Foundation", "https://rockylinux.org/"},
		"sles":      {"SUSE LLC", "https://www.suse.com/"},
		"ubuntu":    {"Canonical Ltd.", "https://ubuntu.com/"},
	}
	return known[id][0], known[id][1]
}

// makerOfArtifact returns creator and supplier of an artifact: of an image who builds it by its labels, else the
// repository it is published in; of anything else the operator who makes the document.
func makerOfArtifact(a Artifact, labels map[string]string, opt BOMOptions) (creator, supplier *cdx.OrganizationalEntity) {
	if a.Kind != KindImage {
		e := entityOf(opt.Creator, opt.CreatorURL)
		return e, e
	}
	r, err := ParseReference(a.Reference)
	published := ""
	if err == nil {
		published = repositoryAddress(r)
	}
	namespace := strings.TrimSuffix(r.Repository(), "/"+r.Name())
	vendor := labels["org.opencontainers.image.vendor"]
	if strings.Contains(vendor, "@") { // an address: it may be a person's
		vendor = ""
	}
	address := cmp.Or(webOnly(labels["org.opencontainers.image.url"]), webOnly(labels["org.opencontainers.image.source"]), published)
	if vendor == "" && address == "" {
		e := entityOf(opt.Creator, opt.CreatorURL)
		return e, e
	}
	creator = entityOf(cmp.Or(vendor, namespace), address)
	if published == "" {
		return creator, creator
	}
	return creator, entityOf(namespace, published)
}

func webOnly(address string) string {
	if webAddress(address) {
		return address
	}
	return ""
}

// repositoryAddress is the page of a repository for people; for a registry without known pages it is the registry.
func repositoryAddress(r Reference) string {
	switch r.Registry {
	case "":
		return ""
	case "docker.io", "index.docker.io", "registry-1.docker.io":
		if official, ok := strings.CutPrefix(r.Path, "library/"); ok {
			return "https://hub.docker.com/_/" + official
		}
		return "https://hub.docker.com/r/" + r.Path
	case "quay.io":
		return "https://quay.io/repository/" + r.Path
	}
	return "https://" + r.Registry + "/"
}
