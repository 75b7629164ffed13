package upstream

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Rules that lead from what a package says about itself to a repository, beside those that lead to catalogue entries.
const (
	RuleTable      = "table"      // the table of repositories has the package's name: a curated row with its source
	RuleOpenStack  = "openstack"  // the name is one of openstack/governance
	RuleGoModule   = "go-module"  // the module path is the address of a repository
	RuleVanity     = "vanity"     // the table knows where the module path leads
	RuleRepository = "repository" // a field of the package for its repository: npm repository, Maven scm, Project-URL of sources
	RuleHomepage   = "homepage"   // the home page is a repository
	RuleCopyright  = "copyright"  // Source of the copyright file is a repository
	RuleSite       = "site"       // the home page belongs to a project of the table, or to a host whose pages are named after repositories
	RuleLookup     = "lookup"     // somebody else's index says so
	RuleLabel      = "label"      // the label of an image says so, which often names the repository of the build
)

// ruleOrder ranks rules of one confidence, the best first. Rules that lead to catalogue entries stand before the table, the
// table before what packages say: a curated row is there because the package is wrong or silent.
var ruleOrder = [...]string{RuleAssign, RuleImage, RuleChart, RulePackage, RulePURL, RuleSoftware, RuleTable, RuleOpenStack, RuleGoModule, RuleVanity,
	RuleRepository, RuleHomepage, RuleCopyright, RuleSite, RuleLookup, RuleLabel}

// Kinds of claims that a package makes about where it comes from.
const (
	ClaimRepository = "repository" // a field that is meant for the address of the repository
	ClaimHomepage   = "homepage"
	ClaimCopyright  = "copyright" // Source of a copyright file of Debian, Repository of debian/upstream/metadata
	ClaimLookup     = "lookup"    // answer of an index that belongs to somebody else
	ClaimLabel      = "label"     // org.opencontainers.image.source of an image
)

// Claim is one statement about where a part comes from. It is what strangers wrote and may be anything.
type Claim struct {
	Kind   string // one of the kinds above; any other counts for nothing
	Value  string // address as written
	Path   string // folder in the repository, as written; npm names it
	Origin audit.Origin
}

// maxClaims bounds the claims of one part that are looked at.
const maxClaims = 32

// claimRules say what a repository address in a claim is worth. No claim has high confidence: a package can name any
// repository, and what it names is only probable until a tag or a file there says the same.
var claimRules = map[string]struct{ rule, confidence string }{
	ClaimRepository: {RuleRepository, Medium},
	ClaimHomepage:   {RuleHomepage, Medium},
	ClaimCopyright:  {RuleCopyright, Medium},
	ClaimLookup:     {RuleLookup, Low},
	ClaimLabel:      {RuleLabel, Low},
}

// Candidates returns the repositories that the rules name for a part: one link for each repository, the strongest first,
// each with Repo and without Rivals. It returns nil where no rule names any.
func (c *Catalogue) Candidates(p Part) []scoring.Link {
	var found []scoring.Link
	for _, m := range c.Match(p) {
		k := c.components[c.byID[m.ID]]
		found = append(found, scoring.Link{Rule: m.Rule, Confidence: m.Confidence, Origin: c.Origin(m.ID), Repo: k.Repo})
	}
	if c.table != nil {
		found = append(found, c.named(p)...)
	}
	for i := range found {
		found[i].Subject = p.Subject
	}
	return onePerRepository(found)
}

// onePerRepository sorts links, the strongest first, and keeps the first of each repository.
func onePerRepository(found []scoring.Link) []scoring.Link {
	slices.SortStableFunc(found, func(a, b scoring.Link) int {
		return cmp.Or(cmp.Compare(weakness(a.Confidence), weakness(b.Confidence)),
			cmp.Compare(slices.Index(ruleOrder[:], a.Rule), slices.Index(ruleOrder[:], b.Rule)),
			cmp.Compare(a.Repo, b.Repo), cmp.Compare(falseLast(a.Path != ""), falseLast(b.Path != "")), cmp.Compare(a.Path, b.Path),
			cmp.Compare(len(a.Steps), len(b.Steps)), cmp.Compare(a.Origin.Path, b.Origin.Path), cmp.Compare(a.Origin.URL, b.Origin.URL))
	})
	var kept []scoring.Link
	for _, l := range found {
		i := slices.IndexFunc(kept, func(k scoring.Link) bool { return sameRepo(k.Repo, l.Repo) })
		if i < 0 {
			kept = append(kept, l)
			continue
		}
		if kept[i].Path == "" { // a weaker rule may know the folder
			kept[i].Path = l.Path
		}
	}
	return kept
}

