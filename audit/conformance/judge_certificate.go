package conformance

import (
	"fmt"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// judgeCertificates answers whether a certificate is held: of several subjects by each of them.
func judgeCertificates(entries []Entry, at time.Time) Answer {
	var subjects []string
	sources := map[string][]Answer{}
	for _, e := range entries {
		if e.Kind != KindCertificate || replaced(e, entries, at) {
			continue
		}
		if _, has := sources[e.Subject]; !has {
			subjects = append(subjects, e.Subject)
		}
		a := Answer{}
		switch {
		case e.Trouble != nil:
			a = troubled(e)
		case e.Certificate != nil:
			a = judgeCertificate(*e.Certificate, at)
			a.Origins, a.Observed, a.Handed = origins(e), observed(e), e.Handed
		}
		sources[e.Subject] = append(sources[e.Subject], a)
	}
	if len(subjects) == 0 {
		return Answer{Reason: "nobody named a certificate", Settle: []string{settleCertificate}}
	}
	var parts []Answer
	for _, subject := range subjects {
		parts = append(parts, agree(sources[subject]))
	}
	return all(parts)
}

// replaced reports whether a certificate is over and another one of the same subject is not: a renewed one counts alone.
func replaced(e Entry, entries []Entry, at time.Time) bool {
	over := func(e Entry) bool {
		return e.Certificate != nil && !e.Certificate.Issued.IsZero() && !at.Before(e.Certificate.Until())
	}
	return over(e) && slices.ContainsFunc(entries, func(o Entry) bool {
		return o.Kind == KindCertificate && o.Subject == e.Subject && o.Certificate != nil && !over(o)
	})
}

// judgeCertificate holds one certificate against scs-0004. Whatever the page shows, the answer stays declared: SCS publishes
// nothing that says for a program since when and for which version of the scope a certificate is held.
func judgeCertificate(c Certificate, at time.Time) Answer {
	a := Answer{Declared: true, ValidUntil: c.Until()}
	host := c.Page.Host
	if host == "" {
		host = "the page that was handed over"
	}
	switch {
	case c.Revocations.Listed:
		a.Outcome, a.Reason = audit.FAIL, "the certificate stands in the list of revoked certificates"
		a.Settle = []string{"ask the SCS certification assessment body for a new certificate"}
	case c.Page.Listed == ListedNotCertified:
		a.Outcome, a.Reason = audit.FAIL, fmt.Sprintf("%s lists %q among the environments that are not certified", host, c.Subject)
		a.Settle = []string{"ask the SCS certification assessment body for a certificate"}
	case c.Issued.After(at.Add(doubt)):
		a.Outcome, a.Reason = audit.DNF, "the certificate is said to be issued on "+c.Issued.Format(time.DateOnly)+", which is yet to come"
		a.Settle = []string{"correct the date of issue"}
	case !c.Issued.IsZero() && !at.Before(c.Until()):
		a.Outcome, a.Reason = audit.FAIL, fmt.Sprintf("the certificate of %s was over on %s: it counts for one year (scs-0004)", c.Issued.Format(time.DateOnly), c.Until().Format(time.DateOnly))
		a.Settle = []string{"ask the SCS certification assessment body for a new certificate"}
	case c.Page.Listed == ListedCertified:
		a.Outcome, a.Reason = audit.PASS, fmt.Sprintf("%s lists %q among the certified environments%s", host, c.Subject, c.since())
	case !c.Page.NamesSubject:
		a.Outcome, a.Reason = audit.DNF, fmt.Sprintf("%s does not name %q", host, c.Subject)
		a.Settle = []string{settleCertificate}
	case !c.Page.NamesScope:
		a.Outcome, a.Reason = audit.DNF, fmt.Sprintf("%s does not name the scope SCS-compatible on this layer", host)
		a.Settle = []string{settleCertificate}
	case c.Issued.IsZero():
		a.Outcome, a.Reason = audit.DNF, "a certificate counts for one year (scs-0004), and nobody said when this one was issued"
		a.Settle = []string{"give the date of issue of the certificate"}
	default:
		a.Outcome, a.Reason = audit.PASS, fmt.Sprintf("%s names %q and the scope%s", host, c.Subject, c.since())
	}
	if a.Outcome != audit.PASS {
		a.ValidUntil, a.Declared = time.Time{}, false
	}
	a.Reason += c.revocationWords(a.Outcome)
	return a
}

func (c Certificate) since() string {
	text := "; nobody said when the certificate was issued"
	if !c.Issued.IsZero() {
		text = fmt.Sprintf("; the operator says it was issued on %s", c.Issued.Format(time.DateOnly))
		if c.Issuer != "" {
			text += " by " + c.Issuer
		}
	}
	if c.Version != "" {
		text += ", for version " + c.Version
	}
	return text
}

func (c Certificate) revocationWords(o audit.Outcome) string {
	switch {
	case o != audit.PASS:
		return ""
	case c.Revocations.Read:
		return fmt.Sprintf("; not among the %d rows of the list of revoked certificates", c.Revocations.Rows)
	case c.Revocations.Trouble != nil:
		return "; the list of revoked certificates could not be read: " + c.Revocations.Trouble.Text
	}
	return "; no list of revoked certificates was named"
}
