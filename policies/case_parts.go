package policies

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
	"cel.dev/cel-go/parser"
)

// part is a sub-expression of a rule.
type part struct {
	id       int64
	text     string
	function string // of a call
	boolean  bool   // gives true or false, and is no switch: those are settled in the policy
	parts    []part
}

// parts takes an expression apart, as explanations do: literals are left out, and so is the inside of macros and indices.
func (x *expression) parts() part {
	tree := x.checked.NativeRep()
	return partOf(tree.Expr(), tree)
}

func partOf(e ast.Expr, tree *ast.AST) part {
	text, err := parser.Unparse(e, tree.SourceInfo())
	if err != nil {
		text = "?"
	}
	settled := e.Kind() != ast.CallKind && e.Kind() != ast.ComprehensionKind && strings.HasPrefix(text, "switch.")
	out := part{id: e.ID(), text: text, boolean: tree.GetType(e.ID()).IsExactType(types.BoolType) && !settled}
	if _, macro := tree.SourceInfo().GetMacroCall(e.ID()); macro || e.Kind() != ast.CallKind {
		return out
	}
	out.function = e.AsCall().FunctionName()
	if out.function == operators.Index {
		return out
	}
	args := e.AsCall().Args()
	if e.AsCall().IsMemberFunction() {
		args = append([]ast.Expr{e.AsCall().Target()}, args...)
	}
	for _, a := range args {
		if a.Kind() != ast.LiteralKind && a.Kind() != ast.ListKind {
			out.parts = append(out.parts, partOf(a, tree))
		}
	}
	return out
}

// each calls f for a part and everything inside it.
func (p part) each(f func(part)) {
	f(p)
	for _, inner := range p.parts {
		inner.each(f)
	}
}

// values are what the parts of an expression were in one evaluation.
type values struct {
	top   ref.Val
	id    int64
	state interpreter.EvalState
}

// valuesOf evaluates an expression and keeps what its parts were.
func (x *expression) valuesOf(in cel.PartialActivation) values {
	out, details, err := x.program.Eval(in)
	if err != nil {
		out = types.WrapErr(err)
	}
	v := values{top: out, id: x.checked.NativeRep().Expr().ID()}
	if details != nil {
		v.state = details.State()
	}
	return v
}

// truth is "true", "false", or "" for anything else.
func (v values) truth(p part) string {
	value := v.top
	if p.id != v.id {
		if v.state == nil {
			return ""
		}
		value, _ = v.state.Value(p.id)
	}
	b, ok := value.(types.Bool)
	switch {
	case !ok:
		return ""
	case bool(b):
		return "true"
	}
	return "false"
}

// deciding lists the parts that lead to the answer: of an "and" that is false those that are false, of an "or" that is true
// those that are true, and so on down to the facts.
func (v values) deciding(p part) []string {
	out := []string{p.text}
	own := v.truth(p)
	for _, inner := range p.parts {
		switch p.function {
		case operators.LogicalAnd, operators.LogicalOr:
			if v.truth(inner) == own {
				out = append(out, v.deciding(inner)...)
			}
		case operators.Conditional:
			chosen := inner.id == p.parts[0].id || v.truth(inner) == own
			if chosen {
				out = append(out, v.deciding(inner)...)
			}
		case operators.LogicalNot:
			out = append(out, v.deciding(inner)...)
		default:
			inner.each(func(x part) { out = append(out, x.text) })
		}
	}
	return out
}

// hasPart says whether a text is a part of the rule, whatever its blanks.
func (r *rule) hasPart(text string) bool {
	found := false
	for _, x := range []*expression{r.applies, r.pass} {
		if x != nil {
			x.parts().each(func(p part) { found = found || sameText(p.text, text) })
		}
	}
	return found
}

// sameText compares expressions without their blanks and kinds of quotation marks.
func sameText(a, b string) bool {
	plain := func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, " ", ""), "'", `"`) }
	return plain(a) == plain(b)
}

func containsText(list []string, text string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return sameText(s, text) })
}