func sameRepo(a, b string) bool { return place{repo: a}.key() == place{repo: b}.key() }

// named are the links that the table and the claims of a part give.
func (c *Catalogue) named(p Part) []scoring.Link {
	claims := p.Claims[:min(len(p.Claims), maxClaims)]
	id := identityOf(p)
	var found []scoring.Link
	add := func(rule, confidence string, at place, origin audit.Origin) {
		link := scoring.Link{Rule: rule, Confidence: confidence, Origin: origin, Repo: at.repo, Path: at.path}
		found = append(found, c.settled(link))
	}
	if r, ok := c.table.find(id.key()); ok && id.name != "" {
		add(RuleTable, High, place{r.Repo, r.Path}, c.table.origin(id.key(), r.Source))
	}
	if id.ecosystem == "golang" {
		if rule, at, origin, ok := c.table.module(id.name); ok {
			add(rule, High, at, origin)
		}
	}
	if at, confidence, ok := c.table.ofOpenStack(id, claims); ok {
		add(RuleOpenStack, confidence, at, c.table.origin("openstack", c.table.source))
	}
	for _, at := range id.addresses {
		if repo, ok := c.table.repository(at, true); ok {
			add(RulePURL, Medium, repo, audit.Origin{Source: "purl", Path: p.Subject})
		}
	}
	for _, claim := range claims {
		kind, ok := claimRules[claim.Kind]
		if !ok {
			continue
		}
		if at, ok := c.table.claimed(claim); ok {
			add(kind.rule, kind.confidence, at, claim.Origin)
			continue
		}
		if at, confidence, ok := c.table.site(claim, c); ok {
			if kind.confidence == Low {
				confidence = Low
			}
			rule := RuleSite
			if kind.rule == RuleLabel || kind.rule == RuleLookup {
				rule = kind.rule
			}
			add(rule, confidence, at, claim.Origin)
		}
	}
	return found
}

// settled follows moves and mirrors, and names the catalogue's address where the catalogue knows the repository by another.
func (c *Catalogue) settled(l scoring.Link) scoring.Link {
	for range 4 { // a repository that moved more often has a row for each old address
		s, to, ok := c.table.step(place{l.Repo, l.Path})
		if !ok || sameRepo(to.repo, l.Repo) {
			break
		}
		origin := c.table.origin(s.From, s.Source)
		if s.Since != "" {
			origin.Path += " since " + s.Since
		}
		l.Steps = append(l.Steps, scoring.Step{What: s.what, Name: l.Repo, Origin: origin})
		l.Repo, l.Path = to.repo, to.path
	}
	if ids := c.ofRepo(l.Repo); len(ids) > 0 {
		k := c.components[c.byID[ids[0]]]
		if !sameRepo(k.Repo, l.Repo) {
			l.Steps = append(l.Steps, scoring.Step{What: stepMirror, Name: l.Repo, Origin: c.Origin(k.ID)})
		}
		l.Repo = k.Repo
	}
	return l
}

// ofRepo returns the ids of the components that have this repository, as their own or as its mirror.
func (c *Catalogue) ofRepo(repo string) []string {
	var ids []string
	for _, i := range c.repos[repoKey(repo)] {
		ids = append(ids, c.components[i].ID)
	}
	return ids
}

// What a step of a link can be.
const (
	stepMoved  = "moved"  // the repository has a new address
	stepMirror = "mirror" // it is a copy of the one where the project works
)

