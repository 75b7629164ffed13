package policies

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/pegel-audit/pegel/audit"
)

// Bounds of an expression. They are far above what a readable rule needs and far below what hurts.
const (
	mostRule      = 1000 // bytes
	mostRecursion = 40   // levels
)

// rule is a requirement ready to be applied. Programs may be shared between goroutines.
type rule struct {
	kind    string
	schema  []field
	applies *expression // nil: applies to every subject of the kind
	pass    *expression
	reads   []int    // fields that applies or pass read, by index in the schema
	shows   []int    // fields that a finding shows: those that are read, then the others that the requirement names as evidence
	aspects []string // aspects whose gate is read, sorted
	because map[string]template
}

// expression is one compiled CEL expression.
type expression struct {
	checked *cel.Ast
	program cel.Program
	shape   shape
}

// place is where an expression stands in its file, so that problems inside name line and column of the file.
type place struct {
	line, column int
}

// compiler compiles the expressions of one subject kind.
type compiler struct {
	kind   string
	name   string // of the subject in expressions
	schema []field
	env    *cel.Env
	budget uint64
	// switches are the names that rules may read as switch.NAME.
	switches []string
}

func newCompiler(kind string, budget uint64, switches []Switch) (*compiler, error) {
	schema := schemaOf(kind)
	options := []cel.EnvOption{
		cel.EnableMacroCallTracking(),
		cel.ParserRecursionLimit(mostRecursion),
		cel.ParserExpressionSizeLimit(mostRule),
		cel.Variable("gate", cel.MapType(cel.StringType, cel.MapType(cel.StringType, cel.IntType))),
	}
	options = append(options, intervalFunctions()...)
	options = append(options, switchOptions(switches)...)
	var names []string
	for _, s := range switches {
		names = append(names, s.Name)
	}
	for _, f := range schema {
		options = append(options, cel.Variable(variable(kind)+"."+f.name, f.typ))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("preparing rules for each %s: %w", kind, err)
	}
	return &compiler{kind: kind, name: variable(kind), schema: schema, env: env, budget: budget, switches: names}, nil
}

// fault is something wrong inside an expression; line and column count from 1 within it.
type fault struct {
	line, column int
	text         string
}

// compile checks an expression in full: syntax, names, types, values of enumerated fields, gates and cost.
func (c *compiler) compile(source string) (*expression, []fault) {
	if len(source) > mostRule {
		return nil, []fault{{1, 1, fmt.Sprintf("the rule has %d bytes; at most %d are read", len(source), mostRule)}}
	}
	if strings.ContainsFunc(source, unicode.IsControl) {
		return nil, []fault{{1, 1, "the rule stands on one line, without control characters"}}
	}
	parsed, issues := c.env.Parse(source)
	if issues.Err() != nil {
		return nil, faultsOf(issues)
	}
	if faults := c.names(parsed.NativeRep()); len(faults) > 0 {
		return nil, faults
	}
	checked, issues := c.env.Check(parsed)
	if issues.Err() != nil {
		return nil, faultsOf(issues)
	}
	if !checked.OutputType().IsExactType(cel.BoolType) {
		return nil, []fault{{1, 1, fmt.Sprintf("the rule gives %s; a rule gives true or false", checked.OutputType())}}
	}
	estimate, err := c.env.EstimateCost(checked, sizes{})
	if err != nil {
		return nil, []fault{{1, 1, "the cost of the rule cannot be estimated: " + clean(err.Error())}}
	}
	if estimate.Max > c.budget {
		return nil, []fault{{1, 1, fmt.Sprintf("the rule may cost %d; the budget is %d", estimate.Max, c.budget)}}
	}
	program, err := c.env.Program(checked,
		cel.EvalOptions(cel.OptPartialEval, cel.OptExhaustiveEval, cel.OptTrackState, cel.OptTrackCost), cel.CostLimit(c.budget))
	if err != nil {
		return nil, []fault{{1, 1, clean(err.Error())}}
	}
	return &expression{checked: checked, program: program, shape: shapeOf(checked)}, nil
}

func faultsOf(issues *cel.Issues) []fault {
	var out []fault
	for _, e := range issues.Errors() {
		text := strings.TrimSuffix(clean(e.Message), " (in container '')")
		out = append(out, fault{max(1, e.Location.Line()), max(0, e.Location.Column()) + 1, text})
	}
	return out
}

// sizes bounds the values of facts for the estimate; facts() refuses longer ones.
type sizes struct{}

