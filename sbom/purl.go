package sbom

import "github.com/package-url/packageurl-go"

// BarePURL returns a package URL without qualifiers and subpath, in which tools differ, or nothing if the text is none.
func BarePURL(text string) string {
	p, err := packageurl.FromString(text)
	if err != nil || p.Name == "" {
		return ""
	}
	p.Qualifiers, p.Subpath = nil, ""
	return p.ToString()
}
