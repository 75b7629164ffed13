package policies

import (
	"fmt"
	"reflect"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/pegel-audit/pegel/audit"
)

// intervalType is the type of scores in rules. It is opaque: its ends are not visible, and two scores cannot be compared
// with each other, so a rule cannot read a certain answer out of an uncertain score (design section 4, rule 10).
var intervalType = cel.OpaqueType("Interval")

// interval is a score in a rule. An answer that the score does not settle is the CEL unknown, which names path.
type interval struct {
	audit.Interval
	path string // e.g. "project.openSource"
}

var _ ref.Val = interval{}

// ConvertToNative implements ref.Val; a score converts to nothing.
func (i interval) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a score converts to no %s", t)
}

// ConvertToType implements ref.Val; only the type of a score can be asked for.
func (i interval) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return intervalType
	}
	return types.NewErr("a score converts to no %s", t.TypeName())
}

// Equal implements ref.Val. Scores are not compared: the answer is an error, hence never PASS.
func (i interval) Equal(ref.Val) ref.Val {
	return types.NewErr("scores are compared by atLeast, atMost and meets only")
}

// Type implements ref.Val.
func (i interval) Type() ref.Type { return intervalType }

// Value implements ref.Val.
func (i interval) Value() any { return i.String() }

func (i interval) answer(holds, decided bool) ref.Val {
	if !decided {
		return types.NewUnknown(0, types.NewAttributeTrail(i.path))
	}
	return types.Bool(holds)
}

// meets answers whether a score reaches a gate: false if even its high end stays below (more evidence cannot lift it,
// whatever the coverage); true if its low end reaches it and enough weight is known; else unknown. Too little coverage is
// too little known, so it never turns into FAIL.
func (i interval) meets(gate audit.Gate, coverage int) ref.Val {
	holds, decided := i.AtLeast(gate.Low)
	if holds && coverage < gate.Coverage {
		return i.answer(false, false)
	}
	return i.answer(holds, decided)
}

// intervalFunctions are the three questions that a rule may ask of a score:
//
//	score.atLeast(n), score.atMost(n)   n in basis points
//	score.meets(gate[aspect], coverage) coverage in basis points of known weight
func intervalFunctions() []cel.EnvOption {
	gate := cel.MapType(cel.StringType, cel.IntType)
	compare := func(ask func(audit.Interval, int) (bool, bool)) cel.OverloadOpt {
		return cel.BinaryBinding(func(score, n ref.Val) ref.Val {
			i, ok := score.(interval)
			limit, isInt := n.(types.Int)
			if !ok || !isInt {
				return types.MaybeNoSuchOverloadErr(score)
			}
			if limit < 0 || limit > audit.Full {
				return types.NewErr("a gate of %d is not within 0..%d", limit, audit.Full)
			}
			return i.answer(ask(i.Interval, int(limit)))
		})
	}
	two := []*cel.Type{intervalType, cel.IntType}
	return []cel.EnvOption{
		cel.Function("atLeast", cel.MemberOverload("interval_at_least", two, cel.BoolType, compare(audit.Interval.AtLeast))),
		cel.Function("atMost", cel.MemberOverload("interval_at_most", two, cel.BoolType, compare(audit.Interval.AtMost))),
		cel.Function("meets", cel.MemberOverload("interval_meets", []*cel.Type{intervalType, gate, cel.IntType}, cel.BoolType,
			cel.FunctionBinding(func(args ...ref.Val) ref.Val {
				i, ok := args[0].(interval)
				g, isMap := args[1].Value().(map[string]int64)
				coverage, isInt := args[2].(types.Int)
				if !ok || !isMap || !isInt {
					return types.NewErr("meets needs a gate and a coverage")
				}
				low, hasLow := g["low"]
				share, hasShare := g["coverage"]
				if !hasLow || !hasShare {
					return types.NewErr("meets needs a gate with low and coverage")
				}
				return i.meets(audit.Gate{Low: int(low), Coverage: int(share)}, int(coverage))
			}))),
	}
}
