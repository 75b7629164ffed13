package transparency

import (
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Runbooks is what is published about how the cloud is run.
type Runbooks struct {
	Places []Place `json:"places"`
}

// Place is one repository or site.
type Place struct {
	URL    string `json:"url"`
	Commit string `json:"commit,omitempty"`
	Path   string `json:"path,omitempty"` // folder in the repository that was read; empty: all of it
	// Public says whether anybody can read it: the server gave it to somebody without rights. Not known of a clone on this
	// machine whose server nobody asked.
	Public    audit.Fact[bool]      `json:"public,omitzero"`
	SeenUntil time.Time             `json:"seen_until,omitzero"` // until when what was read can speak
	Licence   audit.Fact[string]    `json:"licence,omitzero"`    // SPDX expression
	Open      audit.Fact[bool]      `json:"open,omitzero"`       // the licence is an open one
	LastHuman audit.Fact[time.Time] `json:"last_human,omitzero"` // newest change by a person
	Topics    []Topic               `json:"topics,omitempty"`    // the first place of each topic, bounded
	Documents int                   `json:"documents"`           // Markdown and the like
	Playbooks int                   `json:"playbooks,omitempty"`
	Secrets   []Secret              `json:"secrets,omitempty"` // bounded; SecretsSeen counts all
	// SecretsSeen is how many were found; not known where not every file was looked at.
	SecretsSeen audit.Fact[int] `json:"secrets_seen,omitzero"`
	Trouble     *audit.Trouble  `json:"trouble,omitempty"`
	// Inventory and Versions say of a place with configuration whether it shows what runs where, and at which versions.
	Inventory bool `json:"inventory,omitempty"`
	Versions  bool `json:"versions,omitempty"`
	Rules     int  `json:"rules,omitempty"` // monitoring rules and dashboards
}

// name is how people call a place: its address, or that it was handed over.
func (p Place) name() string {
	if strings.HasPrefix(p.URL, "file:") {
		return "what was handed over"
	}
	return p.URL
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

// ManifestoRepository is where organisations sign the Open Operations manifesto (its README.md: by a pull request to
// _data/organizations.yml; the file _data/signees.yml that it names too does not exist).
const ManifestoRepository = "https://github.com/SovereignCloudStack/open-operations-manifesto"

// OpenOperations is what an operator gives to others.
type OpenOperations struct {
	// Signed says how the manifesto names the operator: founding, supporting; "" if it does not.
	Signed       audit.Fact[string] `json:"signed,omitzero"`
	Repositories []Contributed      `json:"repositories,omitempty"` // Open Operations repositories
	Upstreams    []Contributed      `json:"upstreams,omitempty"`    // of deployed components
	Links        []CheckedLink      `json:"links,omitempty"`
	// Domains are the mail domains by which contributions were counted; none: nobody named any. AskedUpstreams says that
	// somebody asked to count in the repositories of deployed components.
	Domains        []string `json:"domains,omitempty"`
	AskedUpstreams bool     `json:"asked_upstreams,omitempty"`
}

// Contributed is what the operator's people gave to one repository.
type Contributed struct {
	URL     string                    `json:"url"`
	Project string                    `json:"project,omitempty"`
	Count   audit.Fact[Contributions] `json:"count"`
	Commit  string                    `json:"commit,omitempty"` // that was read
	// SeenUntil is until when the repository can speak, see Repository.
	SeenUntil time.Time `json:"seen_until,omitzero"`
}

// CheckedLink is a declared fact whose address was looked at.
type CheckedLink struct {
	Link
	Trouble *audit.Trouble `json:"trouble,omitempty"`
	Names   bool           `json:"names,omitempty"` // the page names the operator
	Seen    int            `json:"seen,omitempty"`  // place in the looks of the artifact, from 0; of no use where nobody could ask
}