// step returns where the table says that a repository is now, or works.
func (t *table) step(p place) (s step, to place, ok bool) {
	key := p.key()
	if s, ok = t.moved[key]; ok {
		to, _ = t.repository(s.Repo, true)
		to.path = p.path
		return s, to, true
	}
	at := strings.LastIndexByte(key, '/')
	if s, ok = t.moved[key[:at+1]+"*"]; !ok {
		return step{}, place{}, false
	}
	name := p.repo[strings.LastIndexByte(p.repo, '/')+1:]
	return s, place{strings.Replace(s.Repo, "*", strings.TrimSuffix(name, ".git"), 1), p.path}, true
}

// claimed returns the repository whose address a claim is.
func (t *table) claimed(claim Claim) (place, bool) {
	value := claim.Value
	if claim.Kind == ClaimRepository {
		value = shorthand(value)
	}
	at, ok := t.repository(value, claim.Kind == ClaimRepository)
	if folder := folderName(claim.Path); ok && folder != "" {
		at.path = folder
	}
	return at, ok
}

var shorthandPattern = regexp.MustCompile(`^(github:|gitlab:|bitbucket:)?([A-Za-z0-9._-]+/[A-Za-z0-9._-]+)$`)

// shorthand writes the short forms of npm in full: owner/name, github:owner/name (docs.npmjs.com, package.json, repository).
func shorthand(value string) string {
	m := shorthandPattern.FindStringSubmatch(value)
	if m == nil {
		return value
	}
	switch m[1] {
	case "gitlab:":
		return "https://gitlab.com/" + m[2]
	case "bitbucket:":
		return "https://bitbucket.org/" + m[2]
	}
	return "https://github.com/" + m[2]
}

// site returns the repository of the project that a home page belongs to.
func (t *table) site(claim Claim, c *Catalogue) (at place, confidence string, ok bool) {
	u, ok := cleanAddress(claim.Value)
	if !ok {
		return place{}, "", false
	}
	segments := segmentsOf(u)
	if name, ok := indexPage(u.Host, segments); ok {
		return t.packaged("pypi/"+pythonName(name), c)
	}
	if r, ok := t.home(u.Host, segments); ok {
		return place{r.Repo, r.Path}, Medium, true
	}
	if len(segments) == 0 {
		return place{}, "", false
	}
	owner, domain, _ := strings.Cut(u.Host, ".")
	switch {
	case domain == "github.io":
		return place{repo: "https://github.com/" + owner + "/" + segments[0]}, Low, true
	case domain == "gitlab.io":
		return place{repo: "https://gitlab.com/" + owner + "/" + segments[0]}, Low, true
	case strings.TrimPrefix(u.Host, "www.") == "gnu.org" && len(segments) == 2 && segments[0] == "software":
		return place{repo: "https://git.savannah.gnu.org/git/" + strings.ToLower(segments[1]) + ".git"}, Low, true
	}
	return place{}, "", false
}

// indexPage returns the name of the package whose page on PyPI this is.
func indexPage(host string, segments []string) (name string, ok bool) {
	switch {
	case len(segments) < 2:
		return "", false
	case host == "pypi.org" && segments[0] == "project", (host == "pypi.org" || host == "pypi.python.org") && segments[0] == "pypi":
		return segments[1], true
	}
	return "", false
}

// packaged returns the repository of a package of an index, by the table or the catalogue.
func (t *table) packaged(key string, c *Catalogue) (at place, confidence string, ok bool) {
	if r, ok := t.find(key); ok {
		return place{r.Repo, r.Path}, Medium, true
	}
	if list := c.purls[key]; len(list) > 0 {
		return place{repo: c.components[list[0]].Repo}, Medium, true
	}
	if name, ok := t.openstack[strings.TrimPrefix(key, "pypi/")]; ok {
		return place{repo: "https://opendev.org/openstack/" + name}, Medium, true
	}
	return place{}, "", false
}

// home looks for the home page itself, then for each page above it, and not for the front page of a host.
func (t *table) home(host string, segments []string) (projectRow, bool) {
	for n := len(segments); n >= 0; n-- {
		if n == 0 && len(segments) > 0 {
			break
		}
		if r, ok := t.keys["home/"+homeKey(strings.Join(append([]string{host}, segments[:n]...), "/"))]; ok {
			return r, true
		}
	}
	return projectRow{}, false
}

