package scan

import (
	"cmp"
	"context"
	"crypto/sha256"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/anchore/syft/syft/pkg"

	"github.com/pegel-audit/pegel/sbom"
)

// maxClaim bounds the text of one claim; longer ones are licence texts, not names.
const maxClaim = 200

// claimsOf turns one of syft's licences into claims. Whole texts are no claims, they may hold names of people; nor is the
// digest that syft gives for a text it does not recognise.
func claimsOf(l pkg.License) []sbom.LicenceClaim {
	value := claimText(cmp.Or(l.SPDXExpression, l.Value))
	if value == "" || strings.HasPrefix(value, "sha256:") || strings.HasPrefix(value, "LicenseRef-sha256") {
		return nil
	}
	claim := sbom.LicenceClaim{Value: value, Provenance: sbom.FromMetadata}
	for _, at := range l.Locations.ToSlice() {
		if claim.Path == "" || at.RealPath < claim.Path {
			claim.Path = at.RealPath
		}
	}
	return []sbom.LicenceClaim{claim}
}

func sortClaims(claims []sbom.LicenceClaim) []sbom.LicenceClaim {
	slices.SortFunc(claims, func(a, b sbom.LicenceClaim) int {
		return cmp.Or(strings.Compare(a.Provenance, b.Provenance), strings.Compare(a.Path, b.Path), strings.Compare(a.Value, b.Value))
	})
	return slices.Compact(claims)
}

// readLicences reads the licence evidence that syft reads weakly or not at all. Of a deb only its copyright file counts:
// syft keeps single words of it. Of other packages the claims read here take the place of syft's.
func (m mapping) readLicences(ctx context.Context, all []component) error {
	hidden := hiddenDocs{view: m.view}
	t, files := newTexts(), m.licenceFiles(all)
	jars, modules := &javaArchives{m: m, t: t, read: map[string]*javaArchive{}}, m.goTexts(files)
	for i := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := &all[i]
		switch c.Type {
		case string(pkg.PythonPkg):
			c.instead(append(m.pythonLicences(c), m.pythonTexts(t, c.path)...))
		case string(pkg.NpmPkg):
			c.instead(m.npmLicences(t, files, c))
		case string(pkg.JavaPkg):
			c.instead(jars.licences(c))
		case string(pkg.GoModulePkg):
			c.instead(modules.of(m, t, *c))
		case string(pkg.DebPkg):
			m.debLicences(c, &hidden)
		}
	}
	return nil
}

// instead puts the claims in the place of those of syft, if there are any.
func (c *component) instead(claims []sbom.LicenceClaim) {
	if len(claims) > 0 {
		c.Licences = sortClaims(claims)
	}
}

// pythonLicences reads the metadata file of a Python package, also for where its source is.
func (m mapping) pythonLicences(c *component) []sbom.LicenceClaim {
	file := c.path
	if base := path.Base(file); base != "METADATA" && base != "PKG-INFO" {
		return nil
	}
	r := m.open(file)
	if r == nil {
		return nil
	}
	defer r.Close()
	var claims []sbom.LicenceClaim
	h := pythonHeaders(r)
	c.upstream(file, h.upstream...)
	for _, value := range h.claims() {
		claims = append(claims, sbom.LicenceClaim{Value: value, Provenance: sbom.FromMetadata, Path: file})
	}
	return claims
}

// debLicences reads the copyright file of a deb, or the one that a later layer removed.
func (m mapping) debLicences(c *component, hidden *hiddenDocs) {
	m.view.trace.path(c.copyright)
	n := m.view.tree.find(c.copyright, true)
	if n == nil || !n.isRegular() {
		c.Licences = append(m.hiddenLicences(c, hidden), c.deb.archiveClaims()...)
		return
	}
	claims, source := m.copyrights.of(m.view, n)
	c.Licences = append(claims, c.deb.archiveClaims()...)
	c.upstream(n.path, source)
	c.Locations = shortest(append(c.Locations, n.path))
}

// copyrights are the claims of copyright files that were read, by the digest of the file: packages of one source have the
// same one, and so have images that share layers.
type copyrights struct {
	mu     sync.Mutex
	claims map[[32]byte]copyrightFacts
}

// copyrightFacts is what is kept of one copyright file.
type copyrightFacts struct {
	claims []sbom.LicenceClaim
	source sbom.UpstreamClaim // its zero value if the file names none
}

// of returns the claims of a copyright file and its Source; none if it cannot be read.
func (c *copyrights) of(v *view, n *node) ([]sbom.LicenceClaim, sbom.UpstreamClaim) {
	c.mu.Lock()
	f, known := c.claims[n.entry.sha256]
	c.mu.Unlock()
	if !known || n.entry.sha256 == ([32]byte{}) {
		r, err := v.contents(n)
		if err != nil {
			return nil, sbom.UpstreamClaim{}
		}
		defer r.Close()
		data, err := io.ReadAll(io.LimitReader(r, maxCopyright+1))
		if err != nil {
			return nil, sbom.UpstreamClaim{}
		}
		// says of one that is too long that nobody can read it
		f = copyrightFacts{sbom.CopyrightClaims(data, n.path, sbom.FromCopyright), copyrightSource(data)}
		c.mu.Lock()
		c.claims[sha256.Sum256(data)] = f
		c.mu.Unlock()
	}
	claims := slices.Clone(f.claims)
	for i := range claims {
		claims[i].Path = n.path
	}
	return claims, f.source
}

// maxCopyright bounds a copyright file; the largest of Debian 12 has 1.5 MB.
const maxCopyright = 8 << 20

// open returns the file that the path leads to, links followed within the target, or nil. That a file cannot be read is
// no error: without it there is no claim, and the licence stays unknown.
func (m mapping) open(file string) io.ReadCloser {
	found, err := m.view.FilesByPath(file)
	if err != nil || len(found) == 0 {
		return nil
	}
	r, err := m.view.FileContentsByLocation(found[0])
	if err != nil {
		return nil
	}
	return r
}
