package policies

import (
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Kinds of subjects that a requirement may name in for_each. The struct of each kind below is what its rules may read:
// the tag "cel" is the name in rules, the tag "enum" lists all values of an enumerated field. Of an enumerated field the
// values "" and "unknown" are never facts; the engine treats them as not known.
const (
	KindStack        = "stack"
	KindArtifact     = "artifact"
	KindProduct      = "product"
	KindPackage      = "package"
	KindProject      = "project"
	KindOperator     = "operator"
	KindPrerequisite = "prerequisite"
)

// Subject is one thing that rules judge, with the facts that are known about it.
type Subject struct {
	Ref  audit.SubjectRef
	Area string // part of the stack; scopes select by tier and area
	// Regions are the regions that it belongs to; nil: all of them share it. A subject that every region has as its own names
	// them all. Subjects of one kind and id may be several if they share no region: the facts differ from region to region.
	Regions []string
	// Shared says of a subject with regions that it comes from what all share, although its facts differ from region to region: it
	// does not show that anything of the region itself was seen.
	Shared bool
	Record any // one of the structs below, by value
	// Unknown lists the fields of Record that are not facts: nobody looked, or somebody looked in vain. Everything not
	// listed is known. A Go zero value alone never means unknown (design section 4, rule 1).
	Unknown []UnknownField
	// Settle says by field what would narrow a score that is known in part, cheapest first.
	Settle   map[string][]string
	Origins  map[string][]audit.Origin // evidence by field name; "" serves all fields
	Declared map[string]bool           // fields that only the operator's word supports
	// ObservedAt is when a fact was taken, by field, where that is another moment than Observed.
	ObservedAt map[string]time.Time
	// Until is when a fact stops to count, by field, where something else than the lifetime of its kind says so.
	Until map[string]time.Time
	// Says is a fact in words, by field: what was seen, with the numbers. It follows the reason of a finding that reads the field.
	Says map[string]string
	// Intent says that the subject was only declared to run, not seen: it can FAIL but never PASS (design section 4, rule 3).
	Intent bool
	// Observed is when the facts were taken, UTC; lifetimes count from here. The zero value: on the day of the audit.
	Observed time.Time
}

// UnknownField is one field of a subject without a value.
type UnknownField struct {
	Field  string // as in CEL, without the variable: "licence.class" is written "licenceClass"
	Looked bool   // somebody looked and could not tell (DNF); else nobody looked (MISS)
	Reason string
	Settle []string // what would settle it, cheapest first
}

// Stack is the subject of kind "stack": the stack as a whole. There is exactly one.
type Stack struct {
	Name          string `cel:"name"`
	Kind          string `cel:"kind" enum:"cloud,release"`
	Artifacts     int64  `cel:"artifacts"`     // in the selected tiers and areas
	SourcesFailed int64  `cel:"sourcesFailed"` // sources that could not be read at all or in part
	Corrections   int64  `cel:"corrections"`   // corrections in the stack file that changed what is judged and that no auditor accepted
	BOM           bool   `cel:"bom"`           // a stack BOM was written
	// Of the SBOM of the stack: it states every field that BSI TR-03183-2 requires; the share of its components that do;
	// which fields are open, for people.
	SBOMBSI   bool           `cel:"sbomBSI"`
	SBOMShare audit.Interval `cel:"sbomShare"`
	SBOMOpen  string         `cel:"sbomOpen"`
	// Names of lists that were made for another purpose (an Ansible inventory, the service catalogue) of which nothing was
	// seen. Not known where no such list was given.
	HostsMissing    int64  `cel:"hostsMissing"`
	ServicesMissing int64  `cel:"servicesMissing"`
	Missing         string `cel:"missing"` // which, for people
	// Shares of the artifacts: digest seen, contents read (of images and hosts), assigned to a tier, led to a known project.
	// What was not seen may be or not, so that each is an interval from the known share to all. Not known where there is
	// nothing to count.
	DigestShare   audit.Interval `cel:"digestShare"`
	ScannedShare  audit.Interval `cel:"scannedShare"`
	PlacedShare   audit.Interval `cel:"placedShare"`
	ResolvedShare audit.Interval `cel:"resolvedShare"`
}

// Artifact is the subject of kind "artifact": one image, host or other deployed thing.
type Artifact struct {
	Name         string `cel:"name"`
	Kind         string `cel:"kind" enum:"image,host,software,bom"`
	Reference    string `cel:"reference"`
	Version      string `cel:"version"`
	Pinned       bool   `cel:"pinned"`     // by digest, or by a tag that names one version
	Digest       bool   `cel:"digest"`     // the digest is known; of what runs, where it was seen running
	Identified   bool   `cel:"identified"` // leads to at least one known upstream project
	Seen         bool   `cel:"seen"`       // seen itself, not only declared
	BOM          bool   `cel:"bom"`        // an SBOM with its packages exists
	Packages     int64  `cel:"packages"`   // number of packages in it
	VersionKnown bool   `cel:"versionKnown"`
	AsDeclared   bool   `cel:"asDeclared"` // what runs is what was declared to run; not known where only one half was seen
	Drift        string `cel:"drift"`      // how it differs, for people
	Supported    bool   `cel:"supported"`  // its upstream maintains the version on the day of the audit
	// Of a host: repositories that it installs packages from, whose vendor nobody knows; areas of repositories that are set up
	// and hold software that is not free.
	UnknownRepositories int64 `cel:"unknownRepositories"`
	NonFreeAreas        int64 `cel:"nonFreeAreas"`
	// Of an image with an SBOM by its builder: packages that it names and that were not found inside.
	AttestedOnly int64 `cel:"attestedOnly"`
	// Of its SBOM: it states every field that BSI TR-03183-2 requires; the share of its components that do; which fields are
	// open, for people. Of an artifact that only an SBOM by others describes, of that one.
	SBOMBSI   bool           `cel:"sbomBSI"`
	SBOMShare audit.Interval `cel:"sbomShare"`
	SBOMOpen  string         `cel:"sbomOpen"`
	// The same of an SBOM by its builder that its registry holds.
	BuilderBSI   bool           `cel:"builderBSI"`
	BuilderShare audit.Interval `cel:"builderShare"`
	BuilderOpen  string         `cel:"builderOpen"`
}

// Product is the subject of kind "product": a catalogue component at the version deployed in one artifact.
type Product struct {
	Name           string `cel:"name"`
	Artifact       string `cel:"artifact"` // id
	Version        string `cel:"version"`
	Licence        string `cel:"licence"`                                                           // SPDX expression at that version and edition
	LicenceClass   string `cel:"licenceClass" enum:"osi,free-not-osi,docs-data,restricted,unknown"` // audit/licence
	LicenceChecked bool   `cel:"licenceChecked"`                                                    // read from the licence file at that version, not only expected
	Edition        string `cel:"edition"`
	OpenCore       bool   `cel:"openCore"` // the deployed edition is a vendor's build that is not the OSI version
}

// Package is the subject of kind "package": one package inside an artifact.
type Package struct {
	Name         string `cel:"name"`
	Version      string `cel:"version"`
	Type         string `cel:"type"`
	Artifact     string `cel:"artifact"`
	Licence      string `cel:"licence"`
	LicenceClass string `cel:"licenceClass" enum:"osi,free-not-osi,docs-data,restricted,unknown"` // audit/licence
	Section      string `cel:"section"`
	Identified   bool   `cel:"identified"` // has a purl
}

// Project is the subject of kind "project": an upstream project. Scores are opaque intervals: rules compare them only by
// .atLeast(n) and .atMost(n).
type Project struct {
	Name            string         `cel:"name"`
	Role            string         `cel:"role" enum:"platform,building-block"`
	KnockOut        bool           `cel:"knockOut"` // some knock-out indicator fails
	KnockOuts       []string       `cel:"knockOuts"`
	OpenSource      audit.Interval `cel:"openSource"`
	OpenCommunity   audit.Interval `cel:"openCommunity"`
	OpenDevelopment audit.Interval `cel:"openDevelopment"`
	OpenDesign      audit.Interval `cel:"openDesign"`
	Maturity        audit.Interval `cel:"maturity"`
	Security        audit.Interval `cel:"security"`
	Activity        audit.Interval `cel:"activity"`
	LockIn          audit.Interval `cel:"lockIn"`
	// LockInRisk is that of the matrix of the profile; mitigated: it is not certainly low or medium, and what makes a high one
	// bearable is there and accepted.
	LockInRisk string           `cel:"lockInRisk" enum:"low,medium,mitigated,high"`
	Coverage   map[string]int64 `cel:"coverage"`   // basis points of known weight, by aspect
	Maintained bool             `cel:"maintained"` // a human commit in the last 12 months, and not archived
}

// Operator is the subject of kind "operator": what the operator shows in public, each field the answer to
// one indicator (audit/transparency). A software release has none.
type Operator struct {
	StatusPage           bool `cel:"statusPage"`           // a public status page answers and names components
	StatusCurrent        bool `cel:"statusCurrent"`        // it is current
	IncidentHistory      bool `cel:"incidentHistory"`      // its history reaches back far enough
	IncidentDetails      bool `cel:"incidentDetails"`      // incidents have begin, end, component, updates, address
	MaintenanceAnnounced bool `cel:"maintenanceAnnounced"` // maintenance is announced in advance
	ErrorsExplained      bool `cel:"errorsExplained"`      // errors in the public monitor have an entry on the status page
	IncidentReports      bool `cel:"incidentReports"`      // incidents above a severity have a public analysis
	ReportsComplete      bool `cel:"reportsComplete"`      // analyses have the parts that they need
	ReportsTimely        bool `cel:"reportsTimely"`        // and come soon after the end
	HealthMonitor        bool `cel:"healthMonitor"`        // a public monitor shows fresh samples
	MonitorHistory       bool `cel:"monitorHistory"`       // and error rate and latency over a window
	RunbooksOpen         bool `cel:"runbooksOpen"`         // operational processes are public under an open licence
	Runbooks             bool `cel:"runbooks"`             // they cover the topics that matter
	RunbooksCurrent      bool `cel:"runbooksCurrent"`      // somebody keeps them
	NoSecrets            bool `cel:"noSecrets"`            // no secret stands in them in plain text
	ConfigurationOpen    bool `cel:"configurationOpen"`    // configuration is shown
	ConfigurationClean   bool `cel:"configurationClean"`   // without a secret in plain text
	ManifestoSigned      bool `cel:"manifestoSigned"`      // the Open Operations manifesto names the operator
	Contributes          bool `cel:"contributes"`          // its people commit to Open Operations repositories
	ContributesUpstream  bool `cel:"contributesUpstream"`  // and to deployed upstream projects
	SharesKnowledge      bool `cel:"sharesKnowledge"`      // talks, articles, meeting notes with addresses that answer
	SBOMPublished        bool `cel:"sbomPublished"`        // customers can get the SBOM
	SBOMStates           bool `cel:"sbomStates"`           // it states what BSI TR-03183-2 asks for and is not old
	SBOMMatches          bool `cel:"sbomMatches"`          // it names what is deployed
	SecurityContact      bool `cel:"securityContact"`      // valid security.txt
	SecuritySigned       bool `cel:"securitySigned"`       // signed security.txt
	Advisories           bool `cel:"advisories"`           // a list of security advisories with ids and dates
	AdvisoriesTimely     bool `cel:"advisoriesTimely"`     // known advisories were answered within the times of scs-0124
	AdvisoriesComplete   bool `cel:"advisoriesComplete"`   // the grave ones are all mentioned
	Imprint              bool `cel:"imprint"`              // it says who runs the cloud
	CertificatePage      bool `cel:"certificatePage"`      // a public certificate status page is linked (scs-0004)
	PatchesPublic        bool `cel:"patchesPublic"`        // patches carried on deployed components are all public
	PatchesLinked        bool `cel:"patchesLinked"`        // and each leads to a change or an issue of the upstream project
	IdentityFederation   bool `cel:"identityFederation"`   // users can come from another identity provider by an open protocol
	UpgradesTested       bool `cel:"upgradesTested"`       // releases and upgrades are tested before they reach customers
	SkillsBuilt          bool `cel:"skillsBuilt"`          // people who run the cloud are trained, and what they know stays in the organisation
	ExchangeChannels     bool `cel:"exchangeChannels"`     // they exchange with operators of other clouds, live and in writing
	CommunitiesConnected bool `cel:"communitiesConnected"` // a community of practice inside the organisation is connected with those outside
	Blameless            bool `cel:"blameless"`            // analyses of incidents follow a rule that blames nobody
	FeedbackWelcome      bool `cel:"feedbackWelcome"`      // published processes name a way by which the public can answer
	// NotApplicable lists the fields above whose question does not apply, such as reports where no incident was grave enough.
	NotApplicable []string `cel:"notApplicable"`
}

// Prerequisite is the subject of kind "prerequisite": the level below in the same layer.
type Prerequisite struct {
	Scope string `cel:"scope"` // e.g. scs-compatible-iaas
	Held  bool   `cel:"held"`  // a valid certificate (level 2), or eligible in this audit (level 3)
	// TestsPass says of level 2 that the conformance tests of the same layer pass, whether or not a certificate is held. Of
	// level 3 it is the same as Held.
	TestsPass bool `cel:"testsPass"`
}
