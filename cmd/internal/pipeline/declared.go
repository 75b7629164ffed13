package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/declaration"
	"github.com/pegel-audit/pegel/cmd/internal/visit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// declarationsSchema names the form in which declarations cross the wall.
const declarationsSchema = "pegel/declarations/v1"

// declarationsDocument is what an operator declares, with the looks at the evidence that it names.
type declarationsDocument struct {
	Schema string             `json:"schema"`
	Name   string             `json:"name"` // of the file
	Text   string             `json:"text"` // of the file
	Looks  []declaration.Look `json:"looks,omitempty"`
}

// maxDeclarations bounds a file of declarations and that of an acceptance.
const maxDeclarations = 1 << 20

// readDeclarations reads the file that the stack file names; nil if it names none.
func readDeclarations(stack Stack) (*declaration.File, []byte, error) {
	if stack.Declarations == "" {
		return nil, nil, nil
	}
	const hint = "docs/declarations.md shows such a file; pegel declare helps to write one"
	data, err := readBounded(relativeTo(stack.Dir, stack.Declarations), maxDeclarations)
	if err != nil {
		if os.IsNotExist(err) {
			err = fmt.Errorf("no such file")
		}
		return nil, nil, usagef(hint, "reading declarations %q: %w", stack.Declarations, err)
	}
	f, err := declaration.Parse(data, stack.Declarations)
	if err != nil {
		return nil, nil, &UsageError{Err: err, Hint: hint}
	}
	for _, entry := range f.Entries { // the text is kept as it is: a reviewer accepts its digest
		for _, e := range entry.Evidence {
			page, _, _ := strings.Cut(e.URL, "#")
			if e.URL != "" && strings.Contains(visit.Masked(page), visit.Hidden) && !strings.Contains(page, visit.Hidden) {
				return nil, nil, usagef("give an address that needs no token, or hand the page over as a file",
					"reading declarations %q: line %d: url %q carries what looks like a token, and what is declared is kept word for word", stack.Declarations, e.Line, visit.Masked(page))
			}
		}
	}
	return &f, data, nil
}

// declarations looks at the evidence that the operator's declarations name; nil if there are none.
func (g *gatherer) declarations(ctx context.Context, visitor *visit.Visitor) *declarationsDocument {
	if g.declares == nil || g.stack.Subject.Kind == "release" {
		return nil
	}
	d := &declarationsDocument{Schema: declarationsSchema, Name: filepath.Base(g.stack.Declarations), Text: string(g.declaresText)}
	d.Looks = visit.Declared(ctx, *g.declares, visit.DeclaredOptions{
		Dir: filepath.Dir(relativeTo(g.stack.Dir, g.stack.Declarations)), Ask: visitor.Ask, At: g.at, Keep: g.keptBy(),
	})
	if ctx.Err() != nil {
		return nil
	}
	return d
}

// AcceptanceFile is what a reviewer says about declarations, with its signature (SSHSIG, armoured).
type AcceptanceFile struct {
	Name      string
	Data      []byte
	Signature []byte // empty: it is not signed, and counts for nothing
}

// ReadAcceptance reads the file of a reviewer and, beside it, its signature: NAME.sig.
func ReadAcceptance(name string) (AcceptanceFile, error) {
	data, err := readBounded(name, maxDeclarations)
	if err != nil {
		return AcceptanceFile{}, usagef("docs/declarations.md shows such a file", "reading acceptance %q: %w", name, plainPath(name, err))
	}
	sig, err := readBounded(name+".sig", maxDeclarations)
	if err != nil && !os.IsNotExist(err) {
		return AcceptanceFile{}, usagef("sign it with ssh-keygen -Y sign -n "+declaration.Namespace, "reading signature %q: %w", name+".sig", plainPath(name, err))
	}
	return AcceptanceFile{Name: name, Data: data, Signature: sig}, nil
}

// ReadReviewers reads the list of who may accept declarations, in the form of allowed_signers(5).
func ReadReviewers(name string) ([]byte, error) {
	data, err := readBounded(name, maxDeclarations)
	if err != nil {
		return nil, usagef("name a file of allowed signers, as ssh-keygen reads it", "reading reviewers %q: %w", name, plainPath(name, err))
	}
	return data, nil
}

