package policies

import (
	"cmp"
	"embed"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
)

// ProfileSchema names the form of a profile file.
const ProfileSchema = "pegel/profile/v1"

//go:embed data/profiles/*.yaml
var profileFiles embed.FS

// defaultProfile is the built-in profile that judges what names no other, by its name in a policy.
const defaultProfile = "profiles/service.yaml"

// DefaultProfile returns the built-in profile that judges what names no other; DefaultProfiles returns its variants too.
func DefaultProfile() (audit.Profile, error) {
	data, err := profileFiles.ReadFile("data/" + defaultProfile)
	if err != nil {
		return audit.Profile{}, fmt.Errorf("reading the built-in profile: %w", err)
	}
	return LoadProfile(data, defaultProfile)
}

// LoadProfile reads a profile strictly; name is how errors call the file. It checks that every indicator has a rule whose
// scale, thresholds and weight fit together, that each level gates every role, and that nothing unknown can pass. What is
// wrong is a *LoadError with the places. A profile that extends another is read by LoadProfiles, together with that one.
func LoadProfile(data []byte, name string) (audit.Profile, error) {
	r := &reader{file: name}
	p := r.profile(r.root(data))
	if err := r.wrong(); err != nil {
		return audit.Profile{}, err
	}
	return p, nil
}

// wrong returns the problems in the order of the file; nil if there are none.
func (r *reader) wrong() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Text, b.Text))
	})
	return &LoadError{Problems: r.problems}
}

// profileGroup is a run of indicators, numbered from 1, that belong to one aspect.
type profileGroup struct {
	prefix, aspect string
	indicators     int
}

// profileGroups lists the 89 indicators of the health check, in the order of every report.
func profileGroups() []profileGroup {
	return []profileGroup{
		{"OS", "open-source", 10}, {"OC", "open-community", 12}, {"OV", "open-development", 9}, {"OD", "open-design", 6},
		{"MA", "maturity", 15}, {"SE", "security", 15}, {"AC", "activity", 11}, {"LR", "lock-in", 11},
	}
}

// profileIndicators lists all indicator ids, and profileAspects all aspects.
func profileIndicators() (ids []string) {
	for _, g := range profileGroups() {
		for n := range g.indicators {
			ids = append(ids, fmt.Sprintf("%s-%02d", g.prefix, n+1))
		}
	}
	return ids
}

func profileAspects() (aspects []string) {
	for _, g := range profileGroups() {
		aspects = append(aspects, g.aspect)
	}
	return aspects
}

// profileClauses lists the clauses of scs-0008 by the numbers that Pegel gave them.
func profileClauses() (clauses []string) {
	for _, part := range []struct {
		prefix string
		last   int
	}{{"FO-1.", 4}, {"FO-2.", 1}, {"FO-3.", 3}, {"FO-4.", 4}, {"MA-", 8}, {"SE-", 5}, {"AC-", 8}, {"LR-", 4}} {
		for n := range part.last {
			clauses = append(clauses, fmt.Sprint(part.prefix, n+1))
		}
	}
	return clauses
}

// Bounds of the numbers in a profile.
const (
	profileMost      = 1_000_000 // any threshold, either sign
	profileWindow    = 3660      // days; ten years
	profileMostText  = 1000      // bytes of a text
	profileKnockOut  = 3         // weight of a knock-out
	profileMostNames = 64        // levels, kinds of evidence, further numbers, indicators about an operator
)

func (r *reader) profile(n *yaml.Node) audit.Profile {
	m := r.mapping(n, "schema", "id", "version", "status", "title", "indicators", "gates", "verdicts", "risks", "lock_in", "lifetimes", "licences",
		"hysteresis", "transparency")
	if m == nil {
		return audit.Profile{}
	}
	p := audit.Profile{
		Schema:  r.oneOf(n, m, "schema", ProfileSchema),
		ID:      r.identifier(n, m, "id"),
		Version: r.profileText(n, m, "version"),
		Status:  r.oneOf(n, m, "status", "proposal", "decided"),
		Title:   r.profileText(n, m, "title"),
	}
	p.Indicators = r.profileRules(orNode(m["indicators"], n), m["indicators"] != nil)
	p.Gates = r.profileGates(orNode(m["gates"], n), m["gates"] != nil)
	p.Verdicts = r.profileVerdicts(m["verdicts"], p)
	p.Risks = r.profileRisks(m["risks"])
	p.LockIn = r.profileLockIn(m["lock_in"])
	p.Lifetimes = r.profileLifetimes(orNode(m["lifetimes"], n), m["lifetimes"] != nil)
	p.Licences = r.profileLicences(orNode(m["licences"], n), m["licences"] != nil)
	p.Hysteresis = r.profileHysteresis(orNode(m["hysteresis"], n), m["hysteresis"] != nil)
	p.Transparency = r.profileTransparency(m["transparency"])
	return p
}

