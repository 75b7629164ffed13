package transparency

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// securityContact answers SC-01. RFC 9116 asks for a Contact and for one Expires that lies in the future; a file that breaks
// the RFC elsewhere can still be used and is PART. Expires is compared with the moment of the look and must lie days beyond it.
// A mail address counts as a contact, because nobody can tell without writing whether somebody reads it.
func securityContact(q Question) Measurement {
	var best Measurement
	for _, a := range q.Artifacts {
		if a.SecurityTxt == nil {
			continue
		}
		if m := securityTxt(a, q.Rule.Numbers["days"]); best.Reason == "" || audit.Worst(m.Outcome, best.Outcome) != m.Outcome {
			best = m
		}
	}
	if best.Reason == "" {
		return Measurement{Outcome: audit.DNF, Reason: "no file was read", Settle: []string{"publish /.well-known/security.txt"}}
	}
	return best
}

func securityTxt(a Artifact, days int) Measurement {
	f := *a.SecurityTxt
	m := Measurement{Origins: a.Origins(), Observed: a.Observed(), Unit: "days"}
	left := f.Expires.Sub(a.Observed())
	if !f.Expires.IsZero() {
		m.Value = new(int64(left / (24 * time.Hour)))
	}
	fail := func(reason, settle string) Measurement {
		m.Outcome, m.Reason, m.Settle = audit.FAIL, reason, []string{settle}
		return m
	}
	switch {
	case len(f.Contacts) == 0:
		return fail("it names no contact that can be used", "add a line Contact with mailto:, https: or tel:")
	case f.Expires.IsZero():
		return fail("it does not say until when it holds, which the RFC demands", "add one line Expires with a time as RFC 3339 writes it")
	case a.Observed().IsZero():
		m.Outcome, m.Reason, m.Settle = audit.DNF, "nobody wrote down when it was looked at", []string{"look again"}
		return m
	case left < -lookSkew:
		return fail("it expired on "+onDay(f.Expires), "renew it")
	case left < lookSkew:
		m.Outcome, m.Reason, m.Settle = audit.DNF, "it expires within the minutes by which clocks may differ", []string{"renew it, and look again"}
		return m
	case left < time.Duration(days)*24*time.Hour:
		return fail(fmt.Sprintf("it expires on %s, in less than %d days", onDay(f.Expires), days), "renew it")
	}
	dead, unknown := 0, 0
	for _, c := range f.Contacts {
		switch {
		case c.Kind == "https" && c.Reachable == nil:
			unknown++
		case c.Kind == "https" && !*c.Reachable:
			dead++
		}
	}
	told := fmt.Sprintf("%s, valid until %s", contactKinds(f.Contacts), onDay(f.Expires))
	switch {
	case dead == len(f.Contacts):
		return fail("the address it names as contact does not exist", "name one that exists")
	case dead+unknown == len(f.Contacts):
		m.Outcome, m.Reason, m.Settle = audit.DNF, "nobody could tell whether the address it names as contact answers", []string{"look again from another network"}
	case len(f.Problems) > 0:
		m.Outcome, m.Reason, m.Settle = audit.PART, told+"; it breaks RFC 9116: "+someOf(f.Problems, 3), []string{"mend what breaks the RFC"}
	default:
		m.Outcome, m.Reason = audit.PASS, told
	}
	return m
}

// contactKinds says by which ways somebody can be reached.
func contactKinds(list []Contact) string {
	var kinds []string
	for _, c := range list {
		if !slices.Contains(kinds, c.Kind) {
			kinds = append(kinds, c.Kind)
		}
	}
	slices.Sort(kinds)
	return "contact by " + strings.Join(kinds, ", ")
}

// securitySigned answers SC-02, for information: RFC 9116 recommends a signature. That there is one is all that is said; whose
// key made it, and whether it is right, only somebody with the right key can tell.
func securitySigned(q Question) Measurement {
	for _, a := range q.Artifacts {
		if a.SecurityTxt != nil && a.SecurityTxt.Signed {
			return Measurement{Outcome: audit.PASS, Reason: "it is an OpenPGP cleartext message; the signature was not verified", Origins: a.Origins(), Observed: a.Observed()}
		}
	}
	return Measurement{Outcome: audit.FAIL, Reason: "it is not signed, which RFC 9116 only recommends", Settle: []string{"sign it with OpenPGP"}}
}

// imprintComplete answers IM-01: of company, address, contact and register at least parts are found. A recogniser may miss
// what a person sees: what is missing makes it PART, and nothing found at all leaves it open.
func imprintComplete(q Question) Measurement {
	var found []string
	for _, a := range q.Artifacts {
		if a.Imprint != nil && len(a.Imprint.Found) > len(found) {
			found = a.Imprint.Found
		}
	}
	parts := q.Rule.Numbers["parts"]
	m := Measurement{Value: new(int64(len(found))), Unit: "parts"}
	switch {
	case len(found) == 0:
		m.Outcome, m.Reason = audit.DNF, "there is a page with the imprint, and none of its parts could be recognised"
		m.Settle = []string{"a person looks whether it names company, address, contact and register"}
	case len(found) < parts:
		m.Outcome, m.Reason = audit.PART, fmt.Sprintf("found: %s; %d parts are asked for", strings.Join(found, ", "), parts)
		m.Settle = []string{"name company, postal address, contact and register in it"}
	default:
		m.Outcome, m.Reason = audit.PASS, "found: "+strings.Join(found, ", ")
	}
	return m
}

// certificateLinked answers CP-01. scs-0004-v1, rule 6, requires of public clouds that the certificate is shown with a
// hyperlink to the certificate status page; of others it only asks that the logo, where it is used, has one. The status page
// itself, with its history, belongs to SCS (rule 4).
func certificateLinked(q Question) Measurement {
	for _, a := range q.Artifacts {
		if f := a.CertificatePage; f != nil && f.Link != "" {
			return certificateStatus(a)
		}
	}
	m := Measurement{Outcome: audit.FAIL, Reason: "no hyperlink to the certificate status page was found on the page of the operator",
		Settle: []string{"put the logo with a hyperlink to the certificate status page there (scs-0004-v1, rule 6)"}}
	if x := q.Evidence.Exposure; x == "private" || x == "community" {
		m.Outcome, m.Settle = audit.NA, nil
		m.Reason = "scs-0004-v1 requires the public display of public clouds only, and this one is " + x
	}
	return m
}

func certificateStatus(a Artifact) Measurement {
	f := *a.CertificatePage
	m := Measurement{Origins: a.Origins(), Observed: a.Observed()}
	if len(f.Scopes) == 0 {
		m.Outcome, m.Reason = audit.DNF, "it links to "+f.Link+", which shows no scope of SCS that can be recognised"
		m.Settle = []string{"link to the page that shows the results of this cloud"}
		return m
	}
	m.Outcome, m.Reason = audit.PASS, "it links to "+f.Link+", which shows "+strings.Join(f.Scopes, ", ")
	if !f.SCS {
		m.Declared = true
		m.Reason += "; it stands at no host from which SCS is known to serve such pages (scs-0004-v1, rule 4), so that it is its owner's word"
	}
	if f.History {
		m.Reason += fmt.Sprintf(", with results since %s", onDay(f.HistoryFrom))
	} else {
		m.Reason += "; no history of results was recognised there"
	}
	return m
}
