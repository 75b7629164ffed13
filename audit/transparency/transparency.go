// Package transparency holds what an outsider can see of how a cloud is run: the words for the operator's public artifacts,
// the facts that collectors draw from them, and the indicators over these facts. The packages below it look at the artifacts,
// one kind each; they ask only through the functions of World. Everything in this package itself is pure.
//
// In go the bytes that a server answered or that an operator handed over; out come an Evidence document and, from it and the
// thresholds of a profile, one Result for each indicator. Nothing here judges how many incidents a cloud had.
package transparency

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Schema names the form of Evidence.
const Schema = "pegel/transparency/v1"

// Kinds of artifacts, as the keys of transparency: in a stack file, with underscores there.
const (
	KindStatusPage      = "status-page"
	KindIncidentReports = "incident-reports"
	KindMonitor         = "monitor"
	KindRunbooks        = "runbooks"
	KindConfiguration   = "configuration"
	KindOpenOperations  = "open-operations"
	KindSBOM            = "sbom"
	KindSecurityTxt     = "security-txt"
	KindAdvisories      = "advisories"
	KindImprint         = "imprint"
	KindCertificatePage = "certificate-page"
	KindPatches         = "patches"
	KindIdentity        = "identity"
)

// Kinds lists all kinds in the order of every report.
func Kinds() []string {
	return []string{
		KindStatusPage, KindIncidentReports, KindMonitor, KindRunbooks, KindConfiguration, KindOpenOperations, KindSBOM,
		KindSecurityTxt, KindAdvisories, KindImprint, KindCertificatePage,
		KindPatches, KindIdentity,
	}
}

// Target is one artifact to look at, as the stack file names it.
type Target struct {
	Kind    string `json:"kind"`
	URL     string `json:"url,omitempty"`     // address; empty for a file alone
	File    string `json:"file,omitempty"`    // base name of a file or directory that was handed over instead
	Adapter string `json:"adapter,omitempty"` // which software answers there; empty: it is detected
	Region  string `json:"region,omitempty"`  // that the artifact speaks of; empty: the whole cloud
	Name    string `json:"name,omitempty"`    // of the cloud there: a measurement, a label, an organisation
	Path    string `json:"path,omitempty"`    // folder in a repository
	// Repositories are addresses of git repositories, beside or instead of URL.
	Repositories []string `json:"repositories,omitempty"`
	// Links are declared facts with an address: talks, meeting notes.
	Links []Link `json:"links,omitempty"`
	// Upstreams are addresses of git repositories of the projects that the cloud runs, for open-operations. Who makes the target
	// fills them if the stack file says upstreams: true, since reading them may take long; empty: nobody counts there.
	Upstreams []string `json:"upstreams,omitempty"`
	// Why says how somebody found it who was not told; empty: the stack file names it.
	Why string `json:"why,omitempty"`
}

// Link is a declared fact with an address that can be looked at.
type Link struct {
	Kind  string    `json:"kind"` // talk, meeting-notes, article
	Title string    `json:"title,omitempty"`
	URL   string    `json:"url"`
	Date  time.Time `json:"date,omitzero"`
}

// World is what a collector may use. A nil function says that the run cannot do it.
type World struct {
	Ask  audit.Ask
	Open func(ctx context.Context, url string) (*Repository, *audit.Trouble)
	At   time.Time // the moment that is judged, UTC
	// OpenHanded opens a folder that was handed over instead of a repository; nil: none was.
	OpenHanded func(ctx context.Context, url string) (*Repository, *audit.Trouble)
	// Operator is who runs the cloud: name, mail domains.
	Operator Operator
	// CheckSBOM reads a published SBOM and compares it with what was found deployed.
	CheckSBOM func(ctx context.Context, data []byte) (SBOMFacts, error)
}

// Operator is who runs the cloud.
type Operator struct {
	Name    string   `json:"name,omitempty"`
	Domains []string `json:"domains,omitempty"`
}

// Repository is a git repository at its newest commit until the moment that is judged. Close it.
type Repository struct {
	URL      string // without credentials
	Commit   string
	CommitAt time.Time
	Files    []File // regular files, in the order of git
	// Read returns the contents of a file; ErrTooLarge if there are more than limit bytes. Fetch gets many from the server at
	// once, so that Read need not ask for them one by one; nil: there is nothing to fetch.
	Read  func(ctx context.Context, id string, limit int64) ([]byte, error)
	Fetch func(ctx context.Context, ids []string) error
	// LastHuman is the committer time of the newest commit by no machine.
	LastHuman audit.Fact[time.Time]
	// Licence is the SPDX expression of the licence file.
	Licence audit.Fact[string]
	// SeenUntil is until when this can speak: when the server was asked last, or the newest commit of a clone on this machine.
	SeenUntil time.Time
	// Local says that it was read from a clone on this machine: nobody asked whether the public can read the repository.
	Local bool
	// Look is how it was seen where it is no clone but a folder that was handed over; zero: a clone, named by its commit.
	Look audit.Seen
	// Contributions counts commits and people of an organisation, by mail domains, in the 365 days before the moment judged.
	Contributions func(ctx context.Context, domains []string) (Contributions, error)
	Close         func() error
}