// EstimateSize implements cost.Estimator.
func (sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	switch n.Type().Kind() {
	case types.StringKind:
		return &cost.SizeEstimate{Max: mostText}
	case types.ListKind, types.MapKind:
		text := cost.SizeEstimate{Max: mostText}
		return &cost.SizeEstimate{Max: mostItems, Key: &text, Elem: &text}
	}
	return &cost.SizeEstimate{Min: 1, Max: 1}
}

// EstimateCallCost implements cost.Estimator; our functions are as cheap as the default says.
func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// names checks every name and every literal beside an enumerated field, before the types are checked, so that a typo gets
// an answer in the words of the policy.
func (c *compiler) names(tree *ast.AST) []fault {
	var out []fault
	note := func(e ast.Expr, format string, args ...any) {
		at := tree.SourceInfo().GetStartLocation(e.ID())
		out = append(out, fault{max(1, at.Line()), max(0, at.Column()) + 1, fmt.Sprintf(format, args...)})
	}
	bound := boundNames(tree.Expr())
	walk(tree.Expr(), func(e ast.Expr) {
		switch e.Kind() {
		case ast.SelectKind:
			c.selected(e.AsSelect(), bound, func(format string, args ...any) { note(e, format, args...) })
		case ast.IdentKind:
			if name := e.AsIdent(); name != c.name && name != "gate" && name != "switch" && !slices.Contains(bound, name) {
				note(e, "a rule for each %s cannot read %q; it reads %s.<field> and gate[\"<aspect>\"]", c.kind, clean(name), c.name)
			}
		case ast.CallKind:
			c.called(e, note)
		}
	})
	return out
}

// selected checks kind.field and gate[...].low.
func (c *compiler) selected(s ast.SelectExpr, bound []string, note func(string, ...any)) {
	operand := s.Operand()
	switch {
	case operand.Kind() == ast.IdentKind && operand.AsIdent() == c.name && !slices.Contains(bound, c.name):
		names := FieldsOf(c.kind)
		if !slices.Contains(names, s.FieldName()) {
			note("%s has no field %q%s", c.name, clean(s.FieldName()), didYouMean(s.FieldName(), names))
		}
		if s.IsTestOnly() {
			note("has() is no test for a fact: what is not known is unknown by itself")
		}
	case operand.Kind() == ast.IdentKind && operand.AsIdent() == "switch":
		if !slices.Contains(c.switches, s.FieldName()) {
			note("the policy has no switch %q%s", clean(s.FieldName()), didYouMean(s.FieldName(), c.switches))
		}
	case operand.Kind() == ast.IdentKind && operand.AsIdent() == "gate":
		note(`a gate is read as gate["<aspect>"]`)
	case gateAspect(operand) != "" && s.FieldName() != "low" && s.FieldName() != "coverage":
		note("a gate has low and coverage, no %q", clean(s.FieldName()))
	}
}

// called checks literals: values of enumerated fields, aspects in gate[...] and coverage[...], and that a score meets its own gate.
func (c *compiler) called(e ast.Expr, note func(ast.Expr, string, ...any)) {
	call := e.AsCall()
	switch call.FunctionName() {
	case operators.Equals, operators.NotEquals:
		if slices.ContainsFunc(call.Args(), c.isScore) {
			note(e, "scores are compared by atLeast, atMost and meets only")
		}
		c.literals(call.Args()[0], call.Args()[1:], note)
		c.literals(call.Args()[1], call.Args()[:1], note)
	case operators.In:
		if list := call.Args()[1]; list.Kind() == ast.ListKind {
			c.literals(call.Args()[0], list.AsList().Elements(), note)
		}
	case operators.Index:
		c.indexed(call, note)
	case "meets":
		score, gate, coverage := "", "", ""
		if call.IsMemberFunction() && len(call.Args()) == 2 {
			score, gate, coverage = kebab(c.fieldOf(call.Target())), gateAspect(call.Args()[0]), c.coverageAspect(call.Args()[1])
		}
		if score == "" || score != gate || score != coverage {
			note(e, `a score meets its own gate with its own coverage: %s.<score>.meets(gate["<aspect>"], %s.coverage["<aspect>"])`, c.name, c.name)
		}
	}
}

func (c *compiler) indexed(call ast.CallExpr, note func(ast.Expr, string, ...any)) {
	over, key := call.Args()[0], call.Args()[1]
	isGate := over.Kind() == ast.IdentKind && over.AsIdent() == "gate"
	if !isGate && c.fieldOf(over) != "coverage" {
		return
	}
	aspect := literal(key)
	if known := aspects(); !slices.Contains(known, aspect) {
		note(key, "%q is no aspect; the aspects are %s%s", clean(aspect), strings.Join(known, ", "), didYouMean(aspect, known))
	}
}

