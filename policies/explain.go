package policies

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
	"cel.dev/cel-go/parser"

	"github.com/pegel-audit/pegel/audit"
)

// Explanation is an expression with the value it had, and the expressions it is made of. Literals are left out.
type Explanation = audit.Explanation

// Explain shows how the rules behind a finding of Evaluate(in) came to their answers: first applies, if there is one, then
// pass, if it was asked. ok is false if no rule was asked: nothing of the kind was seen, or a release has no operator.
func (p *Policy) Explain(in Input, finding string) (rules []Explanation, ok bool, err error) {
	in.Explain = true
	result, err := p.Evaluate(in)
	if err != nil {
		return nil, false, err
	}
	for _, f := range result.Findings {
		if f.ID == finding && f.Tree > 0 {
			return result.Trees[f.Tree-1], true, nil
		}
	}
	return nil, false, nil
}

// shape is what an explanation of an expression shows whatever its facts are: made once, when the rule is compiled.
type shape struct {
	id    int64
	text  string
	fact  string // path, if the expression is a fact
	truth bool   // the expression gives yes or no
	parts []shape
}

func shapeOf(checked *cel.Ast) shape {
	tree := checked.NativeRep()
	return shapeNode(tree.Expr(), tree, false)
}

func shapeNode(e ast.Expr, tree *ast.AST, inner bool) shape {
	info := tree.SourceInfo()
	text, err := parser.Unparse(e, info)
	if err != nil {
		text = "?"
	}
	out := shape{id: e.ID(), text: text, truth: !inner}
	if t := tree.GetType(e.ID()); t != nil {
		out.truth = t.IsExactType(cel.BoolType)
	}
	if e.Kind() == ast.IdentKind {
		out.fact = e.AsIdent()
	}
	// The state keeps the last round of a macro only, so its body is not shown; of x[y] it keeps the whole only.
	if _, macro := info.GetMacroCall(e.ID()); macro {
		return out
	}
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() == operators.Index {
		if e.Kind() == ast.CallKind && e.AsCall().Args()[0].Kind() == ast.IdentKind {
			out.fact = e.AsCall().Args()[0].AsIdent()
		}
		return out
	}
	args := e.AsCall().Args()
	if e.AsCall().IsMemberFunction() {
		args = append([]ast.Expr{e.AsCall().Target()}, args...)
	}
	for _, a := range args {
		if a.Kind() != ast.LiteralKind && a.Kind() != ast.ListKind {
			out.parts = append(out.parts, shapeNode(a, tree, true))
		}
	}
	return out
}

// asked is one evaluation of one expression: what came out, and the values on the way.
type asked struct {
	x     *expression
	out   ref.Val
	state interpreter.EvalState
}

// fill writes the values of an evaluation into the shape of its expression.
func (a asked) fill(kind string) Explanation {
	top := a.node(a.x.shape, kind)
	top.Value, top.Truth = valueWords(a.out), truthOf(a.out)
	return top
}

func (a asked) node(s shape, kind string) Explanation {
	out := Explanation{Text: s.text, Value: "not known"}
	if strings.HasPrefix(s.fact, variable(kind)+".") {
		out.Fact = s.fact
	}
	var value ref.Val
	if a.state != nil {
		if v, ok := a.state.Value(s.id); ok {
			value = v
			out.Value = valueWords(v)
		}
	}
	if s.truth {
		out.Truth = truthOf(value)
	}
	for _, p := range s.parts {
		out.Parts = append(out.Parts, a.node(p, kind))
	}
	return out
}

func truthOf(v ref.Val) string {
	switch x := v.(type) {
	case types.Bool:
		if x {
			return audit.True
		}
		return audit.False
	case *types.Err:
		return audit.Broken
	}
	return audit.Unknown
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
	switch x := v.Value().(type) {
	case map[string]int64, []string:
		return plain(x)
	default:
		return clean(fmt.Sprint(x))
	}
}

// forest keeps explanation trees, each once: subjects whose facts look the same share one.
type forest struct {
	trees []audit.Tree
	index map[string]int // by what the tree shows
}

// plant keeps the tree of one decision and returns its number, counted from 1.
func (f *forest) plant(question string, kind string, steps []asked) int {
	if len(steps) == 0 {
		return 0
	}
	tree := make(audit.Tree, len(steps))
	var key strings.Builder
	key.WriteString(question)
	for i, s := range steps {
		tree[i] = s.fill(kind)
		writeKey(&key, tree[i])
	}
	if at, known := f.index[key.String()]; known {
		return at
	}
	f.trees = append(f.trees, tree)
	f.index[key.String()] = len(f.trees)
	return len(f.trees)
}

// writeKey writes the values of a tree; its texts are those of the question.
func writeKey(b *strings.Builder, x Explanation) {
	b.WriteByte(0)
	b.WriteString(x.Truth)
	b.WriteByte(1)
	b.WriteString(x.Value)
	for _, p := range x.Parts {
		writeKey(b, p)
	}
}

// grounds lists the facts behind an answer: first those that the rules read, then the others that the requirement shows.
// Their origins are numbers in the list given.
func grounds(q question, s *opened, origins []audit.Origin) []audit.Ground {
	out := make([]audit.Ground, 0, len(q.rule.shows))
	for _, i := range q.rule.shows {
		out = append(out, s.ground(q.rule, i, origins))
	}
	return out
}

func (s *opened) ground(r *rule, i int, origins []audit.Origin) audit.Ground {
	name, f := r.schema[i].name, s.facts[i]
	g := audit.Ground{Fact: r.path(i), Known: f.unknown == nil, Declared: s.Declared[name], Until: s.Until[name], ObservedAt: s.Observed}
	if at, own := s.ObservedAt[name]; own {
		g.ObservedAt = at
	}
	if u := f.unknown; u != nil {
		g.Looked, g.Reason, g.Declared = u.Looked, clip(u.Reason), false
	} else {
		g.Value, g.Says = plain(f.value), clip(s.Says[name])
	}
	g.Settle = s.settles(name, f)
	for _, o := range s.originsOf(name) {
		if at := slices.Index(origins, o); at >= 0 && !slices.Contains(g.Origins, at) {
			g.Origins = append(g.Origins, at)
		}
	}
	return g
}

// originsOf lists the evidence behind one field.
func (s *opened) originsOf(name string) []audit.Origin {
	if from, ok := s.Origins[name]; ok {
		return from
	}
	return s.Origins[""]
}

// plain writes a fact as rules see it: true and false, not yes and no.
func plain(value any) string {
	switch v := value.(type) {
	case bool:
		return fmt.Sprint(v)
	case string:
		return clean(v)
	case []string:
		return clean("[" + strings.Join(v, ", ") + "]")
	}
	return shown(fact{value: value})
}