// ErrTooLarge says that a file has more bytes than the caller wants to read.
var ErrTooLarge = errors.New("the file is larger than the limit")

// File is one regular file of a repository.
type File struct {
	Path string
	ID   string // of its contents
	Size int64  // -1: not known yet
}

// Contributions are counts of one organisation in one repository, never names. Groups of fewer than three people are not
// told apart: People is then 2 and Few is true, to be shown as "one or two".
type Contributions struct {
	Commits int       `json:"commits"`
	People  int       `json:"people"`
	Few     bool      `json:"few,omitempty"`
	Newest  time.Time `json:"newest,omitzero"` // committer time, to the day
	// Human counts the commits of everybody in the same days, Unknown those of them of which nobody can say for whom they were
	// written: private and hidden addresses. They may be the organisation's.
	Human   int  `json:"human,omitempty"`
	Unknown int  `json:"unknown,omitempty"`
	Cut     bool `json:"cut,omitempty"` // the clone is shallow, so that more may have been given
}

// Collect looks at one artifact. It never fails: what went wrong is the trouble of the artifact. After the context ended the
// artifact is not used.
type Collect func(context.Context, Target, World) Artifact

// Artifact is what was seen of one target. Of the facts at most the ones of its kind are set; none if there is a trouble.
type Artifact struct {
	Target
	Handed  bool           `json:"handed,omitempty"`  // evidence handed over as a file: nobody saw that it is public
	Seen    []audit.Seen   `json:"seen,omitempty"`    // every look, in order
	Trouble *audit.Trouble `json:"trouble,omitempty"` // why there are no facts
	Notes   []string       `json:"notes,omitempty"`   // what a reader has to know, e.g. "the newest 2000 of 100000 incidents were read"

	StatusPage      *StatusPage      `json:"status_page,omitempty"`
	IncidentReports *IncidentReports `json:"incident_reports,omitempty"`
	Monitor         *Monitor         `json:"monitor,omitempty"`
	Runbooks        *Runbooks        `json:"runbooks,omitempty"`
	Configuration   *Configuration   `json:"configuration,omitempty"`
	OpenOperations  *OpenOperations  `json:"open_operations,omitempty"`
	SBOM            *SBOMFacts       `json:"sbom,omitempty"`
	SecurityTxt     *SecurityTxt     `json:"security_txt,omitempty"`
	Advisories      *Advisories      `json:"advisories,omitempty"`
	Imprint         *Imprint         `json:"imprint,omitempty"`
	CertificatePage *CertificatePage `json:"certificate_page,omitempty"`
	Patches         *Patches         `json:"patches,omitempty"`
	Identity        *Identity        `json:"identity,omitempty"`
}

// Origins says where the facts of the artifact were read: the looks without trouble, or all if there is none without.
func (a Artifact) Origins() []audit.Origin {
	var out, all []audit.Origin
	for _, s := range a.Seen {
		all = append(all, s.Origin(a.Kind))
		if s.Trouble == nil {
			out = append(out, s.Origin(a.Kind))
		}
	}
	if out == nil {
		return all
	}
	return out
}

// Observed is when the artifact was looked at last; zero if nobody did.
func (a Artifact) Observed() time.Time {
	var at time.Time
	for _, s := range a.Seen {
		if s.At.After(at) {
			at = s.At
		}
	}
	return at
}

// Evidence is the document that crosses the wall: everything that was seen of an operator.
type Evidence struct {
	Schema     string    `json:"schema"`
	AssessedAt time.Time `json:"assessed_at"`
	Exposure   string    `json:"exposure,omitempty"` // of the subject: public, community, private
	Operator   Operator  `json:"operator,omitzero"`
	// Searched are the looks that led to artifacts whose addresses nobody named.
	Searched  []audit.Seen `json:"searched,omitempty"`
	Artifacts []Artifact   `json:"artifacts"` // in the order of Kinds, then of the stack file
}

// Of returns the artifacts of a kind.
func (e Evidence) Of(kind string) []Artifact {
	var out []Artifact
	for _, a := range e.Artifacts {
		if a.Kind == kind {
			out = append(out, a)
		}
	}
	return out
}

// Key is the key of a kind under transparency: in a stack file.
func Key(kind string) string { return strings.ReplaceAll(kind, "-", "_") }
