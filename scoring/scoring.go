// Package scoring judges upstream projects: it declares what a project is, what evidence about it looks like, and the
// interval arithmetic that turns measurements into aspect scores. Collectors live in its children and talk to the world;
// everything in this package and in scoring/indicator is pure.
package scoring

import (
	"context"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Project is an upstream project as the deployed stack uses it.
type Project struct {
	ID         string   `json:"id"`   // catalogue id, or the repository's address if the catalogue does not know it
	Name       string   `json:"name"` // display name
	Repo       string   `json:"repo"` // authoritative repository
	Mirror     string   `json:"mirror,omitempty"`
	Role       string   `json:"role"` // platform or building-block (design section 9)
	Tiers      []string `json:"tiers,omitempty"`
	Area       string   `json:"area,omitempty"`
	Foundation string   `json:"foundation,omitempty"` // hosting foundation by catalogue; "none" if known to have none
	Versions   []string `json:"versions,omitempty"`   // deployed upstream versions, sorted
	Links      []Link   `json:"links,omitempty"`      // why the stack's parts lead here
	Model      string   `json:"model,omitempty"`      // who runs it by the catalogue: community, vendor (Example GmbH), ...
	// Registry names the foundation's records of the project: team in OpenStack's projects.yaml, name in the CNCF landscape.
	Registry string   `json:"registry,omitempty"`
	Packages []string `json:"packages,omitempty"` // package URLs without version that indexes know the project by
	// Places are the addresses of further repositories in which the project keeps its rules and plans, by the catalogue:
	// proposals, governance, maintainers. See Evidence.Places.
	Places []string `json:"places,omitempty"`
	// Profile names the profile that judges it (service if empty), and ProfileReason why the catalogue chose another.
	Profile       string `json:"profile,omitempty"`
	ProfileReason string `json:"profile_reason,omitempty"`
	// Alternatives are open source that can take its place by the catalogue, and Standards the interfaces it offers. Known and
	// empty: somebody looked and found none. Unknown: the catalogue does not know the project, or says nothing.
	Alternatives audit.Fact[[]Alternative] `json:"alternatives,omitzero"`
	Standards    audit.Fact[[]Standard]    `json:"standards,omitzero"`
	// Editions are the editions that the catalogue tells apart; unknown where it tells none apart.
	Editions audit.Fact[[]Edition] `json:"editions,omitzero"`
	// Expected are the rows of the catalogue about the licence that hold at each deployed version, all editions; "" stands for
	// all versions. A version of which the catalogue cannot tell, or not for sure, has no entry. It never stands in for a
	// licence that was read.
	Expected audit.Fact[map[string][]Edition] `json:"expected,omitzero"`
	// Deployed is what only the stack shows, filled from the bundle; unknown for a project scored outside a stack.
	Deployed audit.Fact[Deployed] `json:"deployed,omitzero"`
	// Mitigations are what the operator declares to lessen the risks of the project (stack.yaml).
	Mitigations []Mitigation `json:"mitigations,omitempty"`
}

// Alternative is open source that can take the place of a project because it speaks the same standards.
type Alternative struct {
	Name      string   `json:"name"`
	Repo      string   `json:"repo,omitempty"`
	Licence   string   `json:"licence,omitempty"`
	Standards []string `json:"standards"` // ids that both speak
	Source    string   `json:"source,omitempty"`
}

// Standard is an interface or format that a project offers.
type Standard struct {
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"`
	Source string `json:"source,omitempty"`
}

// Edition is a form in which the rights holder gives out a project, with the licence of what he gives out.
type Edition struct {
	Name     string   `json:"name"`
	Licence  string   `json:"licence"`            // SPDX expression
	Open     bool     `json:"open"`               // approved by the OSI
	Versions string   `json:"versions"`           // "*", or bounds joined by commas
	Deployed []string `json:"deployed,omitempty"` // versions of the project that Versions covers
	Source   string   `json:"source"`
}

// Holds reports whether the edition exists at a deployed version; "" stands for the evaluated revision, of which only an
// edition of all versions is known to exist.
func (e Edition) Holds(version string) bool {
	return e.Versions == "*" || version != "" && slices.Contains(e.Deployed, version)
}

// Deployed is what the deployed stack says about one of its projects.
type Deployed struct {
	// Dependants are the ids of other projects of the stack that depend on it by the dependency graphs of the SBOMs, sorted;
	// Radius counts the deployed components that would be hit, itself included.
	Dependants []string `json:"dependants,omitempty"`
	Radius     int      `json:"radius"`
	// Closed are the package URLs of runtime dependencies under a restricted licence, at most 20; Unread counts those whose
	// licence is not known, and Dependencies all.
	Closed       []string `json:"closed,omitempty"`
	Unread       int      `json:"unread"`
	Dependencies int      `json:"dependencies"`
}

// Link says by which rule a deployed part was led to a project.
type Link struct {
	Subject    string       `json:"subject"`    // artifact id or purl
	Rule       string       `json:"rule"`       // a rule of scoring/upstream: image, chart, package, purl, assign, table, homepage, ...
	Confidence string       `json:"confidence"` // high, medium, low
	Origin     audit.Origin `json:"origin,omitzero"`
	Repo       string       `json:"repo,omitempty"` // repository that the rule names; empty: that of the project
	Path       string       `json:"path,omitempty"` // folder in it, where several parts come from one repository
	// Steps show how the address that was read became Repo: moved, mirror.
	Steps []Step `json:"steps,omitempty"`
	// Rivals are what other rules say of the same part where they name another repository, the strongest first. They lost.
	Rivals []Link `json:"rivals,omitempty"`
}

// Collector gathers evidence about a project from one kind of place. Known is what the collectors before it found; it
// returns that with its own facts added and changes no others. It fails only if it cannot go on at all, that is if the
// context ended; a fact that could not be read is a Fact with its reason, and what a place does not tell stays unknown.
type Collector interface {
	Name() string
	Collect(ctx context.Context, p Project, known Evidence) (Evidence, error)
}

// EvidenceSchema names the JSON form of Evidence.
const EvidenceSchema = "pegel/project-evidence/v1"

// Evidence is all that is known about one upstream project at one revision. It holds no e-mail address, no name and no
// login: authors are numbers by first appearance, organisations are names.
type Evidence struct {
	Schema     string    `json:"schema"`
	Project    string    `json:"project"`     // Project.ID
	Repo       string    `json:"repo"`        // address the evidence is about; never a path of this machine
	Revision   string    `json:"revision"`    // commit the tree was read at; empty if nothing was read
	RevisionAt time.Time `json:"revision_at"` // its committer time, UTC
	AssessedAt time.Time `json:"assessed_at"` // windows count back from here, UTC
	// SeenUntil is until when the clone can speak, at most AssessedAt: the moment it was fetched, or the newest commit of its
	// default branch where that is not known. What happened later was not seen.
	SeenUntil time.Time `json:"seen_until,omitzero"`
	Failure   string    `json:"failure,omitempty"`   // why nothing at all could be read
	NotAsked  bool      `json:"not_asked,omitempty"` // nothing was read because the run was not allowed to ask: nobody looked
	Settle    string    `json:"settle,omitempty"`    // what would settle it

	// Steps lead from the address of the project to Repo where that is another one: what was read at first said that it is a
	// mirror, or that changes are reviewed elsewhere. The evidence is about Repo alone.
	Steps []Step `json:"steps,omitempty"`
	// MirrorOf is the true home of a mirror that could not be left: the home could not be read, and the evidence is about the
	// mirror. Unknown where Repo is the home, as far as is known.
	MirrorOf audit.Fact[string] `json:"mirror_of,omitzero"`

	// Places are further repositories of the project: those that the catalogue names, and those of the same owner that the
	// README names and whose name says that they hold rules or plans (community, governance, enhancements, *-specs, ...). What
	// is written down there counts as written down by the project.
	Places []Place `json:"places,omitempty"`

	History  audit.Fact[History]  `json:"history"`
	Releases audit.Fact[Releases] `json:"releases"`
	Tree     audit.Fact[Tree]     `json:"tree"`
	// Licences of the deployed versions, by version; the key "" is the evaluated revision.
	Licences map[string]audit.Fact[LicenceFacts] `json:"licences,omitempty"`
	// Versions says what the file names at the tags of the deployed versions show, by version.
	Versions map[string]audit.Fact[TreeAt] `json:"versions,omitempty"`
	// LicenceHistory lists the licence set of the root licence files after each change in the last five years, oldest
	// first; the first entry is the state five years before AssessedAt.
	LicenceHistory audit.Fact[[]LicenceState] `json:"licence_history"`

	Home       audit.Fact[Home]       `json:"home,omitzero"`       // forge
	Changes    audit.Fact[Changes]    `json:"changes,omitzero"`    // forge
	Issues     audit.Fact[Issues]     `json:"issues,omitzero"`     // forge
	Runs       audit.Fact[Runs]       `json:"runs,omitzero"`       // forge
	Rules      audit.Fact[Rules]      `json:"rules,omitzero"`      // forge
	Team       audit.Fact[Team]       `json:"team,omitzero"`       // forge, or a maintainers file
	Governance audit.Fact[Governance] `json:"governance,omitzero"` // foundation
	Checks     audit.Fact[Checks]     `json:"checks,omitzero"`     // openssf
	Scorecard  audit.Fact[Checks]     `json:"scorecard,omitzero"`  // thirdparty: precomputed by the OpenSSF, a cross-check only
	Cycles     audit.Fact[Cycles]     `json:"cycles,omitzero"`     // lifecycle
	Advisories audit.Fact[Advisories] `json:"advisories,omitzero"` // thirdparty
	Badge      audit.Fact[Badge]      `json:"badge,omitzero"`      // thirdparty
	Packaging  audit.Fact[Packaging]  `json:"packaging,omitzero"`  // thirdparty
	Dependents audit.Fact[Dependents] `json:"dependents,omitzero"` // thirdparty

	// Shared is what the project has in common with the others that were collected in the same run, as counts.
	Shared audit.Fact[Shared] `json:"shared,omitzero"`
	// Statements are what the project, the catalogue's correction files or the operator say about single indicators. They are
	// shown beside what was measured and answer only questions that nothing but a statement can answer.
	Statements []Statement `json:"statements,omitempty"`

	// Taken says which facts come from a bundle that somebody else recorded, by the name of their collector.
	Taken map[string]Taken `json:"taken,omitempty"`
}

// Place is another repository in which a project keeps its rules and plans, as of AssessedAt.
type Place struct {
	Repo       string           `json:"repo"`  // address; never a path of this machine
	Named      string           `json:"named"` // by whom: catalogue or readme
	Revision   string           `json:"revision,omitempty"`
	RevisionAt time.Time        `json:"revision_at,omitzero"`
	Tree       audit.Fact[Tree] `json:"tree"` // documents, proposals and roadmap only; what belongs to code is left out
}

// PlaceTopics are the topics of Tree.Documents and Tree.Tools that a Place speaks for.
var PlaceTopics = []string{
	"governance", "maintainers", "code-of-conduct", "contributing", "security", "roadmap", "adopters", "trademark", "cla", "dco",
	"funding", "deprecation", "maintenance-policy", "secure-coding", "proposals",
}

// Taken names the recording that facts were taken from.
type Taken struct {
	Bundle     audit.Digest `json:"bundle"`           // identity of the recording
	Signer     string       `json:"signer,omitempty"` // who signed it; empty: it is not signed
	RecordedAt time.Time    `json:"recorded_at"`      // assessed_at of the recording
}

// Fresh returns the evidence as it counts at a moment: facts whose lifetime is over are not known any more.
func (e Evidence) Fresh(at time.Time) Evidence {
	e.MirrorOf = e.MirrorOf.Fresh(at)
	e.History, e.Releases, e.Tree, e.LicenceHistory = e.History.Fresh(at), e.Releases.Fresh(at), e.Tree.Fresh(at), e.LicenceHistory.Fresh(at)
	if e.Licences != nil {
		fresh := make(map[string]audit.Fact[LicenceFacts], len(e.Licences))
		for version, f := range e.Licences {
			fresh[version] = f.Fresh(at)
		}
		e.Licences = fresh
	}
	if e.Versions != nil {
		fresh := make(map[string]audit.Fact[TreeAt], len(e.Versions))
		for version, f := range e.Versions {
			fresh[version] = f.Fresh(at)
		}
		e.Versions = fresh
	}
	if e.Places != nil {
		fresh := slices.Clone(e.Places)
		for i := range fresh {
			fresh[i].Tree = fresh[i].Tree.Fresh(at)
		}
		e.Places = fresh
	}
	e.Home, e.Changes, e.Issues, e.Runs = e.Home.Fresh(at), e.Changes.Fresh(at), e.Issues.Fresh(at), e.Runs.Fresh(at)
	e.Rules, e.Team, e.Governance, e.Checks = e.Rules.Fresh(at), e.Team.Fresh(at), e.Governance.Fresh(at), e.Checks.Fresh(at)
	e.Scorecard, e.Cycles, e.Advisories, e.Badge = e.Scorecard.Fresh(at), over(e.Cycles, at), e.Advisories.Fresh(at), e.Badge.Fresh(at)
	e.Packaging, e.Dependents = e.Packaging.Fresh(at), e.Dependents.Fresh(at)
	e.Shared = e.Shared.Fresh(at)
	return e
}

// Window holds counts over one period that ends at AssessedAt. Commits are non-merge commits by committer time.
type Window struct {
	Months       int `json:"months"` // 3, 6, 12 or 24; a month is 365/12 days, 12 months are 365 days exactly
	Commits      int `json:"commits"`
	HumanCommits int `json:"human_commits"` // without bots, matched on author name and address only
	Merges       int `json:"merges"`        // merge commits
	Authors      int `json:"authors"`       // distinct human authors
	Committers   int `json:"committers"`    // distinct human committers of changes by somebody else, or of merges
	SignedOff    int `json:"signed_off"`    // human commits with a Signed-off-by trailer
	// Reviewed counts human commits with evidence of a review by somebody else: a Reviewed-by or Acked-by trailer, or a vote
	// in refs/notes/review. Where the tree has a .gitreview file and at least 80 % of the human commits of 24 months carry a
	// Change-Id, each commit with one counts too: Gerrit submits only changes that were voted on.
	Reviewed    int `json:"reviewed"`
	ChangeID    int `json:"change_id"`    // human commits with a Change-Id trailer (Gerrit)
	PullRequest int `json:"pull_request"` // human commits that came by a pull or merge request: shows a request, not a review
	Reverts     int `json:"reverts"`
	// AIAssisted counts human commits that say so: Assisted-By or Generated-By trailers, or a Co-authored-by trailer that
	// names an assistant (a list in scoring/gitlog).
	AIAssisted int   `json:"ai_assisted"`
	Forms      Forms `json:"forms,omitzero"` // what the reviews and requests were seen by

	BusFactor50        int    `json:"bus_factor_50"`     // fewest authors with at least half of the human commits; 0 without commits
	TopAuthorBP        int    `json:"top_author_bp"`     // share of the most active author
	ActiveMonths       int    `json:"active_months"`     // months (of Months) with human commits
	OffsetBands        int    `json:"offset_bands"`      // distinct bands of UTC offsets at least 4 h apart
	TopOrg             string `json:"top_org,omitempty"` // organisation with most known commits; empty if none is known
	TopOrgLowBP        int    `json:"top_org_low_bp"`    // share of the top organisation if no unknown author belongs to it
	TopOrgHighBP       int    `json:"top_org_high_bp"`   // the same if all of them do
	TopTwoLowBP        int    `json:"top_two_low_bp"`
	TopTwoHighBP       int    `json:"top_two_high_bp"`
	ElephantLow        int    `json:"elephant_low"`         // fewest organisations with half of the human commits, all unknown authors with the top one
	ElephantHigh       int    `json:"elephant_high"`        // the same, every unknown author an organisation of its own
	UnknownOrgBP       int    `json:"unknown_org_bp"`       // share of human commits by authors of unknown organisation
	OutsideAuthorsLow  int    `json:"outside_authors_low"`  // authors known to be outside the top organisation
	OutsideAuthorsHigh int    `json:"outside_authors_high"` // plus the unknown ones

	TopOrgCommits  int   `json:"top_org_commits,omitempty"` // human commits known to be of the top organisation
	TopTwoCommits  int   `json:"top_two_commits,omitempty"` // and of the second
	UnknownCommits int   `json:"unknown_commits,omitempty"` // human commits of which nobody knows for whom they were written
	UnknownAuthors []int `json:"unknown_authors,omitempty"` // of these, commits of each author, largest first, at most 20
	UnknownRest    int   `json:"unknown_rest,omitempty"`    // number of further authors with such commits
}

// Forms counts the human commits of a window by the traces that forges, review systems and mailing lists leave in git. A
// commit may have several. A trace of a request is no review; only names other than the author's count as reviewers.
type Forms struct {
	PullRequest  int `json:"pull_request,omitempty"`  // GitHub, Gitea, Bitbucket: (#n) in the subject, or by a merge that names one
	MergeRequest int `json:"merge_request,omitempty"` // GitLab: (!n), or by a merge that says "See merge request"
	Gerrit       int `json:"gerrit,omitempty"`        // Change-Id
	Mail         int `json:"mail,omitempty"`          // Link, Message-Id, Submitted-at or Patchwork trailer with the address of a message
	ReviewedBy   int `json:"reviewed_by,omitempty"`
	AckedBy      int `json:"acked_by,omitempty"`
	TestedBy     int `json:"tested_by,omitempty"`
	Note         int `json:"note,omitempty"`       // a vote in refs/notes/review, where no trailer shows a review
	Applied      int `json:"applied,omitempty"`    // the committer is another human than the author
	DependsOn    int `json:"depends_on,omitempty"` // Depends-On: tested together with a change elsewhere
}

// History is what the commit log says.
type History struct {
	FirstCommit     time.Time `json:"first_commit"`
	LastCommit      time.Time `json:"last_commit"`
	LastHumanCommit time.Time `json:"last_human_commit"` // non-merge
	CommitsEver     int       `json:"commits_ever"`
	AuthorsEver     int       `json:"authors_ever"`
	RootCommits     int       `json:"root_commits"`
	Windows         []Window  `json:"windows"`          // 3, 6, 12, 24 months, in this order
	Human90d        int       `json:"human_90d"`        // human commits in the last 90 days
	Newcomers12m    int       `json:"newcomers_12m"`    // people whose first commit ever is in the last 12 months
	AuthorsYear2    int       `json:"authors_year_2"`   // authors of months 13-24
	Retained        int       `json:"retained_authors"` // of these, authors of months 1-12 too
	// Quarters are the last 12 quarters counted back from AssessedAt, oldest first: distinct human authors and commits.
	Quarters []Quarter `json:"quarters"`
	// Past holds what a window of 12 months would have shown at the ends of the same quarters, oldest first; the last entry
	// is the window of 12 months that ends at AssessedAt.
	Past    []Past `json:"past,omitempty"`
	Shallow bool   `json:"shallow"` // the clone does not reach back to the root
	// CodeDrop says how the changed lines of 12 months are spread over commits. It needs the contents of files, and stays
	// unknown where only a partial clone was at hand.
	CodeDrop audit.Fact[CodeDrop] `json:"code_drop,omitzero"`
	// Affiliations says who told for whom the authors work; nil in evidence that was recorded before this was kept.
	Affiliations *Affiliations `json:"affiliations,omitempty"`
}

// Quarter is one of the last 12 quarters, each 365/4 days long, that end at AssessedAt.
type Quarter struct {
	End     time.Time `json:"end"`
	Authors int       `json:"authors"`
	Commits int       `json:"commits"`
	// Organisations with three human authors or more, and how many; Few are those with one or two. Authors of unknown
	// organisation are in neither. At most 20 of each are named, those with most authors; Named counts all.
	Organisations map[string]int `json:"organisations,omitempty"`
	Few           []string       `json:"few,omitempty"` // sorted
	Named         int            `json:"named,omitempty"`
}

// Past is the window of 12 months that ended at the end of a quarter, in the words of Window and History.
type Past struct {
	End          time.Time `json:"end"`
	Commits      int       `json:"commits"`
	HumanCommits int       `json:"human_commits"`
	Authors      int       `json:"authors"`
	Reviewed     int       `json:"reviewed"`
	Reverts      int       `json:"reverts"`
	BusFactor50  int       `json:"bus_factor_50"`
	TopAuthorBP  int       `json:"top_author_bp"`
	TopOrgLowBP  int       `json:"top_org_low_bp"`
	TopOrgHighBP int       `json:"top_org_high_bp"`
	ElephantLow  int       `json:"elephant_low"`
	ElephantHigh int       `json:"elephant_high"`
	Newcomers    int       `json:"newcomers"` // people whose first commit ever was in these 12 months
	AuthorsYear2 int       `json:"authors_year_2"`
	Retained     int       `json:"retained_authors"`
}

// CodeDrop is how much of the work of 12 months came in few commits (indicator OV-01).
type CodeDrop struct {
	Commits    int   `json:"commits"`      // non-merge commits with changed lines
	Lines      int64 `json:"lines"`        // added and removed in source files that are not vendored; files of more than 1 MB and exact renames not counted
	TopThreeBP int   `json:"top_three_bp"` // share of the three largest commits in the lines
}

// Window returns the window of that many months; ok is false if it was not recorded.
func (h History) Window(months int) (w Window, ok bool) {
	for _, w := range h.Windows {
		if w.Months == months {
			return w, true
		}
	}
	return Window{}, false
}

// Releases is what tags and branches say. A release is a commit with a version tag that is no pre-release and no
// end-of-life marker; twin tags of one commit count once.
type Releases struct {
	Releases24m    int       `json:"releases_24m"`
	LastRelease    time.Time `json:"last_release,omitzero"`
	LastVersion    string    `json:"last_version,omitempty"`
	Signed24m      int       `json:"signed_24m"`                // releases of 24 months whose tag is annotated and carries a signature (not verified)
	Annotated24m   int       `json:"annotated_24m,omitempty"`   // releases of 24 months whose tags are annotated and not signed
	Lightweight24m int       `json:"lightweight_24m,omitempty"` // the rest: tags that are only names
	Tags           TagCounts `json:"tags,omitzero"`             // of all time
	// Past counts the releases of the 12 months before the end of each of the last 12 quarters, oldest first, like
	// History.Past.
	Past           []int    `json:"past,omitempty"`
	EOLTags        []string `json:"eol_tags,omitempty"`        // -eol, -eom, -em tags, newest 20
	Ends           []EndTag `json:"ends,omitempty"`            // the same with kind and time
	StableBranches []Branch `json:"stable_branches,omitempty"` // release branches other than the default branch
	// TagOf maps each deployed version to the tag that was found for it; a version without entry has none.
	TagOf map[string]Tag `json:"tag_of,omitempty"`
}

// TagCounts tells tags apart by what their names say and how they were made.
type TagCounts struct {
	Releases    int `json:"releases"`              // commits with a release tag
	Twins       int `json:"twins,omitempty"`       // further release tags on the same commits
	Prereleases int `json:"prereleases,omitempty"` // -rc, -beta and the like
	EOL         int `json:"eol,omitempty"`         // end of life
	EOM         int `json:"eom,omitempty"`         // end of maintenance
	EM          int `json:"em,omitempty"`          // begin of extended maintenance
	Other       int `json:"other,omitempty"`       // names no version
	Signed      int `json:"signed,omitempty"`      // release tags: annotated with a signature
	Annotated   int `json:"annotated,omitempty"`   // release tags: annotated without
	Lightweight int `json:"lightweight,omitempty"` // release tags: a name only
}

// EndTag is a tag that marks the end of a line of releases.
type EndTag struct {
	Name string    `json:"name"`
	Kind string    `json:"kind"` // eol, eom or em
	At   time.Time `json:"at"`
}

// Branch is a release branch and its newest commit.
type Branch struct {
	Name string    `json:"name"`
	Last time.Time `json:"last"`
}

// Tag is a version tag and the commit it names.
type Tag struct {
	Name   string    `json:"name"`
	Commit string    `json:"commit"`
	At     time.Time `json:"at"`
}

// Tree is what the files at the evaluated revision say. Paths are relative to the root of the repository.
type Tree struct {
	Files       int             `json:"files"`
	SourceFiles int             `json:"source_files"`
	TestFiles   int             `json:"test_files"`
	SPDXHeaders audit.Fact[int] `json:"spdx_headers"` // source files with an SPDX-License-Identifier line
	// LicenceNotices are source files whose head says their licence: by an SPDX line, or by the opening words of a well-known
	// notice. Evidence of before 26 November 2026 does not have it.
	LicenceNotices audit.Fact[int] `json:"licence_notices,omitzero"`
	REUSE          bool            `json:"reuse"`                   // REUSE.toml or .reuse/dep5 covers the tree
	Prose          audit.Fact[int] `json:"prose,omitzero"`          // documents read for editions; what they showed is the topic editions
	LicenceFiles   []Document      `json:"licence_files,omitempty"` // at the root, or below LICENSES/
	SubLicences    []SubLicence    `json:"sub_licences,omitempty"`  // licence files elsewhere in the tree
	// Documents by topic; a topic without entry was searched for in the whole tree and not found. Topics: governance,
	// maintainers, code-of-conduct, contributing, security, roadmap, changelog, adopters, notice, trademark, patents,
	// cla, dco, funding, sbom, deprecation, maintenance-policy, secure-coding, editions (README and documentation that speak of
	// editions; marks kind:line, kinds as in scoring/gitlog).
	Documents map[string][]Document `json:"documents,omitempty"`
	// Tools by topic, as paths of configuration files. Topics: ci, gate, sast, dependency-update, fuzzing, mirror
	// (.gitreview), conformance, proposals (directories), cla-bot and dco-bot (what asks contributors for a signature).
	Tools               map[string][]Document `json:"tools,omitempty"`
	ProposalsChanged12m audit.Fact[int]       `json:"proposals_changed_12m"` // proposal files changed in 12 months
	// ProposalsReviewed12m counts those of them of which every change of the 12 months was reviewed by the traces in git (the
	// rules of Window.Reviewed).
	ProposalsReviewed12m audit.Fact[int]       `json:"proposals_reviewed_12m,omitzero"`
	RoadmapChanged       audit.Fact[time.Time] `json:"roadmap_changed"`    // last change of a roadmap file
	Binaries             []string              `json:"binaries,omitempty"` // executable or library files in the tree, at most 50
	BinaryCount          int                   `json:"binary_count"`
	GerritProject        string                `json:"gerrit_project,omitempty"` // host/project from .gitreview
	ReadmeLinks          []string              `json:"readme_links,omitempty"`   // hosts that the README names, where more may be found
	// ReadmePages are pages on them whose address speaks of something that is asked for, such as security or a roadmap: host
	// and path, sorted, at most 30.
	ReadmePages []string `json:"readme_pages,omitempty"`
	// ReadmeRepos are addresses in the README that look like other repositories of the same owner, at most 20, sorted.
	ReadmeRepos []string `json:"readme_repos,omitempty"`
}

// TreeAt is what the names of the files show at the tag of a deployed version, in the words of Tree.
type TreeAt struct {
	Tag         string `json:"tag"`
	Commit      string `json:"commit"`
	Files       int    `json:"files"`
	SourceFiles int    `json:"source_files"`
	TestFiles   int    `json:"test_files"`
	REUSE       bool   `json:"reuse,omitempty"`
	// Documents and Tools give for each topic the file or directory that a reader would look at first.
	Documents map[string]string `json:"documents,omitempty"`
	Tools     map[string]string `json:"tools,omitempty"`
}

// Document is a file that bears evidence. Only facts about it are kept, never its text.
type Document struct {
	Path string `json:"path"`
	// Repo and Commit say where a document of another repository stands (see Place); empty: at the evaluated revision.
	Repo   string       `json:"repo,omitempty"`
	Commit string       `json:"commit,omitempty"`
	Digest audit.Digest `json:"digest,omitempty"` // of the contents, if they were read
	Words  int          `json:"words,omitempty"`  // number of words, if the contents were read
	// Marks are features found in the text, e.g. "private-channel", "days:90", "bandit". Indicators read private-channel
	// and days:N (security), cla, dco and link (contributing), assignment (cla: copyright is assigned), organisations:N
	// (adopters: number of organisations named) and sponsors:N (funding).
	Marks []string `json:"marks,omitempty"`
}

// SubLicence is a licence file below the root, the licence of another edition, or a source file whose header names a licence
// that is not open or not known (mark header). The mark end-user-agreement says that the text is an agreement with end users.
type SubLicence struct {
	Document
	Expression string `json:"expression,omitempty"` // SPDX; empty if the text was not recognised
	Vendored   bool   `json:"vendored"`             // below vendor, third_party, node_modules, docs, tests or the like
	Product    bool   `json:"product"`              // below ee/, enterprise/, pro/ or the like
}

// LicenceFacts is what the root licence files say at one revision.
type LicenceFacts struct {
	Version    string     `json:"version,omitempty"` // deployed version; empty for the evaluated revision
	Commit     string     `json:"commit"`
	Expression string     `json:"expression,omitempty"` // SPDX; all recognised texts joined by AND, or by the README's choice; empty if none was recognised
	Files      []Document `json:"files"`
	// Parts are the licence files below the root at this revision, like Tree.SubLicences; known and empty: there are none.
	Parts audit.Fact[[]SubLicence] `json:"parts,omitzero"`
}

// LicenceState is the licence set from one moment on.
type LicenceState struct {
	From       time.Time `json:"from"`
	Commit     string    `json:"commit"`
	Expression string    `json:"expression,omitempty"` // empty if not recognised
}

// Measurement is the answer of one indicator about one project.
type Measurement struct {
	Indicator string         `json:"indicator"`
	Aspect    string         `json:"aspect"`
	Outcome   audit.Outcome  `json:"outcome"`
	Interval  audit.Interval `json:"interval"`        // NA: the zero value, not counted
	Value     string         `json:"value,omitempty"` // as shown to people, e.g. "13", "0.42..0.61"
	Unit      string         `json:"unit,omitempty"`
	Reason    string         `json:"reason"`
	Settle    []string       `json:"settle,omitempty"`
	From      string         `json:"from,omitempty"` // of an answer that is not known: the cheapest place that could tell (Sources)
	Origins   []audit.Origin `json:"origins,omitempty"`
	Weight    int            `json:"weight"`
	KnockOut  bool           `json:"knock_out,omitempty"` // the rule is a knock-out and the outcome is FAIL
	Grade     audit.Grade    `json:"grade,omitempty"`     // of the worst fact that the answer rests on
	Declared  bool           `json:"declared,omitempty"`  // the answer is a statement, not a measurement
}

// AspectScore is the score of one aspect of one project.
type AspectScore struct {
	Aspect   string         `json:"aspect"`
	Interval audit.Interval `json:"interval"`
	Coverage int            `json:"coverage"` // basis points of weight that is known; a partial interval counts by the share it excludes
	// Confidence is the share of the weight that is known from facts of grade A or B, in basis points, counted like Coverage.
	Confidence int      `json:"confidence"`
	KnockOuts  []string `json:"knock_outs,omitempty"` // indicators that knock out
	Open       []string `json:"open,omitempty"`       // knock-out indicators that may still turn out to fail
}

// ProjectScore is everything that was concluded about one project.
type ProjectScore struct {
	Project      Project       `json:"project"`
	Measurements []Measurement `json:"measurements"` // sorted by indicator id
	Aspects      []AspectScore `json:"aspects"`      // in the order of Aspects
}

// Aspects in the order of every report (scs-0008, with the Four Opens taken apart).
var Aspects = []string{"open-source", "open-community", "open-development", "open-design", "maturity", "security", "activity", "lock-in"}
