package scoring

import (
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Facts of places other than git. They have one shape for every forge, so that a project on Gerrit, GitHub, GitLab or a
// mailing list can be compared line by line. What a place cannot tell stays an unknown fact with its reason, never a zero.

// Home is what the forge says about the repository itself.
type Home struct {
	Forge         string                  `json:"forge"` // github, gitlab, gitea, gerrit, cgit, ...
	Name          string                  `json:"name"`  // as the forge calls it now, e.g. after a move
	Archived      audit.Fact[bool]        `json:"archived"`
	MirrorOf      audit.Fact[string]      `json:"mirror_of"` // address it mirrors; known and empty: it is no mirror
	Fork          audit.Fact[bool]        `json:"fork"`
	Created       audit.Fact[time.Time]   `json:"created"`
	DefaultBranch audit.Fact[string]      `json:"default_branch"`
	Licence       audit.Fact[string]      `json:"licence"`    // SPDX id that the forge detected
	OwnerKind     audit.Fact[string]      `json:"owner_kind"` // organisation or person
	Stars         audit.Fact[int]         `json:"stars"`
	Forks         audit.Fact[int]         `json:"forks"`
	CodeOfConduct audit.Fact[bool]        `json:"code_of_conduct"` // shown by the forge, also if inherited from the owner
	Security      audit.Fact[bool]        `json:"security"`        // the forge shows a security policy or takes private reports
	Newcomers     audit.Fact[int]         `json:"newcomers"`       // open issues, or labels, of the kind "good first issue"
	Funding       audit.Fact[int]         `json:"funding"`         // funding links
	Releases      audit.Fact[[]Published] `json:"releases"`        // newest 20, newest first
}

// Published is a release on the forge.
type Published struct {
	Tag        string    `json:"tag"`
	At         time.Time `json:"at"`
	Prerelease bool      `json:"prerelease,omitempty"`
	// Assets are the kinds of files attached: sbom, signature, provenance, checksum, other.
	Assets map[string]int `json:"assets,omitempty"`
	// AssetsUnread says that nobody looked for files of this release: only the newest are looked at.
	AssetsUnread bool `json:"assets_unread,omitempty"`
}

// Changes is how proposed changes fare: pull requests, merge requests, Gerrit changes, patches on a list.
type Changes struct {
	Forge   string          `json:"forge"` // github, gitlab, gitea, gerrit, mail
	Open    audit.Fact[int] `json:"open"`
	Windows []ChangeWindow  `json:"windows"` // those of 3, 6, 12 and 24 months that could be seen, in this order
}

// ChangeWindow holds the changes of one period that ends at AssessedAt. Shares are taken over Sample, the newest merged
// changes of the window that were looked at one by one: all of them, or as many as one request shows.
type ChangeWindow struct {
	Months int             `json:"months"`
	Opened audit.Fact[int] `json:"opened"`
	Merged audit.Fact[int] `json:"merged"`
	Closed audit.Fact[int] `json:"closed"` // merged or abandoned

	Sample     int             `json:"sample"`      // merged changes of humans looked at
	Whole      bool            `json:"whole"`       // Sample is all of the window
	Reviewed   audit.Fact[int] `json:"reviewed"`    // of Sample: approved by a human who is not the author
	SelfMerged audit.Fact[int] `json:"self_merged"` // of Sample: merged by the author without such an approval
	Gated      audit.Fact[int] `json:"gated"`       // of Sample: a machine tested it before the merge (Verified vote, required check)

	Answered      audit.Fact[int]   `json:"answered"`       // of all changes looked at: those with a human answer
	Unanswered    audit.Fact[int]   `json:"unanswered"`     // of the same: those without
	FirstResponse audit.Fact[int64] `json:"first_response"` // median seconds to the first human answer by somebody else

	Approvers audit.Fact[int] `json:"approvers"` // distinct people who approved; a lower bound unless Whole
	Mergers   audit.Fact[int] `json:"mergers"`   // distinct people who merged; machines do not count
	// TopApproverOrg is the share of approvals by the largest organisation, in basis points: both ends.
	TopApproverOrgLowBP  audit.Fact[int] `json:"top_approver_org_low_bp"`
	TopApproverOrgHighBP audit.Fact[int] `json:"top_approver_org_high_bp"`
}

// Issues is what the tracker says.
type Issues struct {
	Tracker       string            `json:"tracker"` // github, gitlab, gitea, launchpad, storyboard, bugzilla, ...
	Public        audit.Fact[bool]  `json:"public"`  // anybody with an account may open one
	Open          audit.Fact[int]   `json:"open"`
	Opened12m     audit.Fact[int]   `json:"opened_12m"`
	Closed12m     audit.Fact[int]   `json:"closed_12m"` // closed in the window, whenever opened
	MedianAge     audit.Fact[int64] `json:"median_age"` // seconds, of the open ones
	Sample        int               `json:"sample"`     // issues that ages and answers were taken from
	Whole         bool              `json:"whole"`      // Sample is all of the last 3 months
	FirstResponse audit.Fact[int64] `json:"first_response"`
	Answered      audit.Fact[int]   `json:"answered"`
	Unanswered    audit.Fact[int]   `json:"unanswered"`
}

// Runs is how CI fared on the default branch, or in the gate, in the last 90 days.
type Runs struct {
	System    string          `json:"system"` // github-actions, gitlab-ci, zuul, prow, ...
	Where     string          `json:"where"`  // branch or pipeline
	Sample    int             `json:"sample"` // runs that ended, skipped ones left out
	Succeeded int             `json:"succeeded"`
	Whole     bool            `json:"whole"`
	Days      audit.Fact[int] `json:"days"` // the sample covers this many of the 90 days
}

// Rules is what protects the default branch.
type Rules struct {
	ForcePush      audit.Fact[bool] `json:"force_push"`      // allowed
	ReviewRequired audit.Fact[bool] `json:"review_required"` // by somebody who is not the author
	ChecksRequired audit.Fact[bool] `json:"checks_required"`
}

// Team is who holds merge rights, as counts.
type Team struct {
	Source        string             `json:"source"` // gerrit-groups, owners-file, codeowners, governance
	Members       audit.Fact[int]    `json:"members"`
	Organisations audit.Fact[[2]int] `json:"organisations"` // fewest and most organisations they can belong to
	TopOrgBP      audit.Fact[[2]int] `json:"top_org_bp"`    // share of the largest organisation: both ends
}

// Governance is what a foundation's own records say about the project. Steps show how a statement was inherited:
// project, team, foundation.
type Governance struct {
	Foundation string `json:"foundation"`
	Team       string `json:"team,omitempty"`
	Steps      []Step `json:"steps"`
	// Listed: the foundation's own list names the project. Known and false only where the list claims to be complete; the
	// foundation then lends the project nothing.
	Listed        audit.Fact[bool]          `json:"listed,omitzero"`
	Leadership    audit.Fact[string]        `json:"leadership"`          // elected, appointed, distributed, committee
	Vacancies     audit.Fact[[]string]      `json:"vacancies"`           // series without an elected lead, newest last
	TermSince     audit.Fact[time.Time]     `json:"term_since,omitzero"` // day on which the term of the present leads began
	SecurityTeam  audit.Fact[bool]          `json:"security_team"`       // a central vulnerability team covers it, or a liaison is named
	Inactive      audit.Fact[bool]          `json:"inactive"`            // marked inactive by the foundation
	Level         audit.Fact[string]        `json:"level"`               // sandbox, incubating, graduated, archived, top-level, official, ...
	LevelSince    audit.Fact[time.Time]     `json:"level_since"`         // of Level
	Levels        audit.Fact[[]LevelChange] `json:"levels"`              // all dated steps on the foundation's ladder, oldest first
	CodeOfConduct audit.Fact[string]        `json:"code_of_conduct"`     // address; of the project, its team or its foundation
	Elections     audit.Fact[string]        `json:"elections"`           // address of the rules or records
	Channels      audit.Fact[string]        `json:"channels,omitzero"`   // address of public channels with an archive, on which all projects decide
	Charter       audit.Fact[string]        `json:"charter"`             // address of the governance document
	LastAudit     audit.Fact[time.Time]     `json:"last_audit"`          // newest third-party security audit that the foundation lists
	Deliverable   audit.Fact[string]        `json:"deliverable"`         // under which the project is released
}

// Step is one hop of an inheritance.
type Step struct {
	What   string       `json:"what"` // project, deliverable, team, foundation
	Name   string       `json:"name"`
	Origin audit.Origin `json:"origin,omitzero"`
}

// LevelChange is one step on a foundation's ladder.
type LevelChange struct {
	Level string    `json:"level"`
	At    time.Time `json:"at"`
}

// Checks is what OpenSSF Scorecard says, run on our own clone and forge facts. A check that lacked a fact is listed in
// Skipped with what it lacked, and has no score.
type Checks struct {
	Version string            `json:"version"` // of the library
	Commit  string            `json:"commit"`
	Results []Check           `json:"results"`           // sorted by name
	Skipped map[string]string `json:"skipped,omitempty"` // check to reason
}

// DoesNotApply begins the reason of a skipped check that has nothing to look at, which is neither good nor bad.
const DoesNotApply = "does not apply: "

// Check is one result of Scorecard.
type Check struct {
	Name     string    `json:"name"`
	Score    int       `json:"score"` // 0..10; inconclusive checks are skipped, never -1
	Reason   string    `json:"reason"`
	Findings []Finding `json:"findings,omitempty"` // of the probes, negative ones first, at most 20
}

// Finding is what one probe saw.
type Finding struct {
	Probe   string `json:"probe"`
	Outcome string `json:"outcome"`
	Path    string `json:"path,omitempty"`
	Line    int    `json:"line,omitempty"`
}

// Advisories is what is published about vulnerabilities of the project.
type Advisories struct {
	Feed         string          `json:"feed"` // osv, ghsa, ossa
	Published24m int             `json:"published_24m"`
	Newest       time.Time       `json:"newest,omitzero"`
	MedianDays   audit.Fact[int] `json:"median_days"` // from publication to the fixed tag; fixes before publication count 0
	// Deployed holds, by version, the advisories that certainly apply to it; a version with an empty list was compared with
	// all advisories, one without entry was not compared.
	Deployed map[string][]Advisory `json:"deployed,omitempty"`
	// Unclear holds, by version, the advisories of which nobody can tell whether they apply to it.
	Unclear map[string][]Advisory `json:"unclear,omitempty"`
	// Cut counts, by version, the advisories that Deployed and Unclear leave out because they are too many; those that count
	// most are there.
	Cut map[string]int `json:"cut,omitempty"`
	// FixDays are the days that MedianDays is the median of, sorted; FixUnknown counts the advisories of 24 months whose fixed
	// tag is not known. With FixUnknown above 0 MedianDays is not known, but it has bounds.
	FixDays    []int `json:"fix_days,omitempty"`
	FixUnknown int   `json:"fix_unknown,omitempty"`
	// Gaps say what else would have to be read before an empty list means that there is no advisory.
	Gaps []string `json:"gaps,omitempty"`
}

// Advisory is a known vulnerability that a deployed version has.
type Advisory struct {
	ID        string    `json:"id"`
	Severity  string    `json:"severity"` // critical, high, medium, low, unknown
	Published time.Time `json:"published"`
	Fixed     string    `json:"fixed,omitempty"` // first version with the fix
	Why       string    `json:"why,omitempty"`   // of unclear ones: why nobody can tell
}

// Badge is a level of the OpenSSF Best Practices programme.
type Badge struct {
	Level   string `json:"level"` // in_progress, passing, silver, gold; baseline-1..3
	Percent int    `json:"percent"`
	// Baseline is the highest level of the OSPS Baseline that is fulfilled, 1 to 3; 0: none.
	Baseline int       `json:"baseline,omitempty"`
	Updated  time.Time `json:"updated,omitzero"`
	Project  int       `json:"project"` // number on bestpractices.dev; 0: looked for, not there
}

// Cycles are the release cycles of a project with their ends.
type Cycles struct {
	Source string  `json:"source"` // whose data: the project's own, endoflife.date, or policy text and tags
	Cycles []Cycle `json:"cycles"` // newest first
}

// Cycle is one line of releases. Two sources may differ: the end of maintenance lies between EndLow and EndHigh.
type Cycle struct {
	Name     string    `json:"name"`   // 2025.1, 19 (squid), 1.34
	Prefix   string    `json:"prefix"` // versions that begin so belong to it: "19.2", "1.34"
	Released time.Time `json:"released,omitzero"`
	EndLow   time.Time `json:"end_low,omitzero"`  // earliest stated end, the last day of maintenance
	EndHigh  time.Time `json:"end_high,omitzero"` // latest stated end; zero beside EndLow: nobody states one
	Ended    bool      `json:"ended"`             // stated without a date
	Status   string    `json:"status,omitempty"`  // development, maintained, extended, unmaintained, end of life
	Latest   string    `json:"latest,omitempty"`
	LTS      bool      `json:"lts,omitempty"`
	// Estimate: the end is a plan that its authors move. One that has passed ends nothing.
	Estimate bool   `json:"estimate,omitempty"`
	Source   string `json:"source,omitempty"` // who states its end; empty: Cycles.Source
}

// Packaging is where distributions ship the project (Repology).
type Packaging struct {
	Families int    `json:"families"` // distribution families with any version
	Current  int    `json:"current"`  // families with the newest
	Newest   string `json:"newest,omitempty"`
	Project  string `json:"project"` // name there
}

// Dependents is how many packages depend on the project (deps.dev, ecosyste.ms). Count is a lower bound: indexes see public
// packages, and deps.dev those that depend on the current version.
type Dependents struct {
	Index    string `json:"index"`
	Packages int    `json:"packages"` // packages of the project that the index knows
	Count    int    `json:"count"`    // packages that depend on the one of them that has most
}

// File is one regular file of a repository at one revision.
type File struct {
	Path       string
	ID         string // object id of its contents
	Size       int64  // bytes; -1 if a partial clone does not know it
	Executable bool
}

// Commit is one commit as collectors hand it to each other in memory. It names people and is never stored.
type Commit struct {
	ID          string
	Committed   time.Time
	Message     string
	Author      string // address in lower case, mailmap applied
	Committer   string
	AuthorIsBot bool
	Reviewed    bool // evidence in git that somebody else reviewed it
	Merge       bool
}
