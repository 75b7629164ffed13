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
func (e Expression) Class() Class { return e.ClassGiven(Unknown) }

// ClassGiven is Class where something else than the name vouches for what nobody knows: each name of class Unknown counts
// as the given class. An archive that accepts only free software vouches for FreeNotOSI. What is known stays as it is, and
// the empty expression stays Unknown.
func (e Expression) ClassGiven(unknown Class) Class {
	switch e.op {
	case leaf:
		if class := e.leafClass(); class != Unknown {
			return class
		}
		return unknown
	case and:
		return Worst(e.classes(unknown)...)
	case or:
		return Best(e.classes(unknown)...)
	}
	return Unknown
}

func (e Expression) classes(unknown Class) []Class {
	out := make([]Class, len(e.parts))
	for i, p := range e.parts {
		out[i] = p.ClassGiven(unknown)
	}
	return out
}

// Names returns the licences of the expression that have the class, as they are written, sorted, each once.
func (e Expression) Names(class Class) []string {
	var names []string
	var walk func(Expression)
	walk = func(e Expression) {
		if e.op == leaf && e.leafClass() == class {
			names = append(names, e.String())
		}
		for _, p := range e.parts {
			walk(p)
		}
	}
	walk(e)
	slices.Sort(names)
	return slices.Compact(names)
}

// SaysNothing reports whether the expression is empty, NOASSERTION or NONE.
func (e Expression) SaysNothing() bool {
	return e.op == empty || e.op == leaf && (e.id == noAssertion || e.id == none)
}

func (e Expression) leafClass() Class {
	class := classOfID(e.id)
	if e.plus && class != OSI && class != Restricted && laterIsOSI(strings.ToLower(e.id)) {
		class = OSI
	}
	key := strings.ToLower(e.exception)
	if _, known := exceptions()[key]; e.exception != "" && !known && !addedPermissions[key] {
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
			parts = append(parts, Unreadable())
		case e.op != leaf || e.id != noAssertion:
			parts = append(parts, e)
		}
	}
	if len(parts) == 0 {
		return noAssertion
	}
	return And(parts...).Sorted().String()
}

// Unreadable returns what stands for a claim that cannot be read: a reference of class Unknown.
func Unreadable() Expression { return Expression{op: leaf, id: "LicenseRef-" + noAssertion} }

// Listed reports whether every licence and exception is one of the SPDX list. The empty expression is not.
func (e Expression) Listed() bool {
	if e.op == leaf {
		_, id := spdxList[strings.ToLower(e.id)]
		_, addition := exceptions()[strings.ToLower(e.exception)]
		return id && (e.exception == "" || addition)
	}
	return e.op != empty && !slices.ContainsFunc(e.parts, func(p Expression) bool { return !p.Listed() })
}

// SettledBy returns the expression with its vague names decided by the text that was found beside them: "BSD" and a text
// of BSD-3-Clause are BSD-3-Clause. A vague name of which the text holds no licence stays as it is.
func (e Expression) SettledBy(text Expression) Expression {
	if e.op == and || e.op == or {
		parts := make([]Expression, len(e.parts))
		for i, p := range e.parts {
			parts[i] = p.SettledBy(text)
		}
		return combine(e.op, parts)
	}
	family, vague := vagueFamily(e.id)
	if e.op != leaf || !vague || e.exception != "" {
		return e
	}
	var found []Expression
	for _, id := range text.IDs() {
		if within(strings.ToLower(id), family) {
			found = append(found, Expression{op: leaf, id: id})
		}
	}
	if len(found) == 0 {
		return e
	}
	return And(found...)
}

// Beyond returns what texts say that the names beside them do not: of the texts, which all hold, those with a licence that the
// names do not name. A package that is under a choice of two licences ships both texts, and the names say how they apply; a
// GNU text is the same for "only" and "or later"; and LGPL-3.0 comes with the text of GPL-3.0, which it builds on.
func (e Expression) Beyond(names Expression) Expression {
	named := map[string]bool{}
	for _, id := range names.IDs() {
		base := textOfID(id)
		named[base] = true
		if base == "lgpl-3.0" {
			named["gpl-3.0"] = true
		}
	}
	parts := []Expression{e}
	if e.op == and {
		parts = e.parts
	}
	var out []Expression
	for _, p := range parts {
		if slices.ContainsFunc(p.IDs(), func(id string) bool { return !named[textOfID(id)] }) {
			out = append(out, p)
		}
	}
	return And(out...)
}

// textOfID is the same for all ids that have the same text.
func textOfID(id string) string {
	return strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(id), "-or-later"), "-only")
}
