package sbom

import (
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Kinds of package repositories, by the tool that reads them.
const (
	RepositoryAPT = "apt"
	RepositoryRPM = "rpm"
	RepositoryAPK = "apk"
)

// UnknownVendor is the vendor of a repository whose address tells nobody who stands behind it, e.g. an operator's mirror.
const UnknownVendor = "unknown vendor"

// Repository is a place from which a host is set up to install packages.
type Repository struct {
	Host    string       `json:"host"`
	Kind    string       `json:"kind"`            // RepositoryAPT, RepositoryRPM or RepositoryAPK
	Address string       `json:"address"`         // without credentials; "file:" alone for a directory of the host
	Suite   string       `json:"suite,omitempty"` // suite of apt, section of a .repo file, release of apk
	Areas   []string     `json:"areas,omitempty"` // components of apt, e.g. main and non-free; repository of apk, e.g. community
	Vendor  string       `json:"vendor"`          // who publishes there, e.g. "distribution (Debian)", "Docker", or UnknownVendor
	Origin  audit.Origin `json:"origin,omitzero"`
}

// NonFree returns the enabled areas whose packages are not free software or depend on such: those of Debian and Ubuntu.
func (r Repository) NonFree() []string {
	var out []string
	for _, area := range r.Areas {
		first, _, _ := strings.Cut(area, "/")
		switch first {
		case "contrib", "non-free", "non-free-firmware", "restricted", "multiverse":
			out = append(out, area)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
