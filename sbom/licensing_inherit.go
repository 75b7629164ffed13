package sbom

import "slices"

// fromCopyright are the provenances of copyright files of Debian, the best first.
var fromCopyright = []string{FromCopyright, FromHidden, FromOtherImage, FromMirror, FromService}

// InheritLicences returns the components of one artifact with the claims that others of it make about them too. A copyright
// file describes the whole source package: so a deb without one takes that of a deb of the same source in the same version,
// and a package of another kind that lies in the files of a deb, and about which nothing says anything, takes that of the
// deb. Claims keep provenance and path, which show whose file it is. Nothing is taken from a component that has it from others,
// and the components given are not changed.
func InheritLicences(components []Component) []Component {
	debs, lenders := map[string]Component{}, map[sourcePackage]Component{}
	for _, c := range components {
		if c.Type != "deb" {
			continue
		}
		debs[c.Ref] = c
		if best, ok := lenders[sourcePackageOf(c)]; hasCopyright(c) && (!ok || better(c, best)) {
			lenders[sourcePackageOf(c)] = c
		}
	}
	out := slices.Clone(components)
	for i, c := range out {
		lender, ok := c, false
		switch {
		case c.Type == "deb" && !hasCopyright(c):
			lender, ok = lenders[sourcePackageOf(c)]
		case c.Type != "deb" && c.OwnedBy != "" && readClaims(c).first == "":
			if lender, ok = debs[c.OwnedBy]; !hasCopyright(lender) {
				lender, ok = lenders[sourcePackageOf(lender)]
			}
		}
		if ok {
			out[i].Licences = lend(lender, c)
		}
	}
	return out
}

// sourcePackage is a source package in one version.
type sourcePackage struct{ name, version string }

// sourcePackageOf returns the source of a deb. One that is not known is that of the deb alone.
func sourcePackageOf(c Component) sourcePackage {
	if c.Source == "" || c.SourceVersion == "" {
		return sourcePackage{name: "of " + c.Ref}
	}
	return sourcePackage{c.Source, c.SourceVersion}
}

func hasCopyright(c Component) bool { return copyrightRank(c) < len(fromCopyright) }

// copyrightRank is the place of a component's best copyright claim in fromCopyright, or its length if there is none.
func copyrightRank(c Component) int {
	best := len(fromCopyright)
	for _, l := range c.Licences {
		if i := slices.Index(fromCopyright, l.Provenance); i >= 0 {
			best = min(best, i)
		}
	}
	return best
}

// better orders lenders, so that the same components in any order give the same claims.
func better(a, b Component) bool {
	x, y := copyrightRank(a), copyrightRank(b)
	return x < y || x == y && a.Ref < b.Ref
}

// lend returns the claims of the borrower and those of the lender's copyright file. What nobody can read there is named after
// the lender's source.
func lend(lender, borrower Component) []LicenceClaim {
	out := slices.Clone(borrower.Licences)
	for _, l := range lender.Licences {
		if !slices.Contains(fromCopyright, l.Provenance) {
			continue
		}
		if l.Value == UnreadableCopyright {
			l.Value = copyrightRef(lender)
		}
		out = append(out, l)
	}
	return out
}
