package indicator

import (
	"fmt"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// replaceable (LR-07, scs-0008 LR-4) asks: can something else take its place?
// Measured: open source that speaks the same interface or standard, by the catalogue. None counts half: somebody looked and
// found none.
// Misleads: an interface in common does not move the data (LR-08), and says nothing about the health of the alternative.
func replaceable(in *input) scoring.Measurement {
	found, m, ok := take(in, in.p.Alternatives, "alternatives with the same interface in the catalogue")
	if !ok {
		return m
	}
	named := make([]string, len(found))
	for i, a := range found {
		named[i] = a.Name
		if len(a.Standards) > 0 {
			named[i] += " (" + names(a.Standards) + ")"
		}
	}
	reason := "the catalogue knows no open source with the same interface"
	if len(found) > 0 {
		reason = "same interface: " + names(named)
	}
	return in.count(len(found), more, reason, documented(firstOrigins(in.p.Alternatives), found)...)
}

// exit (LR-08, scs-0008 LR-4) asks: can data be taken out, by a standard interface or an open format?
// Measured: standards and formats that the catalogue says it offers, each with the address that documents it; else what is
// stated. That nothing is known to the catalogue proves no lock-in.
// Misleads: a standard interface may not reach all data, such as users, rights and history.
func exit(in *input) scoring.Measurement {
	offered, m, ok := take(in, in.p.Standards, "standard interfaces and formats in the catalogue")
	switch {
	case ok && len(offered) > 0:
		named := make([]string, len(offered))
		origins := firstOrigins(in.p.Standards)
		for i, s := range offered {
			named[i] = s.ID
			if s.Name != "" {
				named[i] = s.Name
			}
			if s.Source != "" && len(origins) < mostNames+1 {
				origins = append(origins, audit.Origin{Source: "documentation", URL: s.Source})
			}
		}
		return passed("yes", "standard interface: "+names(named), origins...)
	case ok:
		m = untold("the catalogue names no standard interface or format", "state how data is exported (LR-08: true if by an open format or standard interface), "+saying)
	}
	return in.told(m, more, "how data can be taken out")
}

// blastRadius (LR-09) asks: how much of the stack hangs on it? Information for the risk matrix, without pass or fail.
// Measured: deployed components that would be hit, by the dependency graphs of the SBOMs of the stack.
// Misleads: services that talk over the network show in no SBOM.
func blastRadius(in *input) scoring.Measurement {
	d, m, ok := take(in, in.p.Deployed, "what depends on it in the stack")
	switch {
	case !ok:
		return m
	case !plausible(d.Radius, len(d.Dependants)):
		return untold("the recorded dependency graph contradicts itself", "collect the stack again")
	}
	m = notApplicable(fmt.Sprintf("for information: %s would be hit, and %s of the stack depend on it", plural(d.Radius, "deployed component"), plural(len(d.Dependants), "other project")))
	if len(d.Dependants) > 0 {
		m.Reason += ": " + names(d.Dependants)
	}
	m.Value, m.Origins = fmt.Sprint(d.Radius), firstOrigins(in.p.Deployed)
	return m
}

// conflicts (LR-11, scs-0008 LR-2) asks: do the two largest organisations sell a closed or managed edition that competes?
// Measured: a statement of the operator only, who knows what he is offered; it stays tentative until an auditor accepts it.
// Misleads: as every statement.
func conflicts(in *input) scoring.Measurement {
	m := missed("nobody looked at what the largest contributors sell; needs: a declaration of the operator",
		"state whether the two largest organisations sell a competing closed or managed edition (LR-11: true if they do not), in the declarations of the stack")
	s, why := in.statement()
	switch {
	case s == nil && why != nothing:
		m.Outcome, m.Reason = audit.DNF, m.Reason+"; "+why
		return m
	case s == nil || s.By != scoring.ByOperator:
		return m
	}
	answer := untold("the statement is neither true nor false", "state true or false")
	reason := fmt.Sprintf("the operator says on %s: %s", day(s.At), clip(s.Value))
	switch s.Value {
	case "true":
		answer = passed("true", reason)
	case "false":
		answer = partly("false", reason)
	}
	return in.declare(answer, *s, m.Settle)
}

// dependencies (OS-10, scs-0008 FO-1.1) asks: are all runtime dependencies under open licences?
// Measured: the packages in the artifacts of the stack that hold the project, by the licences in their SBOMs. One under a
// restricted licence fails; one whose licence is not known leaves the answer open.
// Misleads: an image holds packages of the base system that the project does not need; a static binary hides some.
func dependencies(in *input) scoring.Measurement {
	d, m, ok := take(in, in.p.Deployed, "the packages in the artifacts that hold it")
	switch {
	case !ok:
		return m
	case !plausible(d.Dependencies, d.Unread) || len(d.Closed)+d.Unread > d.Dependencies:
		return untold("the recorded dependencies contradict themselves", "collect the stack again")
	case len(d.Closed) > 0:
		return in.count(len(d.Closed), less, fmt.Sprintf("restricted licence in %s of %s: %s", plain(len(d.Closed)), dependenciesOf(d.Dependencies), names(d.Closed)), firstOrigins(in.p.Deployed)...)
	case d.Dependencies == 0:
		return untold("no package was found in the artifacts that hold it", "give their contents as an image:, registry: or sbom: source")
	case d.Unread > 0:
		return untold(fmt.Sprintf("the licence of %d of %s is not known", d.Unread, dependenciesOf(d.Dependencies)), "find out these licences: name places under licences: in the stack file")
	}
	return in.count(0, less, "open licences in all of "+dependenciesOf(d.Dependencies), firstOrigins(in.p.Deployed)...)
}

func dependenciesOf(n int) string {
	if n == 1 {
		return "1 dependency"
	}
	return fmt.Sprintf("%d dependencies", n)
}

// documented adds the addresses that document alternatives to the origin of the catalogue.
func documented(origins []audit.Origin, found []scoring.Alternative) []audit.Origin {
	for _, a := range found[:min(mostNames, len(found))] {
		if a.Source != "" {
			origins = append(origins, audit.Origin{Source: "documentation", URL: a.Source})
		}
	}
	return origins
}
