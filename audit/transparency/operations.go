package transparency

import (
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Runbooks is what is published about how the cloud is run.
type Runbooks struct {
	Places []Place `json:"places"`
}

// Place is one repository or site.
type Place struct {
	URL       string                `json:"url"`
	Commit    string                `json:"commit,omitempty"`
	Licence   audit.Fact[string]    `json:"licence,omitzero"`    // SPDX expression
	Open      audit.Fact[bool]      `json:"open,omitzero"`       // the licence is an open one
	LastHuman audit.Fact[time.Time] `json:"last_human,omitzero"` // newest change by a person
	Topics    []Topic               `json:"topics,omitempty"`
	Documents int                   `json:"documents"` // Markdown and the like
	Playbooks int                   `json:"playbooks,omitempty"`
	Secrets   []Secret              `json:"secrets,omitempty"`
	Trouble   *audit.Trouble        `json:"trouble,omitempty"`
	// Inventory and Versions say of a place with configuration whether it shows what runs where, and at which versions.
	Inventory bool `json:"inventory,omitempty"`
	Versions  bool `json:"versions,omitempty"`
	Rules     int  `json:"rules,omitempty"` // monitoring rules and dashboards
}

// Topic is one topic that documents speak about: deploy, upgrade, backup, incident, access.
type Topic struct {
	Topic string `json:"topic"`
	Path  string `json:"path"`
	Line  int    `json:"line,omitempty"`
}

// Secret is a place where a secret stands in plain text. The secret itself is never kept.
type Secret struct {
	Kind string `json:"kind"` // private-key, password, token, ...
	Path string `json:"path"`
	Line int    `json:"line"`
}

// Configuration is the configuration that an operator shows in the open.
type Configuration struct {
	Places []Place `json:"places"`
}

// OpenOperations is what an operator gives to others.
type OpenOperations struct {
	// Signed says how the manifesto names the operator: founding, supporting; "" if it does not.
	Signed       audit.Fact[string] `json:"signed,omitzero"`
	Repositories []Contributed      `json:"repositories,omitempty"` // Open Operations repositories
	Upstreams    []Contributed      `json:"upstreams,omitempty"`    // of deployed components
	Links        []CheckedLink      `json:"links,omitempty"`
}

// Contributed is what the operator's people gave to one repository.
type Contributed struct {
	URL     string                    `json:"url"`
	Project string                    `json:"project,omitempty"`
	Count   audit.Fact[Contributions] `json:"count"`
}

// CheckedLink is a declared fact whose address was looked at.
type CheckedLink struct {
	Link
	Trouble *audit.Trouble `json:"trouble,omitempty"`
	Names   bool           `json:"names,omitempty"` // the page names the operator
}
