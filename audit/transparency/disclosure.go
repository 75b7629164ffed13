package transparency

import "time"

// SBOMFacts is what a published SBOM says, beside what was found deployed.
type SBOMFacts struct {
	Format     string    `json:"format"` // e.g. CycloneDX 1.6, SPDX 3.0.1
	Created    time.Time `json:"created,omitzero"`
	Components int       `json:"components"`
	// BSI says whether every field that BSI TR-03183-2 requires is stated; Open lists those that are not.
	BSI  bool     `json:"bsi"`
	Open []string `json:"open,omitempty"`
	// Deployed counts what the inventory has; Named of these stand in the SBOM; Missing and Extra give examples, bounded.
	Deployed int      `json:"deployed"`
	Named    int      `json:"named"`
	Missing  []string `json:"missing,omitempty"`
	Extra    []string `json:"extra,omitempty"`
	// Redacted is true if the SBOM is a form without internal names.
	Redacted bool `json:"redacted,omitempty"`
}

// SecurityTxt is a security.txt by RFC 9116.
type SecurityTxt struct {
	Contacts  []Contact `json:"contacts"`
	Expires   time.Time `json:"expires,omitzero"`
	Signed    bool      `json:"signed,omitempty"`    // it is an OpenPGP cleartext message; the signature is not verified
	Canonical []string  `json:"canonical,omitempty"` // addresses
	Languages []string  `json:"languages,omitempty"`
	Policy    []string  `json:"policy,omitempty"`
	Problems  []string  `json:"problems,omitempty"` // what breaks the RFC, with the line
}

// Contact is one way to reach somebody about security.
type Contact struct {
	Kind      string `json:"kind"`                // mailto, https, tel
	Address   string `json:"address,omitempty"`   // of https; of mailto the domain only
	Reachable *bool  `json:"reachable,omitempty"` // of https: it answers; nil: nobody can tell without writing to somebody
}

// Advisories is a list of security advisories that an operator publishes.
type Advisories struct {
	Advisories []Advisory `json:"advisories"` // newest first
}

// Advisory is one of them.
type Advisory struct {
	ID        string    `json:"id"`            // of the operator
	IDs       []string  `json:"ids,omitempty"` // CVE, OSSA, GHSA it names
	URL       string    `json:"url,omitempty"`
	Published time.Time `json:"published,omitzero"`
	Fixed     time.Time `json:"fixed,omitzero"`     // when the cloud was fixed, if it says so
	Affected  bool      `json:"affected,omitempty"` // affected versions or services are named
}

// Imprint is who runs the site, as the law asks for it.
type Imprint struct {
	Found []string `json:"found"` // of company, address, contact, register
}

// CertificatePage is the public certificate status page of scs-0004.
type CertificatePage struct {
	Link    string   `json:"link,omitempty"`   // hyperlink from the operator's page to the status page
	Scopes  []string `json:"scopes,omitempty"` // that it names
	History bool     `json:"history,omitempty"`
}
