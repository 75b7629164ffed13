package declaration

import (
	"fmt"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Result is what a declaration says about one matter at a moment. A PASS is declared: tentative until a reviewer accepted it.
type Result struct {
	ID        string
	Statement string
	Who, Role string
	Date      time.Time    // when it was said
	Expires   time.Time    // until when it counts
	Digest    audit.Digest // of the entry, which a reviewer accepts
	Outcome   audit.Outcome
	Declared  bool // always: only the operator says so
	Reason    string
	Settle    []string
	Origins   []audit.Origin // of the evidence that was looked at
	Observed  time.Time      // when the evidence was looked at last; zero: nobody did
	// Review is what a reviewer said; zero: nobody did.
	Review Review
}

// Tentative reports whether the result counts only after a reviewer accepted it.
func (r Result) Tentative() bool { return r.Outcome == audit.PASS && !r.Review.Accepted() }

// Looked is a look at a piece of evidence: Ask of its address, or of its file among those that were handed over. ok is false if
// nobody looked.
type Looked func(Evidence) (seen audit.Seen, ok bool)

// Judge says what the declarations of a file say at a moment, one result for each matter, in the order of the file. Of several
// entries about one matter the newest that was said by then counts. It is pure: the evidence was looked at before.
//
//	PASS  it was said, it counts, and all evidence is there unchanged
//	DNF   evidence is not there, changed or could not be read, with its name
//	MISS  it expired, it was not said yet, or nobody looked at the evidence
func Judge(f File, moment time.Time, looked Looked) []Result {
	var out []Result
	for _, e := range current(f.Entries, moment) {
		r := Result{ID: e.ID, Statement: e.Statement, Who: f.Who, Role: f.Role, Date: e.Date, Expires: e.Expires, Declared: true}
		name, err := f.Digest(e)
		if err != nil {
			r.Outcome, r.Reason = audit.DNF, "the declaration cannot be named: "+err.Error()
			out = append(out, r)
			continue
		}
		r.Digest = name
		out = append(out, r.judged(e, moment, looked))
	}
	return out
}

// current returns of each matter the newest entry that was said by the moment, or else the oldest of those to come.
func current(entries []Entry, moment time.Time) []Entry {
	var out []Entry
	for _, e := range entries {
		i := slices.IndexFunc(out, func(o Entry) bool { return o.ID == e.ID })
		switch {
		case i < 0:
			out = append(out, e)
		case out[i].Date.After(moment) && e.Date.Before(out[i].Date), !e.Date.After(moment) && e.Date.After(out[i].Date):
			out[i] = e
		}
	}
	return out
}

func (r Result) judged(e Entry, moment time.Time, looked Looked) Result {
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	switch {
	case e.Date.After(moment):
		r.Reason, r.Settle = "it was declared on "+day(e.Date)+", after the day that is judged", []string{"judge a later day"}
		return r
	case moment.After(e.Expires):
		r.Reason = "declared on " + day(e.Date) + ", it expired on " + day(e.Expires)
		r.Settle = []string{"check it again, and declare it anew with pegel declare --fact " + e.ID}
		return r
	}
	r.Outcome = audit.PASS
	r.Reason = fmt.Sprintf("%s (%s) declared it on %s, which counts until %s", r.Who, r.Role, day(e.Date), day(e.Expires))
	for _, v := range e.Evidence {
		seen, ok := audit.Seen{}, false
		if looked != nil {
			seen, ok = looked(v)
		}
		if ok {
			r.Origins = append(r.Origins, seen.Origin("declaration"))
			if seen.At.After(r.Observed) {
				r.Observed = seen.At
			}
		}
		outcome, why, settle := v.shown(seen, ok)
		// A look in vain says more than none; what was found first stands.
		if outcome == audit.PASS || r.Outcome == audit.DNF || r.Outcome == audit.MISS && outcome == audit.MISS {
			continue
		}
		r.Outcome, r.Reason, r.Settle = outcome, why, []string{settle}
	}
	if r.Outcome == audit.PASS {
		r.Settle = []string{"have a reviewer accept it: " + string(r.Digest)}
	}
	return r
}

// shown says whether a piece of evidence is there as it was declared.
func (e Evidence) shown(seen audit.Seen, ok bool) (outcome audit.Outcome, why, settle string) {
	name := printable(e.Name())
	was := seen.Digest
	if seen.Original != "" {
		was = seen.Original // personal data was dropped before it was kept
	}
	switch {
	case !ok:
		return audit.MISS, "nobody looked at the evidence " + name, "give it to the run"
	case seen.Trouble != nil && seen.Trouble.Outcome() == audit.MISS && seen.Trouble.Kind != audit.TroubleNotHanded:
		return audit.MISS, "nobody looked at the evidence " + name + ": " + seen.Trouble.Text, settleOr(seen.Trouble, "give it to the run")
	case seen.Trouble != nil && e.File != "" && (seen.Trouble.Kind == audit.TroubleNotHanded || seen.Trouble.Kind == audit.TroubleNotFound):
		return audit.DNF, "the evidence " + name + " is not there", "hand the file over with the declarations"
	case seen.Trouble != nil:
		return audit.DNF, "the evidence " + name + " cannot be seen: " + seen.Trouble.Text, settleOr(seen.Trouble, "name evidence that can be seen")
	case e.Digest == "" || e.Digest == was:
		return audit.PASS, "", ""
	case e.File != "":
		return audit.DNF, "the evidence " + name + " is another file than was declared: its digest differs", "hand over the file that was declared, or declare it anew"
	}
	return audit.DNF, "the page changed since it was declared: " + name, "look at the page, and declare it anew"
}

func settleOr(t *audit.Trouble, other string) string {
	if t.Settle != "" {
		return t.Settle
	}
	return other
}
