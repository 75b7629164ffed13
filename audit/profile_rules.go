package audit

// VerdictRule is one line of the rule that turns knock-outs and gates into the word of a project's verdict. The lines are read
// in order, and the first that applies decides.
type VerdictRule struct {
	// When is knock-out: one fails; missed-gate: a score certainly misses its gate; otherwise: always, the last line.
	When       string   `yaml:"when" json:"when"`
	Indicators []string `yaml:"indicators,omitempty" json:"indicators,omitempty"` // of knock-out: only these count; empty: all
	Levels     []string `yaml:"levels,omitempty" json:"levels,omitempty"`         // of missed-gate: only gates of these; empty: all
	Aspects    []string `yaml:"aspects,omitempty" json:"aspects,omitempty"`       // of missed-gate: only gates of these; empty: all
	Says       string   `yaml:"says" json:"says"`                                 // passed, almost, showstopper (scs-0218)
	Source     string   `yaml:"source" json:"source"`
}

// Conditions of a VerdictRule.
const (
	WhenKnockOut   = "knock-out"
	WhenMissedGate = "missed-gate"
	WhenOtherwise  = "otherwise"
)

// RiskRule says of one indicator that it belongs into the risk register.
type RiskRule struct {
	Title string `yaml:"title" json:"title"` // the risk in words: "Hangs on one person"
	// Outcomes at which the risk is there: FAIL, and PART where half an answer is a risk too.
	Outcomes []Outcome `yaml:"outcomes" json:"outcomes"`
	// Mitigations are the kinds that lessen it: alternative, foundation, support, own-maintainers.
	Mitigations []string `yaml:"mitigations" json:"mitigations"`
	Source      string   `yaml:"source" json:"source"`
}

// LockInRule is the matrix of the lock-in risk. The zero value: the profile has none, and the risk is undetermined.
type LockInRule struct {
	Low  int `yaml:"low" json:"low"`   // an axis below it is low, in basis points of risk
	High int `yaml:"high" json:"high"` // an axis above it is high; between the two it is medium
	// Probability and Effect list the indicators of the two axes. An axis is what their weighted mean lacks to 10000.
	Probability []string `yaml:"probability" json:"probability"`
	Effect      []string `yaml:"effect" json:"effect"`
	// Radius scales the effect by the number of deployed components that would be hit: the last step that it reaches counts.
	Radius []RadiusStep `yaml:"radius" json:"radius"`
	// Risks by class of the probability, then class of the effect: low, medium or high each.
	Risks map[string]map[string]string `yaml:"risks" json:"risks"`
	// Mitigations are the kinds that make a high risk bearable.
	Mitigations []string `yaml:"mitigations" json:"mitigations"`
	Source      string   `yaml:"source" json:"source"`
}

// RadiusStep is the share of the effect that counts from a number of deployed components on, in basis points.
type RadiusStep struct {
	From   int `yaml:"from" json:"from"`
	Factor int `yaml:"factor" json:"factor"`
}

// Kinds of mitigations.
const (
	MitigationAlternative    = "alternative"     // open source that can take its place, by the catalogue
	MitigationFoundation     = "foundation"      // a foundation hosts it
	MitigationSupport        = "support"         // a contract with somebody who can mend it
	MitigationOwnMaintainers = "own-maintainers" // the operator's own people maintain it
)

// Classes of an axis, and the risks of the matrix.
const (
	ClassLow    = "low"
	ClassMedium = "medium"
	ClassHigh   = "high"
)

// TransparencyRules are what a profile says about the operator's artifacts. The zero value asks nothing.
type TransparencyRules struct {
	// Public lists by exposure of the subject (public, community, private) the kinds of artifacts that must be public; the
	// others may go to the auditor.
	Public     map[string][]string         `yaml:"public,omitempty" json:"public,omitempty"`
	Indicators map[string]TransparencyRule `yaml:"indicators,omitempty" json:"indicators,omitempty"` // by id, e.g. SP-01
	Source     string                      `yaml:"source,omitempty" json:"source,omitempty"`         // of Public
}

// TransparencyRule is what a profile says about one indicator of an operator.
type TransparencyRule struct {
	Title string `yaml:"title" json:"title"`
	// Numbers are its thresholds, by names that end in their unit: _months, _days, _hours, _bp (basis points), or a count.
	Numbers map[string]int `yaml:"numbers,omitempty" json:"numbers,omitempty"`
	Source  string         `yaml:"source" json:"source"` // where each number comes from
}
