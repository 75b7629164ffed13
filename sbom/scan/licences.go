package scan

import (
	"cmp"
	"context"
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

// readLicences adds what this package reads itself.
func (m mapping) readLicences(ctx context.Context, all []component) error {
	return ctx.Err()
}
