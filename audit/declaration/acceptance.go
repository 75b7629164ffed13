package declaration

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/signature"
)

// AcceptanceSchema names the form of a file in which a reviewer accepts or disputes declarations.
const AcceptanceSchema = "pegel/acceptance/v1"

// Namespace is the purpose that a reviewer signs an acceptance for: ssh-keygen -Y sign -n pegel-acceptance.
const Namespace = "pegel-acceptance"

// Decisions of a reviewer.
const (
	Accept  = "accept"
	Dispute = "dispute"
)

// Acceptance is what one reviewer says about declarations.
type Acceptance struct {
	Reviewer  string // the organisation
	Role      string // a role, never a person
	Date      time.Time
	Decisions []Decision
	// Key is the fingerprint of the key that signed it, SHA256:...; empty: no signature holds, and Void says why.
	Key  string
	Void string
}

// Decision is about one declaration.
type Decision struct {
	Declaration audit.Digest // as File.Digest names it
	ID          string       // of the matter, so that a changed declaration can be told from another one; may be empty
	Decision    string       // accept or dispute
	Comment     string
}

// Review is what reviewers say about a declaration.
type Review struct {
	Decision string // accept, dispute; empty: nobody decided
	Reviewer string
	Role     string
	Date     time.Time
	Comment  string
	Key      string   // fingerprint of the key that signed
	Notes    []string // why acceptances that are there do not count
}

// Accepted reports whether a reviewer accepted it and none disputed it.
func (r Review) Accepted() bool { return r.Decision == Accept }

// ParseAcceptance reads the file of a reviewer and checks its signature against the list of allowed signers, which comes from
// the reviewer and never from the stack; name is used in errors only. The error is about the form of the file. A signature that
// does not hold is none: it is said in Void, and the acceptance counts for nothing.
func ParseAcceptance(data, armored, allowedSigners []byte, name string, moment time.Time) (Acceptance, error) {
	a, err := parseAcceptance(data)
	if err != nil {
		return Acceptance{}, fmt.Errorf("reading acceptance %q: %w", printable(name), err)
	}
	switch {
	case len(armored) == 0:
		a.Void = "it is not signed"
		return a, nil
	case len(allowedSigners) == 0:
		a.Void = "nobody said which reviewers may sign"
		return a, nil
	}
	signer, err := signature.Verify(data, armored, allowedSigners, "", Namespace, moment)
	switch {
	case errors.Is(err, signature.ErrTampered):
		a.Void = "its signature does not fit: the file was changed after it was signed"
	case errors.Is(err, signature.ErrSigner):
		a.Void = "its signer is not among the reviewers that are allowed on that day and for " + Namespace
	case err != nil:
		a.Void = "its signature cannot be read"
	default:
		a.Key = signer.KeyFingerprint
	}
	return a, nil
}

func parseAcceptance(data []byte) (a Acceptance, err error) {
	root, err := parseNode(data)
	if err != nil {
		return a, err
	}
	keys, err := fields(root, "the file", "schema", "reviewer", "role", "date", "accepts")
	if err != nil {
		return a, err
	}
	var schema string
	for key, to := range map[string]*string{"schema": &schema, "reviewer": &a.Reviewer, "role": &a.Role} {
		if *to, err = text(keys[key], key); err != nil {
			return a, err
		}
	}
	if a.Date, err = day(keys["date"], "date"); err != nil {
		return a, err
	}
	if schema != AcceptanceSchema {
		return a, at(root, "schema is %q, want %q", printable(schema), AcceptanceSchema)
	}
	if err := plain(a.Reviewer, "reviewer (the organisation)", mostName, false); err != nil {
		return a, at(root, "%w", err)
	}
	if err := plain(a.Role, "role", mostName, false); err != nil {
		return a, at(root, "%w", err)
	}
	if a.Date.IsZero() {
		return a, at(root, "date is missing; write it like 2026-11-24")
	}
	nodes, err := list(keys["accepts"], "accepts", mostEntries)
	if err != nil {
		return a, err
	}
	for _, n := range nodes {
		d, err := readDecision(n)
		if err != nil {
			return a, err
		}
		if slices.ContainsFunc(a.Decisions, func(o Decision) bool { return o.Declaration == d.Declaration }) {
			return a, at(n, "declaration %s stands twice", d.Declaration)
		}
		a.Decisions = append(a.Decisions, d)
	}
	return a, nil
}

