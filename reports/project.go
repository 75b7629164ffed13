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
	Quarters      []Quarter      `json:"quarters,omitempty"` // the score at past quarter ends, oldest first
	Indicators    []Indicator    `json:"indicators"`
	Facts         map[string]any `json:"facts,omitempty"`   // history facts by the names of the published schema
	Failure       string         `json:"failure,omitempty"` // why there is no evidence
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
}

// Gate is how one aspect stands to the gate of a level.
type Gate struct {
	Level    string        `json:"level"`
	Aspect   string        `json:"aspect"`
	Low      int           `json:"low"`      // what the low end must reach
	Coverage int           `json:"coverage"` // what the coverage must reach
	Outcome  audit.Outcome `json:"outcome"`  // PASS, FAIL, DNF: undetermined
	Margin   int           `json:"margin"`   // basis points that the deciding end is away from the gate: how far from flipping
	Settle   []string      `json:"settle,omitempty"`
	Source   string        `json:"source"` // where the number of the gate comes from
}

// LockIn is the risk of being locked in: how probable it is that the project fails its users, and what that would do. Both
// axes go from 0 (no risk) to 10000.
type LockIn struct {
	Probability Axis   `json:"probability"`
	Effect      Axis   `json:"effect"`
	Risk        string `json:"risk"` // low, medium, high, undetermined
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
	Accepted    bool           `json:"accepted"` // a mitigation is accepted
}

// Mitigation is what lessens a risk.
type Mitigation struct {
	Kind     string       `json:"kind"` // alternative, support, own-maintainers, foundation
	Text     string       `json:"text"`
	Declared bool         `json:"declared"` // only said by the operator
	Accepted bool         `json:"accepted"`
	Origin   audit.Origin `json:"origin,omitzero"`
}

// Quarter is what a past quarter end would have shown.
type Quarter struct {
	End     time.Time `json:"end"`
	Verdict string    `json:"verdict,omitempty"`
	Aspects []Aspect  `json:"aspects"`
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
	Contested *Contested     `json:"contested,omitempty"`
	Origins   []audit.Origin `json:"origins,omitempty"`
}

// Contested says that the project disagrees with a measurement.
type Contested struct {
	By     string       `json:"by"`    // project or catalogue: where the words stand
	Words  string       `json:"words"` // of the maintainers
	At     time.Time    `json:"at,omitzero"`
	Origin audit.Origin `json:"origin,omitzero"`
}
