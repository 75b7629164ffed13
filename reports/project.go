package reports

import (
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Project is one upstream project with its scores.
type Project struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Repo    string    `json:"repo,omitempty"`
	Head    string    `json:"head,omitempty"` // evaluated commit; absent: no evidence
	HeadAt  time.Time `json:"head_at,omitzero"`
	At      time.Time `json:"at"`
	Role    string    `json:"role"`
	Profile string    `json:"profile,omitempty"` // id of the profile that judged it
	// ProfileVersion is the version of that profile; a badge names both.
	ProfileVersion string `json:"profile_version,omitempty"`
	// ProfileReason says why the catalogue chose a profile other than the usual one.
	ProfileReason string         `json:"profile_reason,omitempty"`
	Verdict       string         `json:"verdict"` // passed, almost, showstopper, undetermined (scs-0218)
	Tiers         []string       `json:"tiers"`
	Area          string         `json:"area,omitempty"`
	Versions      []string       `json:"versions,omitempty"`
	Aspects       []Aspect       `json:"aspects"`
	Gates         []Gate         `json:"gates,omitempty"`
	LockIn        *LockIn        `json:"lock_in,omitempty"`
	Risks         []Risk         `json:"risks,omitempty"`
	Asks          []Ask          `json:"asks,omitempty"`     // what would settle the verdict, by the place that would answer, the cheapest first
	Quarters      []Quarter      `json:"quarters,omitempty"` // the score at past quarter ends, oldest first
	Years         []Year         `json:"years,omitempty"`    // what recorded evidence says of past quarter ends, oldest first
	Indicators    []Indicator    `json:"indicators"`
	Join          []Pointer      `json:"join,omitempty"`       // where the evidence shows how to join or fund the project
	Recordings    []audit.Digest `json:"recordings,omitempty"` // identities of the bundles that facts were taken from; absent: all were gathered for this
	Facts         map[string]any `json:"facts,omitempty"`      // history facts by the names of the published schema
	Failure       string         `json:"failure,omitempty"`    // why there is no evidence
	Settle        string         `json:"settle,omitempty"`
}

// Aspect is one score as an interval in basis points.
type Aspect struct {
	Aspect     string   `json:"aspect"`
	Low        int      `json:"low"`
	High       int      `json:"high"`
	Coverage   int      `json:"coverage"`
	Confidence int      `json:"confidence"` // basis points of weight that rest on grades A and B
	KnockOuts  []string `json:"knock_outs"`
	Trend      *Trend   `json:"trend,omitempty"` // over Project.Quarters; absent: too few quarters could be judged
}

// Gate is how one aspect stands to the gate of a level.
type Gate struct {
	Level    string        `json:"level"`
	Aspect   string        `json:"aspect"`
	Low      int           `json:"low"`              // what the low end must reach
	Coverage int           `json:"coverage"`         // what the coverage must reach
	Outcome  audit.Outcome `json:"outcome"`          // PASS, FAIL, DNF: undetermined
	Margin   int           `json:"margin"`           // basis points that the deciding end is away from the gate: how far from flipping
	Settle   []string      `json:"settle,omitempty"` // undetermined: the fewest indicators that would let it pass
	Doubt    []string      `json:"doubt,omitempty"`  // undetermined: the fewest indicators that would make it fail
	Asks     []Ask         `json:"asks,omitempty"`   // Settle by the place that would answer, the cheapest first
	Source   string        `json:"source"`           // where the number of the gate comes from
}

// LockIn is the risk of being locked in: how probable it is that the project fails its users, and what that would do. Both
// axes go from 0 (no risk) to 10000.
type LockIn struct {
	Probability Axis   `json:"probability"`
	Effect      Axis   `json:"effect"`
	Risk        string `json:"risk"` // low, medium, high, undetermined
	// Radius is the number of deployed components that its end would hit; it scales the effect. Absent: not known.
	Radius      *int         `json:"radius,omitempty"`
	Mitigations []Mitigation `json:"mitigations,omitempty"`
	Accepted    bool         `json:"accepted"` // a mitigation is accepted
	Source      string       `json:"source"`   // where borders and matrix come from
}

// Ask is what one place would answer.
type Ask struct {
	// Source is git, foundation, lifecycle, stack, forge, thirdparty or declaration; empty: no place is known.
	Source     string   `json:"source"`
	Indicators []string `json:"indicators"`
}

// Axis is one axis of the lock-in matrix.
type Axis struct {
	Low      int    `json:"low"`
	High     int    `json:"high"`
	Coverage int    `json:"coverage"`
	Class    string `json:"class"` // low, medium, high, undetermined
}

// Risk is one line of the risk register: a weakness that does not knock out.
type Risk struct {
	Indicator   string         `json:"indicator"`
	Title       string         `json:"title"`
	Outcome     audit.Outcome  `json:"outcome"` // FAIL or PART: it is there; DNF or MISS: nobody knows
	Reason      string         `json:"reason"`
	Origins     []audit.Origin `json:"origins,omitempty"`
	Radius      *int           `json:"radius,omitempty"` // deployed components that would be hit; absent: not known
	Mitigations []Mitigation   `json:"mitigations,omitempty"`
	Accepted    bool           `json:"accepted"`         // a mitigation is accepted
	Helps       []string       `json:"helps,omitempty"`  // kinds of mitigations that lessen it
	Settle      []string       `json:"settle,omitempty"` // of a risk that is not known
	Source      string         `json:"source"`           // where it comes from that this is a risk
}