// openstackHosts are where OpenStack projects have their pages.
var openstackHosts = [...]string{"openstack.org", "opendev.org", "launchpad.net", "storyboard.openstack.org"}

// ofOpenStack returns the repository of an OpenStack project. Its name alone is probable for a Python package, and hardly a
// hint for a deb; with a page of OpenStack beside it there is no doubt.
func (t *table) ofOpenStack(id identity, claims []Claim) (at place, confidence string, ok bool) {
	name, ok := "", false
	switch id.ecosystem {
	case "pypi":
		name, ok = t.openstack[pythonName(id.name)]
		confidence = Medium
	case "deb":
		if name, ok = t.openstack[pythonName(id.name)]; !ok {
			name, ok = t.openstack[pythonName(strings.TrimPrefix(id.name, "python-"))]
		}
		confidence = Low
	}
	if !ok {
		return place{}, "", false
	}
	if slices.ContainsFunc(claims, t.saysOpenStack) {
		confidence = High
	}
	return place{repo: "https://opendev.org/openstack/" + name}, confidence, true
}

// saysOpenStack reports whether a claim is a page of OpenStack. A label or an index is no page.
func (t *table) saysOpenStack(claim Claim) bool {
	u, ok := cleanAddress(claim.Value)
	if !ok || claim.Kind == ClaimLabel || claim.Kind == ClaimLookup {
		return false
	}
	if at, ok := t.repository(claim.Value, false); ok {
		s, _, moved := t.step(at)
		return strings.HasPrefix(at.key(), "opendev.org/openstack/") || moved && strings.HasPrefix(s.Repo, "https://opendev.org/openstack/")
	}
	return slices.ContainsFunc(openstackHosts[:], func(h string) bool { return u.Host == h || strings.HasSuffix(u.Host, "."+h) })
}

// identity is the name of a part in its ecosystem, without version.
type identity struct {
	ecosystem string   // deb, pypi, golang, npm, maven, ... the type of the purl; image, chart, software for parts without one
	name      string   // of the source package for a deb; GROUP/NAME for Maven
	addresses []string // that the purl itself names
}

// key is the form in which the table keeps names.
func (id identity) key() string {
	if id.ecosystem == "pypi" {
		return "pypi/" + pythonName(id.name)
	}
	return id.ecosystem + "/" + id.name
}

// identityOf reads the name of a part. Debs go by their source package: packages of one source have one project.
func identityOf(p Part) identity {
	switch p.Kind {
	case PartDeb:
		name := p.Name[strings.LastIndexByte(p.Name, '/')+1:]
		return identity{ecosystem: "deb", name: cmp.Or(p.Source, name)}
	case PartPURL:
		if len(p.Name) > 4*maxName {
			return identity{ecosystem: "purl"}
		}
		purl, err := packageurl.FromString(p.Name)
		if err != nil {
			return identity{ecosystem: "purl"}
		}
		return identityOfPURL(p, purl)
	}
	return identity{ecosystem: p.Kind, name: p.Name}
}

func identityOfPURL(p Part, purl packageurl.PackageURL) identity {
	qualifiers := purl.Qualifiers.Map()
	id := identity{ecosystem: purl.Type, name: join(purl.Namespace, purl.Name)}
	switch purl.Type {
	case "deb":
		source, _, _ := strings.Cut(qualifiers["upstream"], "@")
		id.name = cmp.Or(p.Source, source, purl.Name)
	case "rpm", "apk":
		id.name = cmp.Or(p.Source, purl.Name)
	case "github":
		id.addresses = append(id.addresses, "https://github.com/"+join(purl.Namespace, purl.Name))
	case "bitbucket":
		id.addresses = append(id.addresses, "https://bitbucket.org/"+join(purl.Namespace, purl.Name))
	}
	if at := qualifiers["vcs_url"]; at != "" {
		at, _, _ = strings.Cut(at, "@") // revision; an address with a user is not taken anyway
		id.addresses = append(id.addresses, at)
	}
	return id
}
