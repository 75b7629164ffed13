// Package reports turns the result of an audit into what people and programs read: JSON, text and one self-contained HTML
// file. Report is the one value that all formats show; it holds everything a reader may see and nothing else. Every
// function here is pure: no clock, no network, same value, same bytes.
package reports

import (
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Schema names the JSON form of Report; its JSON Schema is in reports/schema.
const Schema = "pegel/report/v1"

// Report is the result of one audit.
type Report struct {
	Schema     string    `json:"schema"`
	Subject    Subject   `json:"subject"`
	AssessedAt time.Time `json:"assessed_at"`
	Assurance  string    `json:"assurance"` // self-assessed, assessor-run, auditor-reviewed
	Signers    []string  `json:"signers"`
	Policy     Policy    `json:"policy"`
	Previous   *Previous `json:"previous,omitempty"` // the last audit, where one was given
	Tool       Tool      `json:"tool"`
	Evidence   Evidence  `json:"evidence"`
	Verdicts   []Verdict `json:"verdicts"`           // in the order they were asked for, prerequisites included
	Ladder     []Rung    `json:"ladder"`             // levels 1 to 4 for each layer that was asked for
	Worklist   []Outlook `json:"worklist,omitempty"` // the way to the next level, layer by layer
	Waivers    []Waiver  `json:"waivers,omitempty"`  // failures that somebody lives with, by requirement and subject
	Findings   []Finding `json:"findings"`           // sorted: worst first, then scope, requirement, subject
	// Requirements are those that the findings answer, with all that the policy says about them, sorted by id.
	Requirements []Requirement `json:"requirements,omitempty"`
	// Trees say how the rules came to their answers. Findings name them by number; those that look the same share one.
	Trees      []audit.Tree `json:"trees,omitempty"`
	Artifacts  []Artifact   `json:"artifacts"`
	Components []Component  `json:"components"`
	Projects   []Project    `json:"projects"`
	Critical   *Critical    `json:"critical,omitempty"`  // what several projects hang on; absent: nothing could be compared
	Operator   *Operator    `json:"operator,omitempty"`  // what was seen of whoever runs the cloud; absent for a release
	Drift      []Drift      `json:"drift"`               // differences between what was declared and what runs
	Undecided  string       `json:"undecided,omitempty"` // why intent and fact could not be compared; absent: they were
	Coverage   Coverage     `json:"coverage"`
	Regions    []Region     `json:"regions,omitempty"` // how much was seen of each region; absent: the stack was judged as one
	NotSeen    []Unseen     `json:"not_seen"`          // what was not seen, by name, with what would settle it
	WhatIf     *WhatIf      `json:"what_if,omitempty"` // the report is a thought: what it changes, and what that would do
	Visibility string       `json:"visibility"`        // public: internal names are left out; full: nothing is

	Crosswalk []Framework `json:"crosswalk,omitempty"` // other frameworks, and which of their criteria the findings support
	Words     []Term      `json:"words,omitempty"`     // the policy's words for outcomes and verdicts
}

// Subject is what was audited.
type Subject struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"` // cloud or release
	Exposure string `json:"exposure,omitempty"`
	Group    string `json:"group,omitempty"`
	Operator string `json:"operator,omitempty"`
}

// Policy names the rules that decided.
type Policy struct {
	ID      string       `json:"id"`
	Version string       `json:"version"`
	Digest  audit.Digest `json:"digest"`
	Status  string       `json:"status"`           // proposal
	Profile string       `json:"profile"`          // id and version
	Origin  string       `json:"origin,omitempty"` // given: it is not the policy built in; whoever ran this chose it
	Signer  string       `json:"signer,omitempty"` // fingerprint of the key that signed it, where such keys were named
}

// Previous names the last audit, which can hold a level for a while.
type Previous struct {
	AssessedAt time.Time    `json:"assessed_at"`
	Digest     audit.Digest `json:"digest"`           // of its report
	Unused     string       `json:"unused,omitempty"` // why it holds nothing
}

