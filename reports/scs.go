package reports

import (
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// What SCS's own tooling loads, runs, verifies and stores is written by the files scs_*.go. They agree on the ids below: the
// scope file, the draft standard, the check script and the test report name the same scope and the same test cases.

// SCSScope is one certificate scope of a policy, as SCS's tooling and its standards show it.
type SCSScope struct {
	ID         string // file name without .yaml: scs-open-iaas
	Title      string // "SCS-open IaaS"
	Layer      string // "IaaS", as it stands in the title
	Policy     Policy
	Requires   SCSRequires
	Stabilized time.Time  // zero: never
	Timeline   []SCSState // newest first
	Tests      []SCSTest  // in the order in which the scope includes them
	Questions  []SCSQuestion
	Refused    []SCSRefused
}

// SCSRequires names the scope that has to be held first.
type SCSRequires struct{ ID, Name, URL string }

// SCSState is what the version is good for from a day on: effective, warn, draft or deprecated.
type SCSState struct {
	From  time.Time
	State string
}

// SCSTest is one requirement as a test case.
type SCSTest struct {
	Requirement string // id; SCSTestCase makes the id of the test case of it
	Module      string
	ModuleTitle string
	Must        bool
	ForEach     string // kind of subject
	Title       string
	Rationale   string
	Sources     []SCSSource
	Applies     string // rule
	Pass        string // rule
	Lifetime    string // how long a result counts: day, week, month, quarter, year
	DeclaredOK  bool
	Manual      bool      // no program decides it
	From        time.Time // the day from which on a failure counts; zero: always
}

// SCSSource is one place that a requirement, an answer or a refusal rests on.
type SCSSource struct {
	Document string // title
	Words    string // title and place
	Address  string
}

// SCSQuestion is an open question of policy with the answer that the proposal takes.
type SCSQuestion struct {
	Name    string
	Title   string
	On      bool
	Sources []SCSSource
}

// SCSRefused is a demand of a source that the proposal does not take up.
type SCSRefused struct {
	ID     string
	Source SCSSource
	Says   string
	Why    string
}

// SCSReference is the page that explains every requirement, scope and module under an anchor of the same id.
const SCSReference = "https://github.com/pegel-audit/pegel/blob/main/docs/policy.en.md"

// SCSScopeUUID is the id of a scope for SCS's tooling: Pegel's own, made of the ids of policy and scope, so that it stays the
// same through all versions. It is not the id of a scope of SCS, and cannot be mistaken for one.
func SCSScopeUUID(policy, scope string) string { return audit.UUID("scs-scope", policy, scope) }

// SCSScopeName says in its first word that it is a proposal.
func SCSScopeName(title string) string { return "Pegel proposal for " + title }

// SCSTestCase is the id of the test case of a requirement. scs-0003-v2 (Draft) wants the prefix scs-XXXX- with the number of a
// standard. The proposal has no number, and taking one would claim it; a prefix of its own says whose test case it is, and ids
// of SCS's own files without such a prefix (version-policy-check, cncf-k8s-conformance) show that the tooling does not ask for
// one. Ids of requirements never change their meaning, so neither do these (scs-0003-v1: "The id of a test case MUST NOT be
// changed").
func SCSTestCase(requirement string) string { return "pegel-" + requirement }

// scsURL is the permanent address of a requirement, a module or a scope.
func scsURL(id string) string { return SCSReference + "#" + id }
