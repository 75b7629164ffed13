package transparency

import (
	"fmt"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Judge answers every indicator from the evidence of one operator by the rules of a profile, in the order of All. It is pure.
func Judge(e Evidence, c Context, rules audit.TransparencyRules) []Result {
	var out []Result
	for _, i := range All() {
		out = append(out, judgeOne(i, e, c, rules))
	}
	return out
}

func judgeOne(i Indicator, e Evidence, c Context, rules audit.TransparencyRules) Result {
	result := Result{Indicator: i}
	rule, ok := rules.Indicators[i.ID]
	if !ok {
		result.Reason, result.Settle = "the profile has no numbers for it", []string{"judge by a profile that asks " + i.ID}
		return result
	}
	named := e.Of(i.Kind)
	artifacts := countable(i.Kind, e.Exposure, rules, named)
	if len(named) > 0 && len(artifacts) == 0 {
		return notPublic(result, i, e, named)
	}
	readable := slices.DeleteFunc(slices.Clone(artifacts), func(a Artifact) bool { return a.Trouble != nil })
	if len(readable) == 0 {
		result.Measurement = unread(i.Kind, artifacts)
		if len(named) == 0 && len(e.Searched) > 0 {
			result.Measurement = notFound(i.Kind, e.Searched)
		}
		if i.Contents && result.Outcome == audit.FAIL {
			result.Outcome, result.Reason = audit.MISS, "there is nothing to look at: "+result.Reason
		}
		return result
	}
	result.Measurement = i.Measure(Question{
		Artifacts: readable, Evidence: inPublic(e, rules), Context: c, Rule: rule, Public: mustBePublic(i.Kind, e.Exposure, rules),
	})
	result.Handed = slices.ContainsFunc(readable, func(a Artifact) bool { return a.Handed })
	if !anchored(result.Origins) {
		result.Origins = append(result.Origins, origins(readable)...)
	}
	if result.Observed.IsZero() {
		result.Observed = observed(readable)
	}
	return result
}

// notFound answers where nobody named an address and the search from the operator's site led nowhere.
func notFound(kind string, searched []audit.Seen) Measurement {
	m := Measurement{Settle: []string{"name it under transparency: " + Key(kind)}}
	home := searched[0]
	if home.Trouble != nil {
		m.Reason = "nobody said where it is, and the operator's site could not be searched: " + home.Trouble.Text
		return m
	}
	m.Reason = "nobody said where it is, and no page of the operator's site that was looked at leads to it"
	m.Origins, m.Observed = []audit.Origin{home.Origin("search")}, home.At
	return m
}

// notPublic answers where all that counts was handed over, and nobody saw it in public.
func notPublic(result Result, i Indicator, e Evidence, handed []Artifact) Result {
	result.Handed = true
	result.Origins, result.Observed = origins(handed), observed(handed)
	result.Reason = fmt.Sprintf("it was handed over as a file, and for a cloud that is %s it has to be public: nobody saw it there", e.Exposure)
	result.Settle = []string{"publish it and name the address under transparency: " + Key(i.Kind)}
	return result
}

// countable returns the artifacts that may count: what must be public was looked at in public.
func countable(kind, exposure string, rules audit.TransparencyRules, artifacts []Artifact) []Artifact {
	if !mustBePublic(kind, exposure, rules) {
		return artifacts
	}
	return slices.DeleteFunc(slices.Clone(artifacts), func(a Artifact) bool { return a.Handed })
}

func mustBePublic(kind, exposure string, rules audit.TransparencyRules) bool {
	return slices.Contains(rules.Public[exposure], kind)
}

// inPublic is the evidence for questions across kinds: what has to be public and was handed over counts for nothing there either.
func inPublic(e Evidence, rules audit.TransparencyRules) Evidence {
	e.Artifacts = slices.Clone(e.Artifacts)
	for i, a := range e.Artifacts {
		if a.Handed && a.Trouble == nil && mustBePublic(a.Kind, e.Exposure, rules) {
			e.Artifacts[i].Trouble = &audit.Trouble{
				Kind: audit.TroubleNotNamed, Text: fmt.Sprintf("it was handed over as a file, and for a cloud that is %s it has to be public: nobody saw it there", e.Exposure),
				Settle: "publish it and name the address under transparency: " + Key(a.Kind),
			}
		}
	}
	return e
}

// unread answers where nothing could be read: the worst that the troubles mean, with the words of the first of that kind.
func unread(kind string, artifacts []Artifact) Measurement {
	if len(artifacts) == 0 {
		return Measurement{Reason: "nobody said where it is", Settle: []string{"name it under transparency: " + Key(kind)}}
	}
	worst := artifacts[0]
	for _, a := range artifacts[1:] {
		if o := a.Trouble.Outcome(); o != worst.Trouble.Outcome() && audit.Worst(o, worst.Trouble.Outcome()) == o {
			worst = a
		}
	}
	m := Measurement{Outcome: worst.Trouble.Outcome(), Reason: worst.Trouble.Text, Origins: origins(artifacts), Observed: observed(artifacts)}
	if worst.Trouble.Settle != "" {
		m.Settle = []string{worst.Trouble.Settle}
	}
	return m
}

// anchored reports whether places lead to bytes: those of a look, or those of a commit.
func anchored(list []audit.Origin) bool {
	return slices.ContainsFunc(list, func(o audit.Origin) bool { return o.Digest != "" || o.Commit != "" })
}

func origins(artifacts []Artifact) []audit.Origin {
	var out []audit.Origin
	for _, a := range artifacts {
		out = append(out, a.Origins()...)
	}
	return out
}

func observed(artifacts []Artifact) time.Time {
	var at time.Time
	for _, a := range artifacts {
		if o := a.Observed(); o.After(at) {
			at = o
		}
	}
	return at
}