// Tool names the program.
type Tool struct {
	Version string `json:"version"`
}

// Evidence names the bundle.
type Evidence struct {
	Digest   audit.Digest `json:"digest"` // SHA-256 of evidence.json, the identity of the bundle
	Blobs    int          `json:"blobs"`
	Withheld int          `json:"withheld"` // named by digest only
}

// Verdict is the decision about one scope.
type Verdict struct {
	Scope      string    `json:"scope"`
	Title      string    `json:"title"` // "SCS-open IaaS"
	Level      int       `json:"level"` // 1 to 4
	Layer      string    `json:"layer"`
	Outcome    string    `json:"outcome"` // eligible, not-eligible, undetermined
	ValidUntil time.Time `json:"valid_until,omitzero"`
	Ends       string    `json:"ends,omitempty"` // which evidence ends first
	Limiting   []string  `json:"limiting"`       // finding ids, most important first
	Counts     Counts    `json:"counts"`
	Probation  []string  `json:"probation,omitempty"` // ids of the findings that lie below a score gate and are held by the last audit
	Waived     []string  `json:"waived,omitempty"`    // ids of the failures of a must that are waived
	// Regions are the decisions region by region, by name; absent: the stack was judged as one. The outcome above is the worst of
	// them, and Worst names the regions that have it, unless all are eligible.
	Regions   []RegionVerdict `json:"regions,omitempty"`
	Worst     []string        `json:"worst,omitempty"`
	Requested bool            `json:"requested"` // asked for by the stack file or --scope; else only a prerequisite
}

// RegionVerdict is the decision about one scope in one region: on what is the region's own and what all regions share.
type RegionVerdict struct {
	Region     string    `json:"region"`
	Outcome    string    `json:"outcome"`          // eligible, not-eligible, undetermined
	Reason     string    `json:"reason,omitempty"` // why it is undetermined although no finding is open
	ValidUntil time.Time `json:"valid_until,omitzero"`
	Ends       string    `json:"ends,omitempty"`
	Limiting   []string  `json:"limiting"`
	Counts     Counts    `json:"counts"`
	Probation  []string  `json:"probation,omitempty"`
	Waived     []string  `json:"waived,omitempty"`
}

// Region says how much was seen of one region.
type Region struct {
	Name           string   `json:"name"`
	MonitorSubject string   `json:"monitor_subject,omitempty"` // its name at the compliance monitor
	Own            int      `json:"own"`                       // artifacts that its own sources show; the others all regions share
	Undecided      string   `json:"undecided,omitempty"`       // why intent and fact could not be compared there; absent: they were
	Coverage       Coverage `json:"coverage"`
}

// Counts are findings by outcome, folded ones counted in full.
type Counts struct {
	Pass int `json:"pass"`
	Fail int `json:"fail"`
	Miss int `json:"miss"`
	DNF  int `json:"dnf"`
	NA   int `json:"na"`
}

// Rung is one level of the ladder for one layer.
type Rung struct {
	Level  int    `json:"level"`
	Layer  string `json:"layer"`
	Title  string `json:"title"`
	State  string `json:"state"` // reached, failed, undetermined, not-assessed
	Reason string `json:"reason"`
}