// declare judges the declarations of the bundle, with what reviewers say about them.
func (d *dossier) declare(opt AssessOptions) error {
	d.contradicted = map[string]string{}
	if d.declared == nil {
		return nil
	}
	f, err := declaration.Parse([]byte(d.declared.Text), d.declared.Name)
	if err != nil {
		return err
	}
	var accepted []declaration.Acceptance
	for _, a := range opt.Acceptances {
		one, err := declaration.ParseAcceptance(a.Data, a.Signature, opt.Reviewers, a.Name, d.stack.AssessedAt)
		if err != nil {
			return &UsageError{Err: err, Hint: "docs/declarations.md shows such a file"}
		}
		accepted = append(accepted, one)
	}
	results := declaration.Judge(f, d.stack.AssessedAt, declaration.LookedAt(d.declared.Looks))
	if operator := d.stack.Subject.Operator.Name; operator != "" && !sameName(f.Who, operator) {
		for i := range results {
			results[i].Outcome, results[i].Settle = audit.MISS, []string{"have the operator itself declare it: who: " + operator}
			results[i].Reason = fmt.Sprintf("%s declared it, and %s runs the cloud", f.Who, operator)
		}
	}
	d.declares = declaration.Reviewed(results, accepted, d.stack.AssessedAt)
	return nil
}

// stateFacts puts declared facts where nothing was measured. A declaration never replaces a measured fact, and counts only
// for facts that some requirement lets a declaration settle.
func (d *dossier) stateFacts(kind string, sub *policies.Subject, set func(field string)) {
	for _, s := range d.declares {
		for _, field := range d.declarable(kind, sub.Ref.ID, s.ID) {
			at := slices.IndexFunc(sub.Unknown, func(u policies.UnknownField) bool { return u.Field == field })
			switch {
			case at < 0 && !sub.Declared[field]:
				if s.Outcome == audit.PASS && !d.isTrue(sub, field) {
					d.contradicted[s.ID] = sub.Says[field]
				}
			case s.Outcome == audit.PASS:
				if at >= 0 {
					sub.Unknown = slices.Delete(sub.Unknown, at, at+1)
				}
				set(field)
				sub.Declared[field], sub.Says[field] = s.Tentative(), s.Reason
				sub.Until[field] = s.Expires
				delete(sub.ObservedAt, field) // it counts until it expires, not from a look
				sub.Origins[field] = append(slices.Clone(sub.Origins[field]), s.Origins...)
			case at >= 0:
				u := &sub.Unknown[at]
				u.Reason = strings.TrimPrefix(u.Reason+"; "+s.Reason, "; ")
				u.Settle = append(slices.Clone(u.Settle), s.Settle...)
				u.Looked = u.Looked || s.Outcome == audit.DNF
			}
		}
	}
}

// sameName compares names of organisations as people write them.
func sameName(a, b string) bool {
	fold := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
	return fold(a) == fold(b)
}

func (d *dossier) isTrue(sub *policies.Subject, field string) bool {
	value, ok := policies.BoolOf(sub.Record, field)
	return ok && value
}

// declarable lists the facts of a subject that a declaration of this id may settle: id is kind.field, the id of the subject, or
// that of a requirement.
func (d *dossier) declarable(kind, subject, id string) []string {
	var out []string
	for _, q := range d.policy.Requirements() {
		if q.ForEach != kind || !q.DeclaredOK {
			continue
		}
		for _, path := range q.Evidence {
			field := strings.TrimPrefix(path, kind+".")
			if _, isBool := policies.BoolOf(emptyRecord(kind), field); !isBool || slices.Contains(out, field) {
				continue
			}
			if id == path || id == q.ID && kind == policies.KindOperator || id == subject && field == "held" {
				out = append(out, field)
			}
		}
	}
	return out
}

// aboutNothing reports whether no rule lets a declaration of this id settle a fact.
func (d *dossier) aboutNothing(id string) bool {
	if len(d.declarable(policies.KindOperator, "operator", id)) > 0 {
		return false
	}
	for _, layer := range d.policy.Layers() {
		if len(d.declarable(policies.KindPrerequisite, "scs-compatible-"+layer, id)) > 0 {
			return false
		}
	}
	return true
}

func emptyRecord(kind string) any {
	if kind == policies.KindPrerequisite {
		return policies.Prerequisite{}
	}
	return policies.Operator{}
}

// declarationRows are the statements as readers see them.
func (d *dossier) declarationRows() []reports.Declaration {
	var out []reports.Declaration
	for _, s := range d.declares {
		row := reports.Declaration{
			ID: s.ID, Who: s.Who, Role: s.Role, Date: s.Date, Expires: s.Expires, Statement: s.Statement, Outcome: s.Outcome, Reason: s.Reason, Origins: s.Origins,
			Digest: s.Digest, Notes: s.Review.Notes,
		}
		if s.Review.Accepted() {
			row.Accepted = s.Review.Reviewer
		}
		if d.aboutNothing(s.ID) {
			row.Notes = append(slices.Clone(row.Notes), "no requirement of the policy asks for it; it counts only as a manual test case of an SCS scope")
		}
		if otherwise := d.contradicted[s.ID]; otherwise != "" {
			row.Reason += "; measured otherwise: " + otherwise
		}
		out = append(out, row)
	}
	return out
}