// profileText returns a text that must be there, fits a line or two and holds nothing but printable characters.
func (r *reader) profileText(parent *yaml.Node, m map[string]*yaml.Node, key string) string {
	v := r.needed(parent, m, key)
	switch {
	case len(v) > profileMostText:
		r.problem(m[key], "%s has %d bytes; at most %d are read", key, len(v), profileMostText)
	case strings.ContainsFunc(v, func(c rune) bool { return !unicode.IsPrint(c) }):
		r.problem(m[key], "%s holds a character that cannot be printed", key)
	}
	return v
}

func (r *reader) profileRules(n *yaml.Node, present bool) map[string]audit.IndicatorRule {
	ids := profileIndicators()
	if !present {
		r.problem(n, `"indicators" is missing; every indicator needs a rule`)
		return nil
	}
	rules := map[string]audit.IndicatorRule{}
	m := r.mapping(n, ids...)
	for _, id := range ids {
		if rule, ok := m[id]; ok {
			rules[id] = r.profileRule(id, rule)
		} else if m != nil {
			r.problem(n, "indicator %s is missing; every indicator needs a rule, so that coverage is honest", id)
		}
	}
	return rules
}

func (r *reader) profileRule(id string, n *yaml.Node) audit.IndicatorRule {
	m := r.mapping(n, "aspect", "title", "clauses", "unit", "scale", "fail", "pass", "window_days", "numbers", "weight", "knock_out", "source")
	if m == nil {
		return audit.IndicatorRule{}
	}
	rule := audit.IndicatorRule{
		Aspect:   r.oneOf(n, m, "aspect", profileAspects()...),
		Title:    r.profileText(n, m, "title"),
		Clauses:  r.profileClauses(m["clauses"]),
		Unit:     r.identifier(n, m, "unit"),
		Scale:    r.oneOf(n, m, "scale", "boolean", "steps", "linear", "information"),
		Fail:     r.profileNumber(m["fail"]),
		Pass:     r.profileNumber(m["pass"]),
		Window:   r.integer(m["window_days"], 1, profileWindow),
		Numbers:  r.profileNumbers(m["numbers"]),
		Weight:   r.integer(m["weight"], 0, profileKnockOut),
		KnockOut: r.boolean(m["knock_out"]),
		Source:   r.profileText(n, m, "source"),
	}
	r.profileAgrees(id, n, m, rule)
	return rule
}

// profileAgrees refuses rules whose parts contradict each other.
func (r *reader) profileAgrees(id string, n *yaml.Node, m map[string]*yaml.Node, rule audit.IndicatorRule) {
	if want := profileAspectOf(id); rule.Aspect != "" && rule.Aspect != want {
		r.problem(m["aspect"], "%s belongs to the aspect %s", id, want)
	}
	if m["weight"] == nil {
		r.problem(n, `"weight" is missing`)
	}
	if rule.KnockOut != (rule.Weight == profileKnockOut) {
		r.problem(orNode(m["weight"], n), "weight %d and knock_out %v contradict each other; knock-outs, and nothing else, weigh %d", rule.Weight, rule.KnockOut, profileKnockOut)
	}
	if m["weight"] != nil && (rule.Scale == "information") != (rule.Weight == 0) {
		r.problem(m["weight"], "weight %d and scale %s contradict each other; information, and nothing else, weighs 0", rule.Weight, rule.Scale)
	}
	if wrong := windowActs(id, rule); wrong != "" {
		r.problem(orNode(m["window_days"], n), "%s", wrong)
	}
	both := rule.Fail != nil && rule.Pass != nil
	switch {
	case rule.Scale == "linear" && !both:
		r.problem(n, "scale linear needs both fail and pass")
	case both && *rule.Fail == *rule.Pass:
		r.problem(m["pass"], "fail and pass are both %d; the scale needs two values", *rule.Pass)
	case rule.Scale == "boolean" && rule.Fail != nil:
		r.problem(m["fail"], "scale boolean takes pass only; what does not pass fails")
	case rule.Scale == "information" && (rule.Fail != nil || rule.Pass != nil):
		r.problem(n, "scale information takes neither fail nor pass")
	}
}

func profileAspectOf(id string) string {
	for _, g := range profileGroups() {
		if strings.HasPrefix(id, g.prefix+"-") {
			return g.aspect
		}
	}
	return ""
}

func (r *reader) profileClauses(n *yaml.Node) []string {
	known := profileClauses()
	clauses := r.texts(n)
	for i, c := range clauses {
		if !slices.Contains(known, c) {
			r.problem(n, "scs-0008 has no clause %q%s", clean(c), didYouMean(c, known))
			return clauses[:i]
		}
	}
	return clauses
}

func (r *reader) profileNumber(n *yaml.Node) *int {
	if n == nil {
		return nil
	}
	v := r.integer(n, -profileMost, profileMost)
	return &v
}