// Finding is one line of a verdict.
type Finding struct {
	ID          string           `json:"id"`
	Subject     audit.SubjectRef `json:"subject"`
	Requirement string           `json:"requirement,omitempty"`
	Indicator   string           `json:"indicator,omitempty"`
	Title       string           `json:"title"`
	Scopes      []string         `json:"scopes,omitempty"`  // scopes that this line counts for
	Regions     []string         `json:"regions,omitempty"` // regions that it counts for; absent: all
	Severity    string           `json:"severity,omitempty"`
	Outcome     audit.Outcome    `json:"outcome"`
	Low         *int             `json:"low,omitempty"`
	High        *int             `json:"high,omitempty"`
	Declared    bool             `json:"declared,omitempty"`
	Probation   int              `json:"probation,omitempty"` // audits in a row below a score gate that was reached before, while it is held
	Waived      *audit.Waived    `json:"waived,omitempty"`    // somebody lives with it for a while; it stays a FAIL
	Count       int              `json:"count,omitempty"`
	Reason      string           `json:"reason"`
	Missing     []string         `json:"missing,omitempty"`
	Settle      []string         `json:"settle,omitempty"`
	Origins     []audit.Origin   `json:"origins,omitempty"`
	ValidUntil  time.Time        `json:"valid_until,omitzero"`
	Remedy      string           `json:"remedy,omitempty"`
	Owner       string           `json:"owner,omitempty"`
	Rationale   string           `json:"rationale,omitempty"`
	Source      string           `json:"source,omitempty"` // where the requirement comes from
	// EffectiveOn is set where the requirement counts only from a day after the audit: until then the line warns and blocks nothing.
	EffectiveOn time.Time         `json:"effective_on,omitzero"`
	Overruled   string            `json:"overruled,omitempty"` // PASS or FAIL: what the rule alone says, where that does not count
	Tree        int               `json:"tree,omitempty"`      // which of Report.Trees, counted from 1; absent: no rule was asked
	Example     *audit.SubjectRef `json:"example,omitempty"`   // of a folded line: the subject that tree and grounds are about
	Grounds     []audit.Ground    `json:"grounds,omitempty"`   // the facts behind the answer, with the evidence of each
}

// Words is one text by language; "en" is always there.
type Words map[string]string

// In returns the text in a language, in English where there is none.
func (w Words) In(lang string) string {
	if s := w[lang]; s != "" {
		return s
	}
	return w["en"]
}

// Requirement is one demand of the policy.
type Requirement struct {
	ID        string         `json:"id"`
	Title     Words          `json:"title"`
	Severity  string         `json:"severity"` // must or should
	Rationale Words          `json:"rationale"`
	Remedy    Words          `json:"remedy"`
	Owner     string         `json:"owner"`             // who can fix it: operator, upstream, distribution, assessor
	Applies   string         `json:"applies,omitempty"` // the rule that says whether it applies; absent: it always does
	Pass      string         `json:"pass"`              // the rule
	Sources   []ClauseSource `json:"sources"`           // what it rests on, most important first
}

// ClauseSource is one clause of a document that a requirement rests on.
type ClauseSource struct {
	ID       string `json:"id"`
	Document string `json:"document"`
	At       string `json:"at,omitempty"`     // where in the document
	Status   string `json:"status,omitempty"` // of the document
	URL      string `json:"url,omitempty"`    // leads to the words
	Quote    string `json:"quote,omitempty"`  // the words that carry the demand
	Says     Words  `json:"says,omitempty"`   // in the words of the policy
}

// Artifact is one row of the stack table.
type Artifact struct {
	ID        string       `json:"id"`
	Kind      string       `json:"kind"`
	Name      string       `json:"name"`
	Reference string       `json:"reference,omitempty"`
	Version   string       `json:"version,omitempty"`
	Digest    audit.Digest `json:"digest,omitempty"`
	Unpinned  string       `json:"unpinned,omitempty"`
	Tiers     []string     `json:"tiers"`
	Area      string       `json:"area,omitempty"`
	Service   string       `json:"service,omitempty"`
	Placed    string       `json:"placed,omitempty"`
	Projects  []string     `json:"project"`
	Seen      bool         `json:"seen"`
	Replicas  int          `json:"replicas,omitempty"` // copies that run, as the source that saw most of them counts
	Packages  *int         `json:"packages,omitempty"` // absent: not scanned
	Regions   []string     `json:"regions,omitempty"`  // whose own sources show it; absent: all regions share it, or there are none
	Sightings []Sighting   `json:"sightings"`
}

