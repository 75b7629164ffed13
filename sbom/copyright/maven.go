package copyright

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"sync"

	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
)

// This file asks a Maven repository for the project file (pom) of a Java package, and for those of its parents: licences
// are inherited (maven.apache.org/pom.html, "Inheritance").

// maxParents bounds the chain of parents; the longest of well-known projects have five.
const maxParents = 8

var mavenForm = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$`)

func aboutMaven(c sbom.Component, _ string) (question, bool) {
	if c.Type != "java-archive" {
		return question{}, false
	}
	p, err := packageurl.FromString(c.PURL)
	if err != nil || p.Type != "maven" {
		return question{}, false
	}
	q := question{ecosystem: "maven", name: p.Namespace + ":" + p.Name, version: p.Version}
	return q, coordinates{p.Namespace, p.Name, p.Version}.valid()
}

// coordinates name one project in one version.
type coordinates struct{ group, artifact, version string }

func (c coordinates) valid() bool {
	for _, part := range []string{c.group, c.artifact, c.version} {
		if !mavenForm.MatchString(part) || strings.Contains(part, "..") || strings.HasSuffix(part, ".") {
			return false
		}
	}
	return true
}

func (c coordinates) path() string {
	return strings.ReplaceAll(c.group, ".", "/") + "/" + c.artifact + "/" + c.version + "/" + c.artifact + "-" + c.version + ".pom"
}

// pom is what counts of a project file (schema maven-4.0.0.xsd).
type pom struct {
	XMLName  xml.Name `xml:"project"`
	Group    string   `xml:"groupId"`
	Artifact string   `xml:"artifactId"`
	Version  string   `xml:"version"`
	Parent   struct {
		Group    string `xml:"groupId"`
		Artifact string `xml:"artifactId"`
		Version  string `xml:"version"`
	} `xml:"parent"`
	Licences []struct {
		Name string `xml:"name"`
		URL  string `xml:"url"`
	} `xml:"licenses>license"`
}

func (p pom) parent() coordinates {
	return coordinates{strings.TrimSpace(p.Parent.Group), strings.TrimSpace(p.Parent.Artifact), strings.TrimSpace(p.Parent.Version)}
}

// isOf reports whether the file describes the project; group and version may be inherited, or be left to properties.
func (p pom) isOf(c coordinates) bool {
	same := func(text, inherited, want string) bool {
		if text = strings.TrimSpace(text); text == "" {
			text = strings.TrimSpace(inherited)
		}
		return text == want || strings.Contains(text, "${")
	}
	return strings.TrimSpace(p.Artifact) == c.artifact && same(p.Group, p.Parent.Group, c.group) && same(p.Version, p.Parent.Version, c.version)
}

// names are the licences, of which the user may choose one (maven.apache.org/pom.html, "Licenses"). A name that nobody knows
// gives way to what its address stands for.
func (p pom) names() []string {
	var out []string
	for _, l := range p.Licences[:min(len(p.Licences), 16)] {
		name := claimText(strings.Join(strings.Fields(l.Name), " "))
		if at := claimText(l.URL); !known(name) && known(at) {
			name = at
		}
		if name != "" {
			out = append(out, name)
		}
	}
	return out
}

// known reports whether a name or address is that of a licence that is known.
func known(name string) bool {
	e, err := licence.Parse(name)
	return err == nil && e.Class() != licence.Unknown
}

// pomOnce is one project file, which many packages may inherit from.
type pomOnce struct {
	once   sync.Once
	pom    pom
	digest audit.Digest
	err    error
}

func askMaven(ctx context.Context, a *asker, p Place, q question) (answer, error) {
	group, artifact, _ := strings.Cut(q.name, ":")
	c := coordinates{group, artifact, q.version}
	for range maxParents {
		at := p.base + "/" + c.path()
		found := a.pom(ctx, at, c)
		if found.err != nil {
			return answer{}, found.err
		}
		if names := found.pom.names(); len(names) > 0 {
			origin := audit.Origin{Source: p.kind.word, URL: at, Digest: found.digest, At: a.at}
			return metadataAnswer(licence.Any, []string{choice(licence.Any, names)}, origin)
		}
		if c = found.pom.parent(); c == (coordinates{}) {
			return answer{}, absent("neither its project file nor its parents name a licence")
		}
		if !c.valid() {
			return answer{}, useless("its project file names a parent that cannot be asked for")
		}
	}
	return answer{}, useless("its project file has more than %d parents", maxParents)
}

// pom reads one project file, once in a run.
func (a *asker) pom(ctx context.Context, at string, c coordinates) *pomOnce {
	a.mu.Lock()
	found := a.poms[at]
	if found == nil {
		found = &pomOnce{}
		a.poms[at] = found
	}
	a.mu.Unlock()
	found.once.Do(func() {
		var data []byte
		if data, found.err = a.get(ctx, at, wanted{accept: "application/xml, text/xml"}); found.err != nil {
			return
		}
		found.digest = audit.DigestOf(data)
		found.pom, found.err = parsePOM(data, c)
	})
	return found
}

// parsePOM reads a project file. Entities that it declares are refused by the XML reader.
func parsePOM(data []byte, c coordinates) (pom, error) {
	dec := xml.NewDecoder(bytes.NewReader(data))
	dec.CharsetReader = ascii
	var p pom
	if err := dec.Decode(&p); err != nil {
		return pom{}, useless("its answer is no project file of Maven")
	}
	if !p.isOf(c) {
		return pom{}, useless("its answer is about something else than %s:%s %s", c.group, c.artifact, c.version)
	}
	return p, nil
}

// ascii reads the charsets of old project files: letters beyond ASCII become question marks, no name of a licence has any.
func ascii(_ string, in io.Reader) (io.Reader, error) {
	data, err := io.ReadAll(in)
	for i, b := range data {
		if b >= 0x80 {
			data[i] = '?'
		}
	}
	return bytes.NewReader(data), err
}