// literals checks texts that are compared with an enumerated field.
func (c *compiler) literals(path ast.Expr, values []ast.Expr, note func(ast.Expr, string, ...any)) {
	name := c.fieldOf(path)
	at := slices.IndexFunc(c.schema, func(f field) bool { return f.name == name && f.enum != nil })
	if at < 0 {
		return
	}
	allowed := slices.DeleteFunc(slices.Clone(c.schema[at].enum), func(v string) bool { return v == "unknown" })
	for _, v := range values {
		if v.Kind() != ast.LiteralKind {
			continue
		}
		if text := literal(v); !slices.Contains(allowed, text) {
			note(v, "%s.%s is never %q; it is one of %s%s", c.name, name, clean(text), strings.Join(allowed, ", "), didYouMean(text, allowed))
		}
	}
}

// fieldOf returns the field that an expression names as kind.field; "" for anything else.
func (c *compiler) fieldOf(e ast.Expr) string {
	if e.Kind() != ast.SelectKind {
		return ""
	}
	if o := e.AsSelect().Operand(); o.Kind() != ast.IdentKind || o.AsIdent() != c.name {
		return ""
	}
	return e.AsSelect().FieldName()
}

func (c *compiler) isScore(e ast.Expr) bool {
	name := c.fieldOf(e)
	return slices.ContainsFunc(c.schema, func(f field) bool { return f.name == name && f.typ == intervalType })
}

func (c *compiler) coverageAspect(e ast.Expr) string {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.Index || c.fieldOf(e.AsCall().Args()[0]) != "coverage" {
		return ""
	}
	return literal(e.AsCall().Args()[1])
}

// gateAspect returns the aspect of gate["aspect"]; "" for anything else.
func gateAspect(e ast.Expr) string {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.Index {
		return ""
	}
	if over := e.AsCall().Args()[0]; over.Kind() != ast.IdentKind || over.AsIdent() != "gate" {
		return ""
	}
	return literal(e.AsCall().Args()[1])
}

func literal(e ast.Expr) string {
	if e.Kind() == ast.LiteralKind {
		if v, ok := e.AsLiteral().Value().(string); ok {
			return v
		}
	}
	return ""
}

// aspects lists the aspects that have a score: the fields of type Interval of a project, written as in profiles.
func aspects() []string {
	var out []string
	for _, f := range schemaOf(KindProject) {
		if f.typ == intervalType {
			out = append(out, kebab(f.name))
		}
	}
	return out
}