func readDecision(n *yaml.Node) (d Decision, err error) {
	keys, err := fields(n, "an entry of accepts", "declaration", "id", "decision", "comment")
	if err != nil {
		return d, err
	}
	if d.Declaration, err = digest(keys["declaration"]); err != nil {
		return d, err
	}
	for key, to := range map[string]*string{"id": &d.ID, "decision": &d.Decision, "comment": &d.Comment} {
		if *to, err = text(keys[key], key); err != nil {
			return d, err
		}
	}
	switch {
	case d.Declaration == "":
		return d, at(n, "declaration is missing; pegel declare check prints the digests")
	case d.ID != "" && !idForm.MatchString(d.ID):
		return d, at(n, "id is %q, want that of the declaration", printable(d.ID))
	case d.Decision != Accept && d.Decision != Dispute:
		return d, at(n, "decision is %q, want %s or %s", printable(d.Decision), Accept, Dispute)
	case d.Decision == Dispute && d.Comment == "":
		return d, at(n, "a dispute needs a comment that says why")
	}
	if d.Comment != "" {
		if err := plain(d.Comment, "the comment", mostStatement, true); err != nil {
			return d, at(n, "%w", err)
		}
	}
	return d, nil
}

// Reviewed returns the results with what reviewers say about them. Only a signed acceptance of the very declaration counts, by
// another organisation than the one that declares, made between the declaration and the moment that is judged. What does not
// count is noted. A dispute that counts makes a PASS DNF, whoever accepted it. Nothing else is changed: nobody can accept what
// expired or what its evidence does not show.
func Reviewed(results []Result, acceptances []Acceptance, moment time.Time) []Result {
	out := slices.Clone(results)
	for i := range out {
		out[i].Settle = slices.Clone(out[i].Settle)
		for _, a := range acceptances {
			for _, d := range a.Decisions {
				out[i].review(a, d, moment)
			}
		}
	}
	return out
}

func (r *Result) review(a Acceptance, d Decision, moment time.Time) {
	if d.Declaration != r.Digest && (d.ID == "" || d.ID != r.ID) {
		return
	}
	if why := r.voids(a, d, moment); why != "" {
		r.Review.Notes = append(r.Review.Notes, fmt.Sprintf("not accepted by %s: %s", a.Reviewer, why))
		return
	}
	if r.Review.Decision == Dispute || r.Review.Decision == d.Decision { // one acceptance is enough
		return
	}
	r.Review = Review{Decision: d.Decision, Reviewer: a.Reviewer, Role: a.Role, Date: a.Date, Comment: d.Comment, Key: a.Key, Notes: r.Review.Notes}
	if r.Outcome != audit.PASS {
		return
	}
	by := fmt.Sprintf("%s (%s) on %s", a.Reviewer, a.Role, a.Date.Format(time.DateOnly))
	if d.Decision == Dispute {
		r.Outcome, r.Reason, r.Settle = audit.DNF, "it is disputed by "+by+": "+d.Comment, []string{"settle it with the reviewer, and declare it anew"}
		return
	}
	r.Reason, r.Settle = r.Reason+"; accepted by "+by, nil
}

// voids says why a decision does not count; empty if it does.
func (r *Result) voids(a Acceptance, d Decision, moment time.Time) string {
	switch {
	case a.Void != "":
		return a.Void
	case a.Key == "":
		return "it is not signed"
	case d.Declaration != r.Digest:
		return "the declaration changed since"
	case same(a.Reviewer, r.Who):
		return "an operator cannot accept its own word"
	case a.Date.Before(r.Date):
		return "it was made before the declaration"
	case a.Date.After(moment):
		return "it was made after the day that is judged"
	}
	return ""
}

// legalForms end names of organisations: they differ between a register and what people write.
var legalForms = []string{"gmbhcokg", "gmbh", "ag", "se", "kgaa", "kg", "ohg", "ug", "ev", "eg", "sas", "sarl", "sa", "inc", "llc", "ltd", "bv", "srl", "spa"}

// same compares names of organisations without case, punctuation, blanks and legal form. Who is called like the other but for
// these is taken for the same: an acceptance that does not count can be written again by somebody else.
func same(a, b string) bool {
	fold := func(s string) string {
		words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune(" .,-_&+'\"()", r) })
		for n := 1; n < len(words); n++ {
			if slices.Contains(legalForms, strings.Join(words[n:], "")) {
				return strings.Join(words[:n], "")
			}
		}
		return strings.Join(words, "")
	}
	return fold(a) == fold(b)
}
