package scan

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/sbom"
)

// maxUpstreamURL bounds an address that a package names; longer ones are no addresses of repositories.
const maxUpstreamURL = 512

// upstream notes where a package says that its source is. What can name a person, holds a password, or is no address at all
// is left out; who reads the claims decides what they are worth.
func (c *component) upstream(file string, claims ...sbom.UpstreamClaim) {
	for _, claim := range claims {
		claim.URL, claim.Path = strings.TrimSpace(claim.URL), file
		if !plainAddress(claim.URL) || !plainAddress(claim.Folder) && claim.Folder != "" || len(c.Upstream) == sbom.MaxUpstream {
			continue
		}
		if !slices.ContainsFunc(c.Upstream, func(u sbom.UpstreamClaim) bool { return u.Kind == claim.Kind && u.URL == claim.URL }) {
			c.Upstream = append(c.Upstream, claim)
		}
	}
}

// plainAddress reports whether a text can be an address: one word of plain characters without e-mail address or password.
func plainAddress(s string) bool {
	if s == "" || len(s) > maxUpstreamURL || hasAddress(s) || strings.EqualFold(s, "unknown") {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte("\"'<>\\^`{|}", s[i]) >= 0 {
			return false
		}
	}
	_, rest, ok := strings.Cut(s, "://")
	host, _, _ := strings.Cut(rest, "/")
	user, _, found := strings.Cut(host, "@")
	return !ok || !found || user == "git"
}

// projectURLs are the labels of Project-URL that name the source or the home page, as they are compared (PEP 753, "well-known
// labels", and those that are common beside them). A tracker stands beside the source on most forges.
var projectURLs = map[string]string{
	"source": sbom.UpstreamRepository, "repository": sbom.UpstreamRepository, "sourcecode": sbom.UpstreamRepository, "github": sbom.UpstreamRepository,
	"code": sbom.UpstreamRepository, "sources": sbom.UpstreamRepository, "gitlab": sbom.UpstreamRepository, "git": sbom.UpstreamRepository,
	"githubproject": sbom.UpstreamRepository, "githubrepo": sbom.UpstreamRepository, "sourcerepository": sbom.UpstreamRepository,
	"homepage": sbom.UpstreamHomepage, "home": sbom.UpstreamHomepage, "issues": sbom.UpstreamHomepage, "bugs": sbom.UpstreamHomepage, "issue": sbom.UpstreamHomepage,
	"tracker": sbom.UpstreamHomepage, "issuetracker": sbom.UpstreamHomepage, "bugtracker": sbom.UpstreamHomepage, "documentation": sbom.UpstreamHomepage,
}

// plainLabel folds a label as PEP 753 does: without punctuation and space, in lower case.
func plainLabel(label string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(label))
}

// npmUpstream are the fields of a package.json that say where a package comes from.
type npmUpstream struct {
	Repository json.RawMessage `json:"repository"` // a text, or an object with url and directory
	Homepage   json.RawMessage `json:"homepage"`
}

func (p npmUpstream) claims() []sbom.UpstreamClaim {
	var out []sbom.UpstreamClaim
	var object struct {
		URL       string `json:"url"`
		Directory string `json:"directory"`
	}
	var text string
	if json.Unmarshal(p.Repository, &object) == nil && object.URL != "" {
		out = append(out, sbom.UpstreamClaim{Kind: sbom.UpstreamRepository, URL: object.URL, Folder: object.Directory})
	} else if json.Unmarshal(p.Repository, &text) == nil {
		out = append(out, sbom.UpstreamClaim{Kind: sbom.UpstreamRepository, URL: text})
	}
	if text = ""; json.Unmarshal(p.Homepage, &text) == nil {
		out = append(out, sbom.UpstreamClaim{Kind: sbom.UpstreamHomepage, URL: text})
	}
	return out
}

// pomSCM are the addresses under scm of a project file (maven.apache.org/pom.html, "SCM"), that of the browser first. One
// with a variable in it is none.
func pomSCM(data []byte) []string {
	var p struct {
		SCM struct {
			URL        string `xml:"url"`
			Connection string `xml:"connection"`
		} `xml:"scm"`
	}
	dec := xml.NewDecoder(bytes.NewReader(data))
	dec.CharsetReader = ascii
	if dec.Decode(&p) != nil {
		return nil
	}
	var out []string
	for _, address := range []string{strings.TrimSpace(p.SCM.URL), strings.TrimSpace(p.SCM.Connection)} {
		if plainAddress(address) {
			out = append(out, address)
		}
	}
	return out
}

// maxCopyrightHead is how much of a copyright file is searched for its header.
const maxCopyrightHead = 16 << 10

// copyrightSource returns Source of the header of a machine-readable copyright file (DEP-5), if it is one address: in its
// line, or alone in the next.
func copyrightSource(data []byte) sbom.UpstreamClaim {
	lines := bufio.NewScanner(bytes.NewReader(data[:min(len(data), maxCopyrightHead)]))
	format, found := false, false
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.TrimSpace(line) == "":
			return sbom.UpstreamClaim{}
		case found && line[0] != ' ' && line[0] != '\t':
			return sbom.UpstreamClaim{}
		case found:
			return sourceOf(line)
		}
		name, value, _ := strings.Cut(line, ":")
		switch strings.ToLower(name) {
		case "format", "format-specification":
			format = true
		case "source":
			if found = format; found && strings.TrimSpace(value) != "" {
				return sourceOf(value)
			}
		}
	}
	return sbom.UpstreamClaim{}
}

func sourceOf(text string) sbom.UpstreamClaim {
	text = strings.Trim(strings.TrimSpace(text), "<>")
	if !strings.Contains(text, "://") || !plainAddress(text) {
		return sbom.UpstreamClaim{}
	}
	return sbom.UpstreamClaim{Kind: sbom.UpstreamCopyright, URL: text}
}
