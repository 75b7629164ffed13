package transparency

import "time"

// SBOMFacts is what a published SBOM says, beside what was found deployed.
type SBOMFacts struct {
	Format     string    `json:"format"` // e.g. CycloneDX 1.6, SPDX 3.0.1
	Created    time.Time `json:"created,omitzero"`
	Components int       `json:"components"`
	// Documents counts those that were read; of several, Created is the oldest of those that speak of what is deployed.
	Documents int `json:"documents,omitempty"`
	// BSI says whether every field that BSI TR-03183-2 requires is stated; Open lists those that are not.
	BSI  bool     `json:"bsi"`
	Open []string `json:"open,omitempty"`
	// Unmeasured says why the fields could not be measured; empty: they were.
	Unmeasured string `json:"unmeasured,omitempty"`
	// Deployed counts what the inventory has; Named of these stand in the SBOM; Missing and Extra give examples, bounded.
	Deployed int      `json:"deployed"`
	Named    int      `json:"named"`
	Missing  []string `json:"missing,omitempty"`
	Extra    []string `json:"extra,omitempty"`
	// Unsure counts parts that are not Named, whose name stands in the SBOM with nothing that tells which version.
	Unsure int `json:"unsure,omitempty"`
	// Redacted is true if the SBOM is a form without internal names; Hidden counts the entries whose name it does not say.
	Redacted bool `json:"redacted,omitempty"`
	Hidden   int  `json:"hidden,omitempty"`
	// Parts is what Named, Unsure and Missing were counted from, in the order of the inventory, so that what several documents
	// name can be put together. It is no part of the evidence.
	Parts []SBOMPart `json:"-"`
}

// SBOMPart is one deployed part.
type SBOMPart struct {
	Name   string // fit to be shown in public
	Named  bool
	Unsure bool
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
	Legacy    bool      `json:"legacy,omitempty"`   // it stands at /security.txt only
}

// Contact is one way to reach somebody about security.
type Contact struct {
	Kind      string `json:"kind"`                // mailto, https, tel
	Address   string `json:"address,omitempty"`   // of https; of mailto the domain only
	Reachable *bool  `json:"reachable,omitempty"` // of https: it answers; nil: nobody can tell without writing to somebody
}

// Advisories is a list of security advisories that an operator publishes.
type Advisories struct {
	Advisories []Advisory `json:"advisories"`       // newest first
	Format     string     `json:"format,omitempty"` // e.g. csaf, osv, rss, html, repository
}

// Advisory is one of them.
type Advisory struct {
	ID        string    `json:"id"`            // of the operator
	IDs       []string  `json:"ids,omitempty"` // CVE, OSSA, GHSA it names
	URL       string    `json:"url,omitempty"`
	Published time.Time `json:"published,omitzero"`
	Fixed     time.Time `json:"fixed,omitzero"`     // when the cloud was fixed, if it says so
	Affected  bool      `json:"affected,omitempty"` // affected versions or services are named
	Days      bool      `json:"days,omitempty"`     // Published and Fixed are days without an hour and a time zone
}

// Imprint is who runs the site, as the law asks for it.
type Imprint struct {
	Found []string `json:"found"`         // of company, address, contact, register
	URL   string   `json:"url,omitempty"` // of the page, where it was found by a link
}

// CertificatePage is the public certificate status page of scs-0004.
type CertificatePage struct {
	Link    string   `json:"link,omitempty"`    // hyperlink from the operator's page to the status page
	Scopes  []string `json:"scopes,omitempty"`  // that it names
	History bool     `json:"history,omitempty"` // results of more than one day are shown
	// HistoryFrom is the oldest day that the status page shows; zero: none.
	HistoryFrom time.Time `json:"history_from,omitzero"`
	// SCS says that the status page stands at a host from which SCS serves them; another page is the word of whoever runs it.
	SCS bool `json:"scs,omitempty"`
	// Logo says that the link is a picture, not only words.
	Logo bool `json:"logo,omitempty"`
}
