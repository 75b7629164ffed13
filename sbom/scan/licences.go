package scan

import (
	"cmp"
	"context"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/pkg"

	"github.com/pegel-audit/pegel/sbom"
)

// Provenances of claims, as sbom.LicenceClaim lists them.
const (
	fromCopyright = "copyright-file"
	fromMetadata  = "metadata"
)

// maxClaim bounds the text of one claim; longer ones are licence texts, not names.
const maxClaim = 200

// claimOf turns one of syft's licences into claims. Whole texts are not claims: they may hold names of people.
func claimOf(p pkg.Package, l pkg.License) []sbom.LicenceClaim {
	value := cmp.Or(l.SPDXExpression, strings.TrimSpace(l.Value))
	if value == "" || len(value) > maxClaim || strings.ContainsAny(value, "\n\r") || hasAddress(value) || strings.EqualFold(value, "unknown") {
		return nil
	}
	provenance := fromMetadata
	if p.Type == pkg.DebPkg {
		provenance = fromCopyright
	}
	var paths []string
	for _, at := range l.Locations.ToSlice() {
		paths = append(paths, at.RealPath)
	}
	if len(paths) == 0 {
		return []sbom.LicenceClaim{{Value: value, Provenance: provenance}}
	}
	slices.Sort(paths)
	return []sbom.LicenceClaim{{Value: value, Provenance: provenance, Path: paths[0]}}
}

func sortClaims(claims []sbom.LicenceClaim) []sbom.LicenceClaim {
	slices.SortFunc(claims, func(a, b sbom.LicenceClaim) int {
		return cmp.Or(strings.Compare(a.Provenance, b.Provenance), strings.Compare(a.Path, b.Path), strings.Compare(a.Value, b.Value))
	})
	return slices.Compact(claims)
}

// readLicences reads the licence evidence that syft reads weakly or not at all, and takes its claims instead of syft's
// where there are any.
func (m mapping) readLicences(ctx context.Context, all []component) error {
	for i := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := &all[i]
		var claims []sbom.LicenceClaim
		if c.Type == string(pkg.PythonPkg) {
			claims = m.pythonLicences(c.path)
		}
		if len(claims) > 0 {
			c.Licences = sortClaims(claims)
		}
	}
	return nil
}

// pythonLicences reads the metadata file of a Python package.
func (m mapping) pythonLicences(file string) []sbom.LicenceClaim {
	if base := path.Base(file); base != "METADATA" && base != "PKG-INFO" {
		return nil
	}
	r := m.open(file)
	if r == nil {
		return nil
	}
	defer r.Close()
	var claims []sbom.LicenceClaim
	for _, value := range pythonClaims(r) {
		claims = append(claims, sbom.LicenceClaim{Value: value, Provenance: fromMetadata, Path: file})
	}
	return claims
}

// open returns the file that the path leads to, links followed within the target, or nil. That a file cannot be read is
// no error: without it there is no claim, and the licence stays unknown.
func (m mapping) open(file string) io.ReadCloser {
	found, err := m.resolver.FilesByPath(file)
	if err != nil || len(found) == 0 {
		return nil
	}
	r, err := m.resolver.FileContentsByLocation(found[0])
	if err != nil {
		return nil
	}
	return r
}