// Sighting is one place where an artifact was found.
type Sighting struct {
	Source    string       `json:"source"`
	Where     string       `json:"where"`
	Declared  bool         `json:"declared,omitempty"`
	State     string       `json:"state,omitempty"` // declared, offered, running, stopped, present
	Reference string       `json:"reference,omitempty"`
	Digest    audit.Digest `json:"digest,omitempty"`
	Hosts     []string     `json:"hosts,omitempty"`
	Namespace string       `json:"namespace,omitempty"`
	Workload  string       `json:"workload,omitempty"`
	Replicas  int          `json:"replicas,omitempty"`
	Region    string       `json:"region,omitempty"` // of the source; absent: it counts for every region
	Origin    audit.Origin `json:"origin,omitzero"`
}

// Drift is one difference between intent and fact, with both sides.
type Drift struct {
	Kind     string     `json:"kind"` // not-running, not-declared, contents, tag-moved, version, older, unpinned, end-of-life
	Artifact string     `json:"artifact"`
	Name     string     `json:"name"`
	Tiers    []string   `json:"tiers"`
	Regions  []string   `json:"regions,omitempty"` // where it differs; absent: everywhere
	Detail   string     `json:"detail"`
	Open     string     `json:"open,omitempty"` // why it is not certain; absent: it is
	Declared *DriftSide `json:"declared,omitempty"`
	Running  *DriftSide `json:"running,omitempty"`
}

// DriftSide is what one half of the comparison says, and where.
type DriftSide struct {
	Artifact  string         `json:"artifact,omitempty"`
	Reference string         `json:"reference,omitempty"`
	Version   string         `json:"version,omitempty"`
	Digest    audit.Digest   `json:"digest,omitempty"`
	Where     []string       `json:"where"`
	Origins   []audit.Origin `json:"origins,omitempty"`
}

// Component is one product at its deployed version: what the licence verdict is about.
type Component struct {
	Artifact     string         `json:"artifact"`
	Project      string         `json:"project"` // catalogue id
	Name         string         `json:"name"`
	Version      string         `json:"version,omitempty"`
	Edition      string         `json:"edition,omitempty"`
	Licence      string         `json:"licence,omitempty"`
	LicenceClass string         `json:"licence_class"`
	Provenance   string         `json:"provenance"` // how the licence is known
	Tiers        []string       `json:"tiers"`
	Area         string         `json:"area,omitempty"`
	Origins      []audit.Origin `json:"origins,omitempty"`
}

// Coverage says how much was seen.
type Coverage struct {
	Artifacts            int `json:"artifacts"`
	WithDigest           int `json:"with_digest"`
	Seen                 int `json:"seen"`       // seen themselves, not only declared
	Scanned              int `json:"scanned"`    // with a package list
	Identified           int `json:"identified"` // lead to a known project
	Packages             int `json:"packages"`
	PackagesWithLicence  int `json:"packages_with_licence"` // class other than unknown
	Projects             int `json:"projects"`
	ProjectsWithEvidence int `json:"projects_with_evidence"`
	SourcesFailed        int `json:"sources_failed"`

	Images           int `json:"images"`            // artifacts that are images; WithDigest counts these
	Scannable        int `json:"scannable"`         // artifacts that have contents: images, hosts, documents; Scanned counts these
	Resolvable       int `json:"resolvable"`        // artifacts that have an upstream: all but hosts; Identified counts these
	Running          int `json:"running"`           // seen running
	Placed           int `json:"placed"`            // assigned to a tier
	HostsExpected    int `json:"hosts_expected"`    // named by lists that were made for another purpose
	HostsSeen        int `json:"hosts_seen"`        // of these, with something seen there
	ServicesExpected int `json:"services_expected"` // likewise
	ServicesSeen     int `json:"services_seen"`
	Omitted          int `json:"omitted"` // left out on purpose, such as workloads of customers; only counted
}

// Unseen is one thing that was not seen.
type Unseen struct {
	What   string   `json:"what"`
	Reason string   `json:"reason"`
	Settle string   `json:"settle,omitempty"`
	Count  int      `json:"count,omitempty"`
	Names  []string `json:"names,omitempty"` // at most 50; Count tells how many
}