// Mitigation is what lessens a risk.
type Mitigation struct {
	Kind     string `json:"kind"` // alternative, support, own-maintainers, foundation
	Text     string `json:"text"`
	Declared bool   `json:"declared"` // only said by the operator
	Accepted bool   `json:"accepted"`
	// AcceptedBy is who accepted what is only declared, by the operator's stack file.
	AcceptedBy string       `json:"accepted_by,omitempty"`
	Source     string       `json:"source,omitempty"`
	Origin     audit.Origin `json:"origin,omitzero"`
}

// Quarter is what a past quarter end would have shown.
type Quarter struct {
	End     time.Time `json:"end"`
	Head    string    `json:"head,omitempty"`    // evaluated commit; absent: no evidence
	Verdict string    `json:"verdict,omitempty"` // by this quarter alone
	// Held is the verdict with hysteresis: one quarter below a score gate does not flip what was passed before.
	Held      string   `json:"held,omitempty"`
	Probation bool     `json:"probation,omitempty"` // Held is passed although the quarter lies below a score gate
	Aspects   []Aspect `json:"aspects"`
	Failure   string   `json:"failure,omitempty"` // why there is no evidence for this quarter
}

// Trend is how the score of an aspect changes: the Theil-Sen slope of either end over the quarters, in basis points a year.
type Trend struct {
	Low      int    `json:"low"`      // what is certain at least
	High     int    `json:"high"`     // what is possible at most
	Quarters int    `json:"quarters"` // that could be judged
	Word     string `json:"word"`     // rises, falls, steady; unclear: the ends do not agree
}

// Year is what the recorded evidence says of the 12 months that ended at a past quarter end.
type Year struct {
	End          time.Time `json:"end"`
	Commits      int       `json:"commits"`
	HumanCommits int       `json:"human_commits"`
	Authors      int       `json:"authors"`
	Newcomers    int       `json:"newcomers"`
	Retained     int       `json:"retained_authors"`
	BusFactor50  int       `json:"bus_factor_50"`
	TopOrgLow    int       `json:"top_org_low"` // share of the top organisation in basis points: both ends
	TopOrgHigh   int       `json:"top_org_high"`
	Releases     *int      `json:"releases,omitempty"` // absent: not known
}

// Indicator is one measurement.
type Indicator struct {
	ID        string         `json:"id"`
	Aspect    string         `json:"aspect"`
	Title     string         `json:"title"`
	Clauses   []string       `json:"clauses,omitempty"` // of scs-0008
	Outcome   audit.Outcome  `json:"outcome"`
	Value     string         `json:"value,omitempty"`
	Unit      string         `json:"unit,omitempty"`
	Low       int            `json:"low"`
	High      int            `json:"high"`
	Weight    int            `json:"weight"`
	KnockOut  bool           `json:"knock_out,omitempty"` // the rule is a knock-out, whatever the outcome
	Grade     audit.Grade    `json:"grade,omitempty"`     // of the worst fact it rests on
	Reason    string         `json:"reason"`
	Settle    []string       `json:"settle,omitempty"`
	Source    string         `json:"source,omitempty"` // where the thresholds come from
	Rule      *Rule          `json:"rule,omitempty"`   // the thresholds themselves; absent: not known
	Contested *Contested     `json:"contested,omitempty"`
	Stated    []Stated       `json:"stated,omitempty"` // what is said about it without contesting it
	Origins   []audit.Origin `json:"origins,omitempty"`
}

// Pointer leads to a file or page of a project that helps those who want to join or fund it.
type Pointer struct {
	Kind   string       `json:"kind"` // contributing, code-of-conduct, governance, maintainers, review, funding, ...
	Text   string       `json:"text"` // what is there: a path, a host
	Origin audit.Origin `json:"origin,omitzero"`
}

// Stated is what somebody says about a question, shown beside what was measured. It is no measurement.
type Stated struct {
	By     string       `json:"by"`               // project, catalogue or operator
	Role   string       `json:"role,omitempty"`   // of the speaker, never a name
	Value  string       `json:"value,omitempty"`  // the stated answer
	Source string       `json:"source,omitempty"` // public address that shows it
	Words  string       `json:"words,omitempty"`
	At     time.Time    `json:"at,omitzero"`
	Over   bool         `json:"over,omitempty"` // it was said too long ago to count
	Origin audit.Origin `json:"origin,omitzero"`
}

// Contested says that the project disagrees with a measurement. It changes neither outcome nor interval.
type Contested struct {
	By     string       `json:"by"`               // project or catalogue: where the words stand
	Role   string       `json:"role,omitempty"`   // of the speaker, never a name
	Value  string       `json:"value,omitempty"`  // the answer that the speaker holds to be right
	Source string       `json:"source,omitempty"` // public address that shows it
	Words  string       `json:"words"`            // of the maintainers
	At     time.Time    `json:"at,omitzero"`
	Origin audit.Origin `json:"origin,omitzero"`
}

// Rule is by which numbers of the profile one indicator was judged; Indicator.Source says where they come from.
type Rule struct {
	Scale   string         `json:"scale"` // boolean, steps, linear, information
	Unit    string         `json:"unit"`  // of Fail and Pass
	Fail    *int           `json:"fail,omitempty"`
	Pass    *int           `json:"pass,omitempty"`
	Less    bool           `json:"less_is_better,omitempty"` // small values are the good ones
	Window  int            `json:"window_days,omitempty"`
	Numbers map[string]int `json:"numbers,omitempty"` // further thresholds by name
}
