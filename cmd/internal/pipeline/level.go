package pipeline

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/conformance"
	"github.com/pegel-audit/pegel/cmd/internal/visit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// levels looks at what shows level 1 and 2; nil if the stack file names nothing.
func (g *gatherer) levels(ctx context.Context, visitor *visit.Visitor) *conformance.Evidence {
	if len(g.levelAt) == 0 || g.stack.Subject.Kind == "release" {
		return nil
	}
	e := &conformance.Evidence{Schema: conformance.Schema, AssessedAt: g.at, Entries: []conformance.Entry{}}
	for i, t := range g.levelAt {
		g.opt.progress("looking at certificates and tests", i, len(g.levelAt))
		entry := conformance.Look(ctx, t.Target, conformance.World{Ask: g.askLevel(t, visitor), At: g.at})
		if ctx.Err() != nil {
			return nil
		}
		entry.URL = visit.Masked(entry.URL)
		for _, beside := range []*string{&entry.Scope, &entry.Signers, &entry.Config, &entry.Revocations} {
			*beside = maskedPlace(*beside)
		}
		e.Entries = append(e.Entries, entry)
	}
	g.opt.progress("looking at certificates and tests", len(g.levelAt), len(g.levelAt))
	return e
}

// askLevel answers addresses from servers and file:///NAME from the local files of a source.
func (g *gatherer) askLevel(t levelTarget, visitor *visit.Visitor) audit.Ask {
	handed := map[string]audit.Ask{}
	wrong := map[string]error{}
	for name, path := range t.files {
		ask, err := visit.Handed(visit.HandedOptions{Dir: g.stack.Dir, Name: path, At: g.at, Keep: g.keptBy()})
		if err != nil {
			wrong[name] = err
			continue
		}
		handed[name] = ask
	}
	return func(ctx context.Context, r audit.Request) audit.Answer {
		rest, local := strings.CutPrefix(r.URL, "file:")
		if !local {
			return visitor.Ask(ctx, r)
		}
		name, _, _ := strings.Cut(strings.TrimLeft(rest, "/"), "/")
		if ask := handed[name]; ask != nil {
			return ask(ctx, r)
		}
		text := "it is not among the files that were handed over"
		if err := wrong[name]; err != nil {
			text = "the file that was handed over cannot be read: " + err.Error()
		}
		return audit.Answer{Seen: audit.Seen{URL: r.URL, Handed: name, At: g.at, Trouble: &audit.Trouble{
			Kind: audit.TroubleNotHanded, Text: text, Settle: "hand the file over",
		}}}
	}
}

// standing is what is known of level 2 in one layer.
func (d *dossier) standing(layer string) conformance.Standing {
	if d.levels == nil {
		nobody := conformance.Answer{Reason: "nobody named a compliance monitor, a report or a certificate", Settle: []string{"name them under conformance: in the stack file"}}
		return conformance.Standing{Layer: layer, Tests: nobody, Certificate: nobody}
	}
	e := *d.levels
	for _, s := range d.declares {
		e.Declarations = append(slices.Clone(e.Declarations), conformance.Result{ID: s.ID, Outcome: s.Outcome, CheckedAt: s.Date})
	}
	return conformance.Judge(e, layer, d.stack.AssessedAt)
}

