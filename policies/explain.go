package policies

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
	"cel.dev/cel-go/parser"
)

// Explanation is an expression with the value it had, and the expressions it is made of. Literals are left out.
type Explanation struct {
	Text  string // as a rule would write it
	Value string // "true", "false", "not known", "error: ...", or the value of a fact
	Parts []Explanation
}

// String writes the tree, one expression a line, two spaces deeper for each level.
func (x Explanation) String() string {
	var b strings.Builder
	x.write(&b, 0)
	return b.String()
}

func (x Explanation) write(b *strings.Builder, depth int) {
	fmt.Fprintf(b, "%s%s = %s\n", strings.Repeat("  ", depth), x.Text, x.Value)
	for _, p := range x.Parts {
		p.write(b, depth+1)
	}
}

// Explain shows how the rules behind a finding of Evaluate(in) came to their answers: first applies, if there is one, then
// pass. ok is false if no rule was asked: nothing of the kind was seen, packages are folded, or a release has no operator.
func (p *Policy) Explain(in Input, finding string) (rules []Explanation, ok bool, err error) {
	e, err := p.prepare(in)
	if err != nil {
		return nil, false, err
	}
	for _, q := range e.questions() {
		id, found := strings.CutPrefix(finding, q.id+"/")
		if !found || q.ForEach == KindOperator && in.ReleaseWithoutOperator {
			continue
		}
		for i := range e.subjects[q.ForEach] {
			if s := &e.subjects[q.ForEach][i]; s.Ref.ID == id && s.area&q.asked != 0 {
				rules, err := q.rule.explain(s.facts, q.gates[roleOf(s.Subject)])
				return rules, err == nil, err
			}
		}
	}
	return nil, false, nil
}

func (r *rule) explain(values []fact, gates gatesByAspect) ([]Explanation, error) {
	in, _, err := r.input(values, gates)
	if err != nil {
		return nil, err
	}
	var out []Explanation
	for _, x := range []*expression{r.applies, r.pass} {
		if x != nil {
			out = append(out, x.explain(in))
		}
	}
	return out, nil
}

func (x *expression) explain(in cel.PartialActivation) Explanation {
	tree := x.checked.NativeRep()
	out, details, err := x.program.Eval(in)
	if err != nil {
		out = types.WrapErr(err)
	}
	var state interpreter.EvalState
	if details != nil {
		state = details.State()
	}
	top := explainNode(tree.Expr(), tree.SourceInfo(), state)
	top.Value = valueWords(out)
	return top
}

func explainNode(e ast.Expr, info *ast.SourceInfo, state interpreter.EvalState) Explanation {
	text, err := parser.Unparse(e, info)
	if err != nil {
		text = "?"
	}
	out := Explanation{Text: text, Value: "not known"}
	if state != nil {
		if v, ok := state.Value(e.ID()); ok {
			out.Value = valueWords(v)
		}
	}
	// The state keeps the last round of a macro only, so its body is not shown; of x[y] it keeps the whole only.
	if _, macro := info.GetMacroCall(e.ID()); macro || e.Kind() != ast.CallKind || e.AsCall().FunctionName() == operators.Index {
		return out
	}
	args := e.AsCall().Args()
	if e.AsCall().IsMemberFunction() {
		args = append([]ast.Expr{e.AsCall().Target()}, args...)
	}
	for _, a := range args {
		if a.Kind() != ast.LiteralKind && a.Kind() != ast.ListKind {
			out.Parts = append(out.Parts, explainNode(a, info, state))
		}
	}
	return out
}

func valueWords(v ref.Val) string {
	switch x := v.(type) {
	case nil, *types.Unknown:
		return "not known"
	case *types.Err:
		return "error: " + clean(x.String())
	case interval:
		return outOfHundred(x.Low(), x.High())
	}
	if m, ok := v.Value().(map[string]int64); ok {
		return shown(fact{value: m})
	}
	return clean(fmt.Sprint(v.Value()))
}
