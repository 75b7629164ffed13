package licence

import (
	"slices"
	"strings"
)

// Expression is a licence expression in SPDX form. The zero value is the empty expression: nothing is known, and its
// class is Unknown. Expressions are made by Parse, And and Or and never change.
type Expression struct {
	op        op
	id        string // of a leaf: SPDX id, LicenseRef-..., NOASSERTION or NONE
	plus      bool   // of a leaf: "or later" of an id that has no form of its own for it
	exception string // of a leaf: what follows WITH
	parts     []Expression
}

type op uint8

const (
	empty op = iota
	leaf
	and
	or
)

// noAssertion and none are the two words of SPDX that stand for an expression and may not be part of one.
const (
	noAssertion = "NOASSERTION"
	none        = "NONE"
)

// And returns the expression that demands all of the given ones. Empty ones are left out and equal ones are kept once.
func And(parts ...Expression) Expression { return combine(and, parts) }

// Or returns the expression that leaves the choice among the given ones, by the same rules as And.
func Or(parts ...Expression) Expression { return combine(or, parts) }

func combine(o op, parts []Expression) Expression {
	var flat []Expression
	seen := map[string]bool{}
	var take func(Expression)
	take = func(e Expression) {
		if e.op == o {
			for _, p := range e.parts {
				take(p)
			}
			return
		}
		if key := e.String(); e.op != empty && !seen[key] {
			seen[key] = true
			flat = append(flat, e)
		}
	}
	for _, p := range parts {
		take(p)
	}
	switch len(flat) {
	case 0:
		return Expression{}
	case 1:
		return flat[0]
	}
	if referred := refer(flat); referred {
		return combine(o, flat)
	}
	return Expression{op: o, parts: flat}
}

// refer turns NOASSERTION and NONE among the parts into references, because SPDX does not allow the words there.
func refer(parts []Expression) bool {
	found := false
	for i, p := range parts {
		if p.op == leaf && (p.id == noAssertion || p.id == none) {
			parts[i].id = "LicenseRef-" + p.id
			found = true
		}
	}
	return found
}

// IsEmpty reports whether the expression says nothing at all.
func (e Expression) IsEmpty() bool { return e.op == empty }

// String writes the expression in SPDX form with no more parentheses than needed. Parse reads it back to an equal one.
func (e Expression) String() string {
	var b strings.Builder
	e.write(&b)
	return b.String()
}

func (e Expression) write(b *strings.Builder) {
	if e.op == leaf {
		b.WriteString(e.id)
		if e.plus {
			b.WriteByte('+')
		}
		if e.exception != "" {
			b.WriteString(" WITH " + e.exception)
		}
		return
	}
	for i, p := range e.parts {
		if i > 0 && e.op == and {
			b.WriteString(" AND ")
		} else if i > 0 {
			b.WriteString(" OR ")
		}
		if e.op == and && p.op == or {
			b.WriteByte('(')
			p.write(b)
			b.WriteByte(')')
			continue
		}
		p.write(b)
	}
}

// IDs returns the licence ids of the expression, sorted, each once, without "+" and without exceptions.
func (e Expression) IDs() []string {
	var ids []string
	var walk func(Expression)
	walk = func(e Expression) {
		if e.op == leaf {
			ids = append(ids, e.id)
		}
		for _, p := range e.parts {
			walk(p)
		}
	}
	walk(e)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Class returns the verdict class; see ClassOf.
func (e Expression) Class() Class {
	switch e.op {
	case leaf:
		return e.leafClass()
	case and:
		return Worst(e.classes()...)
	case or:
		return Best(e.classes()...)
	}
	return Unknown
}

func (e Expression) classes() []Class {
	out := make([]Class, len(e.parts))
	for i, p := range e.parts {
		out[i] = p.Class()
	}
	return out
}

func (e Expression) leafClass() Class {
	class := classOfID(e.id)
	if e.plus && class != OSI && class != Restricted && laterIsOSI(strings.ToLower(e.id)) {
		class = OSI
	}
	if _, known := exceptions()[strings.ToLower(e.exception)]; e.exception != "" && !known {
		return Worst(class, Unknown)
	}
	return class
}

// Effective returns the expression after the choice that every OR leaves: the branches of the best class, all of them if
// several share it. "SSPL-1.0 OR AGPL-3.0-only" becomes "AGPL-3.0-only". The class stays the same.
func (e Expression) Effective() Expression {
	parts := make([]Expression, 0, len(e.parts))
	for _, p := range e.parts {
		parts = append(parts, p.Effective())
	}
	switch e.op {
	case and:
		return And(parts...)
	case or:
		best := e.Class()
		parts = slices.DeleteFunc(parts, func(p Expression) bool { return p.Class() != best })
		return Or(parts...)
	}
	return e
}

// Sorted returns an equal expression with the parts of every AND and OR in the order of their text.
func (e Expression) Sorted() Expression {
	if e.op == leaf || e.op == empty {
		return e
	}
	parts := make([]Expression, len(e.parts))
	for i, p := range e.parts {
		parts[i] = p.Sorted()
	}
	slices.SortFunc(parts, func(a, b Expression) int { return strings.Compare(a.String(), b.String()) })
	return combine(e.op, parts)
}

// Join returns the expression of a thing about which several claims were made that all hold: their AND, sorted. Claims
// that say nothing (empty, NOASSERTION, "UNKNOWN") are left out; one that cannot be read stays as
// LicenseRef-NOASSERTION, so that the whole is not better known than its parts. Without any claim it is NOASSERTION.
func Join(claims []string) string {
	var parts []Expression
	for _, claim := range claims {
		e, err := Parse(claim)
		switch {
		case strings.TrimSpace(claim) == "":
		case err != nil:
			parts = append(parts, Expression{op: leaf, id: "LicenseRef-" + noAssertion})
		case e.op != leaf || e.id != noAssertion:
			parts = append(parts, e)
		}
	}
	if len(parts) == 0 {
		return noAssertion
	}
	return And(parts...).Sorted().String()
}