// compatibleSubject is level 2 of a layer as rules read it: tests and certificate apart.
func (d *dossier) compatibleSubject(layer string) policies.Subject {
	scope := "scs-compatible-" + layer
	record := policies.Prerequisite{Scope: scope}
	sub := policies.Subject{
		Ref:     audit.SubjectRef{Kind: policies.KindPrerequisite, ID: scope, Name: "SCS-compatible " + layerTitle(layer)},
		Origins: map[string][]audit.Origin{}, Declared: map[string]bool{}, Says: map[string]string{}, Until: map[string]time.Time{}, ObservedAt: map[string]time.Time{},
	}
	s := d.standing(layer)
	for _, part := range []struct {
		field string
		a     conformance.Answer
		set   *bool
	}{{"held", s.Certificate, &record.Held}, {"testsPass", s.Tests, &record.TestsPass}} {
		sub.Origins[part.field], sub.Declared[part.field] = part.a.Origins, part.a.Declared
		if !part.a.Observed.IsZero() {
			sub.ObservedAt[part.field] = part.a.Observed
		}
		switch part.a.Outcome {
		case audit.PASS, audit.FAIL:
			*part.set = part.a.Outcome == audit.PASS
			sub.Says[part.field], sub.Until[part.field] = part.a.Reason, part.a.ValidUntil
		default:
			reason := part.a.Reason
			if part.field == "held" && s.Tests.Outcome == audit.PASS {
				reason = "technically met, not certified; " + reason
			}
			sub.Unknown = append(sub.Unknown, policies.UnknownField{Field: part.field, Looked: part.a.Outcome == audit.DNF, Reason: reason, Settle: part.a.Settle})
		}
	}
	sub.Record = record
	d.stateFacts(policies.KindPrerequisite, &sub, func(string) {
		record.Held = true
		sub.Record = record
	})
	return sub
}

// levelParts adds what is known of levels 1 and 2 to what a reader sees of the operator.
func (d *dossier) levelParts(o *reports.Operator) {
	for _, layer := range (Stack{Scopes: d.stack.Scopes}).layers() {
		s := d.standing(layer)
		o.Standings = append(o.Standings, reports.Standing{Layer: layer, Words: s.Words(), Tests: standingAnswer(s.Tests), Certificate: standingAnswer(s.Certificate)})
	}
	o.Declarations = d.declarationRows()
	if d.levels == nil {
		return
	}
	for _, row := range conformance.Shown(*d.levels, d.stack.AssessedAt) {
		state := []string{}
		for _, s := range []string{row.Statement, row.Validity, row.Signature, row.Reason} {
			if s != "" {
				state = append(state, s)
			}
		}
		if row.Declared {
			state = append(state, "said by the operator")
		}
		o.Documents = append(o.Documents, reports.LegalDocument{
			Title: row.Title, Kind: row.Kind, Issuer: row.Issuer, Issued: row.Issued, ValidUntil: row.ValidUntil, State: strings.Join(state, "; "),
			Link: row.Link, Origins: originList(row.Origin),
		})
	}
}

func originList(o audit.Origin) []audit.Origin {
	if (o == audit.Origin{}) {
		return nil
	}
	return []audit.Origin{o}
}

func standingAnswer(a conformance.Answer) reports.StandingAnswer {
	return reports.StandingAnswer{Outcome: a.Outcome, Declared: a.Declared, Reason: a.Reason, Settle: a.Settle, ValidUntil: a.ValidUntil, Origins: a.Origins}
}

// levelRung is level 2 on the ladder: reached with a certificate, or with passing tests alone where the policy takes that.
func (d *dossier) levelRung(layer string) (state, reason string) {
	if d.stack.Subject.Kind == "release" {
		return "not-assessed", "a release has no operator, so nobody can hold the certificate"
	}
	if len(d.regions) > 0 {
		return d.worstRung(layer)
	}
	s, sub := d.standing(layer), d.compatibleSubject(layer)
	record := sub.Record.(policies.Prerequisite)
	sure := func(field string, yes bool) (met, missed bool) {
		open := slices.ContainsFunc(sub.Unknown, func(u policies.UnknownField) bool { return u.Field == field })
		return !open && yes && !sub.Declared[field], !open && !yes
	}
	reached, failed := sure("held", record.Held)
	if switchedOn(d.policy, technicallyMet) {
		met, missed := sure("testsPass", record.TestsPass)
		reached, failed = reached || met, failed && missed
	}
	switch {
	case reached:
		state = "reached"
	case failed:
		state = "failed"
	case !record.Held && s.Certificate.Outcome == audit.MISS && s.Tests.Outcome == audit.MISS:
		state = "not-assessed"
	default:
		state = "undetermined"
	}
	reason = s.Words() + ". Tests: " + s.Tests.Reason + ". Certificate: " + s.Certificate.Reason
	if said := sub.Says["held"]; record.Held && said != s.Certificate.Reason {
		reason += "; " + said
	}
	return state, reason
}