// kebab writes openSource as open-source.
func kebab(name string) string {
	var b strings.Builder
	for _, c := range name {
		if unicode.IsUpper(c) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// walk calls f for every node of an expression, outer ones first.
func walk(e ast.Expr, f func(ast.Expr)) {
	f(e)
	switch e.Kind() {
	case ast.SelectKind:
		walk(e.AsSelect().Operand(), f)
	case ast.CallKind:
		if e.AsCall().IsMemberFunction() {
			walk(e.AsCall().Target(), f)
		}
		for _, a := range e.AsCall().Args() {
			walk(a, f)
		}
	case ast.ListKind:
		for _, x := range e.AsList().Elements() {
			walk(x, f)
		}
	case ast.MapKind:
		for _, x := range e.AsMap().Entries() {
			walk(x.AsMapEntry().Key(), f)
			walk(x.AsMapEntry().Value(), f)
		}
	case ast.ComprehensionKind:
		x := e.AsComprehension()
		for _, part := range []ast.Expr{x.IterRange(), x.AccuInit(), x.LoopCondition(), x.LoopStep(), x.Result()} {
			walk(part, f)
		}
	}
}

// boundNames lists the variables that macros such as all(x, ...) bind.
func boundNames(e ast.Expr) []string {
	var out []string
	walk(e, func(e ast.Expr) {
		if e.Kind() == ast.ComprehensionKind {
			x := e.AsComprehension()
			out = append(out, x.IterVar(), x.IterVar2(), x.AccuVar())
		}
	})
	return out
}

// fieldsRead lists the fields of the schema that checked expressions read, and the aspects of the gates.
func fieldsRead(kind string, schema []field, expressions ...*expression) (reads []int, gates []string) {
	for _, x := range expressions {
		if x == nil {
			continue
		}
		walk(x.checked.NativeRep().Expr(), func(e ast.Expr) {
			if e.Kind() == ast.IdentKind {
				name, _ := strings.CutPrefix(e.AsIdent(), variable(kind)+".")
				if at := slices.IndexFunc(schema, func(f field) bool { return f.name == name }); at >= 0 {
					reads = append(reads, at)
				}
			}
			if aspect := gateAspect(e); aspect != "" {
				gates = append(gates, aspect)
			}
		})
	}
	slices.Sort(reads)
	slices.Sort(gates)
	return slices.Compact(reads), slices.Compact(gates)
}

// decision is the answer of a rule to one fact vector, before the subject's circumstances (declared only, stale) count.
type decision struct {
	outcome audit.Outcome
	unknown []int  // fields that were not known and matter, by index in the schema
	fault   string // why the rule itself could not be decided
	tree    int    // of the forest, counted from 1; 0: none
}

// path names a field as rules do, e.g. "product.licence".
func (r *rule) path(i int) string { return variable(r.kind) + "." + r.schema[i].name }

// gatesByAspect are the gates that count for one project.
type gatesByAspect = map[string]audit.Gate

// input gives the facts that the rule reads to the engine, the unknown ones as unknown. noGate names an aspect whose gate
// the rule reads and the profile does not have.
func (r *rule) input(values []fact, gates gatesByAspect) (in cel.PartialActivation, noGate string, err error) {
	vars := make(map[string]any, len(r.reads)+1)
	var unknown []*cel.AttributePatternType
	for _, i := range r.reads {
		vars[r.path(i)] = celValue(r.path(i), values[i].value)
		if values[i].unknown != nil {
			unknown = append(unknown, cel.AttributePattern(r.path(i)))
		}
	}
	shown := make(map[string]map[string]int64, len(r.aspects))
	for _, a := range r.aspects {
		g, ok := gates[a]
		if !ok {
			noGate = a
			continue
		}
		shown[a] = map[string]int64{"low": int64(g.Low), "coverage": int64(g.Coverage)}
	}
	vars["gate"] = shown
	in, err = cel.PartialVars(vars, unknown...)
	return in, noGate, err
}

// decide applies the rule and returns the evaluations that led to the answer, in order; the last one decided. A gate that the
// rule reads and the profile does not have is DNF.
func (r *rule) decide(values []fact, gates gatesByAspect) (decision, []asked) {
	in, noGate, err := r.input(values, gates)
	if err != nil {
		return decision{outcome: audit.DNF, fault: "rule error: " + clean(err.Error())}, nil
	}
	var steps []asked
	if r.applies != nil {
		d, step := r.answer(r.applies, in, values)
		steps = append(steps, step)
		if d.outcome != audit.PASS {
			if d.outcome == audit.FAIL {
				d.outcome = audit.NA
			}
			return d, steps
		}
	}
	if noGate != "" {
		return decision{outcome: audit.DNF, fault: "the profile has no gate for the " + noGate + " of such a project"}, nil
	}
	d, step := r.answer(r.pass, in, values)
	return d, append(steps, step)
}

// answer evaluates one expression: PASS for true, FAIL for false, MISS or DNF for unknown, DNF for an error.
func (r *rule) answer(x *expression, in cel.PartialActivation, values []fact) (decision, asked) {
	out, details, err := x.program.Eval(in)
	step := asked{x: x, out: out}
	if details != nil {
		step.state = details.State()
	}
	if err != nil {
		step.out = types.WrapErr(err)
		return decision{outcome: audit.DNF, fault: "rule error: " + clean(err.Error())}, step
	}
	return r.said(out, values), step
}

// said reads the answer of an expression.
func (r *rule) said(out ref.Val, values []fact) decision {
	switch v := out.(type) {
	case types.Bool:
		if v {
			return decision{outcome: audit.PASS}
		}
		return decision{outcome: audit.FAIL}
	case *types.Unknown:
		return r.missing(v, values)
	}
	return decision{outcome: audit.DNF, fault: "rule error: the rule gave no answer"}
}

// missing names the fields behind an unknown answer. MISS if nobody looked for one of them, else DNF.
func (r *rule) missing(u *types.Unknown, values []fact) decision {
	d := decision{outcome: audit.DNF}
	for _, id := range u.IDs() {
		trails, _ := u.GetAttributeTrails(id)
		for _, t := range trails {
			name := strings.TrimPrefix(t.Variable(), variable(r.kind)+".")
			if at := slices.IndexFunc(r.schema, func(f field) bool { return f.name == name }); at >= 0 {
				d.unknown = append(d.unknown, at)
			}
		}
	}
	slices.Sort(d.unknown)
	d.unknown = slices.Compact(d.unknown)
	if len(d.unknown) == 0 {
		d.fault = "rule error: the rule gave no answer and names no fact"
	}
	for _, i := range d.unknown {
		if why := values[i].unknown; why != nil && !why.Looked {
			d.outcome = audit.MISS
		}
	}
	return d
}