// profileNames returns the entries of a mapping whose keys may be freely chosen but must be names.
func (r *reader) profileNames(n *yaml.Node, valid func(string) bool) (names []string, values map[string]*yaml.Node) {
	if n.Kind != yaml.MappingNode {
		r.problem(n, "a mapping from names to values is needed here")
		return nil, nil
	}
	values = map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode || !valid(key.Value):
			r.problem(key, "%q is no name here; names are words such as activity, indicators such as SP-01", clean(key.Value))
		case values[key.Value] != nil:
			r.problem(key, "key %q stands here twice", key.Value)
		case len(names) == profileMostNames:
			r.problem(key, "more than %d entries", profileMostNames)
			return names, values
		default:
			names = append(names, key.Value)
			values[key.Value] = n.Content[i+1]
		}
	}
	return names, values
}

func (r *reader) profileNumbers(n *yaml.Node) map[string]int {
	if n == nil {
		return nil
	}
	names, values := r.profileNames(n, func(s string) bool { return validID(strings.ReplaceAll(s, "_", "-")) })
	if len(names) == 0 {
		r.problem(n, "numbers is empty; leave it out")
		return nil
	}
	numbers := map[string]int{}
	for _, name := range names {
		numbers[name] = r.integer(values[name], -profileMost, profileMost)
	}
	return numbers
}

// profileGates reads the gates by level, role and aspect. Every level names both roles, so that no project slips through.
func (r *reader) profileGates(n *yaml.Node, present bool) map[string]map[string]map[string]audit.Gate {
	if !present {
		r.problem(n, `"gates" is missing`)
		return nil
	}
	gates := map[string]map[string]map[string]audit.Gate{}
	levels, values := r.profileNames(n, validID)
	if values != nil && len(levels) == 0 {
		r.problem(n, "no level has gates")
	}
	for _, level := range levels {
		gates[level] = map[string]map[string]audit.Gate{}
		roles := r.mapping(values[level], "platform", "building-block")
		for _, role := range []string{"platform", "building-block"} {
			if roles != nil && roles[role] == nil {
				r.problem(values[level], "level %s has no gates for the role %s; write {} if there are none", level, role)
				continue
			}
			gates[level][role] = r.profileAspectGates(roles[role])
		}
	}
	return gates
}

func (r *reader) profileAspectGates(n *yaml.Node) map[string]audit.Gate {
	gates := map[string]audit.Gate{}
	aspects := r.mapping(n, profileAspects()...)
	for _, aspect := range profileAspects() {
		if at := aspects[aspect]; at != nil {
			m := r.mapping(at, "low", "coverage", "source")
			if m != nil && (m["low"] == nil || m["coverage"] == nil) {
				r.problem(at, `a gate needs "low" and "coverage", in basis points`)
			}
			gates[aspect] = audit.Gate{
				Low:      r.integer(m["low"], 1, audit.Full),
				Coverage: r.integer(m["coverage"], 0, audit.Full),
				Source:   r.profileText(at, m, "source"),
			}
		}
	}
	return gates
}

// profileLifetimes reads the periods of scs-0003 by kind of evidence. The kinds that Pegel itself asks for must be there.
func (r *reader) profileLifetimes(n *yaml.Node, present bool) map[string]string {
	if !present {
		r.problem(n, `"lifetimes" is missing`)
		return nil
	}
	lifetimes := map[string]string{}
	kinds, values := r.profileNames(n, validID)
	for _, kind := range kinds {
		lifetimes[kind] = r.oneOf(n, values, kind, "day", "week", "month", "quarter", "year")
	}
	for _, kind := range []string{"files", "activity", "governance", "declaration"} {
		if values != nil && values[kind] == nil {
			r.problem(n, "the lifetime of %s is missing", kind)
		}
	}
	return lifetimes
}

// profileLicences reads what each class of licence means. An unknown licence neither passes nor
// fails (design section 4, rule 1).
func (r *reader) profileLicences(n *yaml.Node, present bool) map[string]audit.Outcome {
	if !present {
		r.problem(n, `"licences" is missing`)
		return nil
	}
	var classes []string
	for _, c := range licence.Classes() {
		classes = append(classes, string(c))
	}
	outcomes := map[string]audit.Outcome{}
	m := r.mapping(n, classes...)
	for _, class := range classes {
		if m == nil {
			continue
		}
		words := []string{"PASS", "FAIL", "DNF"}
		if class == string(licence.Unknown) {
			words = []string{"DNF"}
		}
		var o audit.Outcome
		if word := r.oneOf(n, m, class, words...); slices.Contains(words, word) {
			if err := o.UnmarshalText([]byte(word)); err != nil {
				r.problem(m[class], "%v", err)
			}
		}
		outcomes[class] = o
	}
	return outcomes
}
