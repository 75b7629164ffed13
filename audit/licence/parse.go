package licence

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Limits of what Parse reads. The longest expression in the copyright files of a Debian system has about 60 names; texts
// are longer than any of these and belong to Detect.
const (
	maxExpression = 16 << 10 // bytes
	maxTerms      = 1024     // names in one expression
	maxDepth      = 32       // nested parentheses
	maxPhrase     = 14       // words in one name; "Historical Permission Notice and Disclaimer ..." has eight
)

// List says whose way of writing names is read. It becomes part of the LicenseRef of a name without SPDX id.
type List string

// The lists that Pegel reads.
const (
	Debian List = "debian" // short names of machine-readable copyright files
	Python List = "python" // License and Classifier lines of package metadata
	NPM    List = "npm"    // package.json
	RPM    List = "rpm"    // License tags, in the words of Fedora and openSUSE before they took SPDX
	APK    List = "apk"    // license fields of Alpine, which were lists of words
	OCI    List = "oci"    // labels of images
	Any    List = "pegel"  // everything else
)

// Parse reads an SPDX expression or the names that package formats use instead, and returns it in SPDX form. A name that
// it does not know becomes LicenseRef-pegel-<name>, of class Unknown. Operators bind as in Debian's copyright format,
// which agrees with SPDX: WITH, AND, OR, and weakest a comma. Empty input, prose, and broken syntax are errors. The work
// grows with the length of the input, which is limited to 16 KiB.
func Parse(raw string) (Expression, error) { return ParseFrom(Any, raw) }

// ParseFrom is Parse for names of one list, which becomes part of the reference: LicenseRef-<list>-<name>.
func ParseFrom(list List, raw string) (Expression, error) {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(raw, "?")), " ")
	if list == RPM {
		text = closed.Replace(text)
	}
	switch {
	case text == "":
		return Expression{}, errors.New("reading licence expression: it is empty")
	case len(text) > maxExpression:
		return Expression{}, fmt.Errorf("reading licence expression: it has %d bytes, more than %d; is it a text?", len(text), maxExpression)
	}
	if !spdxOperators(text) {
		if e, ok := lookup(list, text); ok {
			return e, nil
		}
	}
	if e, ok := wordList(list, text); ok {
		return e, nil
	}
	p := parser{list: list, tokens: scan(text)}
	e, err := p.parse()
	if err == nil {
		return e, nil
	}
	if len(strings.Fields(text)) <= maxPhrase && !hasOperator(text) {
		return reference(list, text), nil
	}
	return Expression{}, fmt.Errorf("reading licence expression %q: %w", shorten(text), err)
}

// spdxOperators reports operators as SPDX writes them: such a text is no single name.
func spdxOperators(text string) bool {
	return strings.Contains(text, " AND ") || strings.Contains(text, " OR ") || strings.Contains(text, " WITH ")
}

func shorten(s string) string {
	const limit = 80
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "..."
}

type kind uint8

const (
	word kind = iota
	open
	closing
	comma
	andOp
	orOp
	withOp
)

type token struct {
	kind kind
	text string
}

// joined finds operators that are tied to names by underscores, as in LGPLv3+_or_GPLv2+.
var joined = regexp.MustCompile(`(?i)_(or|and|with)_`)

// laterWords finds the ways to say "or later" in words; the operator in it is none.
var laterWords = regexp.MustCompile(`(?i)[ ,]+or (?:\(at your option\) )?(?:any )?(?:later|newer|above|greater)(?: versions?)?\b`)

// asides finds remarks that lead elsewhere: "LGPL2.1 (see COPYING-LGPL2.1)", "BSD <https://example.org>", and the attributes
// of Bundle-License in a jar's manifest, "Apache-2.0;link=https://example.org".
var asides = regexp.MustCompile(`(?i)\s\(see [^()]*\)|\s<https?://[^<>]*>|;\s*(?:link|description)=(?:"[^"]*"|[^;,]*)`)

// closed are names of Fedora that hold a comma.
var closed = strings.NewReplacer("Redistributable, no modification permitted", "LicenseRef-fedora-Redistributable")

func scan(text string) []token {
	text = asides.ReplaceAllString(text, "")
	text = joined.ReplaceAllString(text, " $1 ")
	text = laterWords.ReplaceAllString(text, "+")
	for _, r := range []string{"(", ")", ",", ";", "|", "&"} {
		text = strings.ReplaceAll(text, r, " "+r+" ")
	}
	var tokens []token
	words := strings.Fields(text)
	for i, w := range words {
		k := kindOf(w)
		if k == comma && i+1 < len(words) && versionWord.MatchString(words[i+1]) {
			continue // "Apache License, Version 2.0" is one name
		}
		if n := len(tokens); n > 0 && k == tokens[n-1].kind && (w == "|" || w == "&") {
			continue // || and &&
		}
		tokens = append(tokens, token{k, w})
	}
	return tokens
}

var versionWord = regexp.MustCompile(`(?i)^(version|ver\.?|v\.?[0-9].*|[0-9.]+\+?)$`)

func kindOf(w string) kind {
	switch strings.ToLower(w) {
	case "(":
		return open
	case ")":
		return closing
	case ",", ";":
		return comma
	case "and", "&", "and/or", "+":
		return andOp // "and/or" may demand both
	case "or", "|":
		return orOp
	case "with":
		return withOp
	}
	return word
}

func hasOperator(text string) bool {
	for _, t := range scan(text) {
		if t.kind == andOp || t.kind == orOp || t.kind == withOp {
			return true
		}
	}
	return false
}

// parser reads tokens by recursive descent with one token of look-ahead, so its time is linear.
type parser struct {
	list   List
	tokens []token
	terms  int
	depth  int
}

func (p *parser) parse() (Expression, error) {
	e, err := p.commas()
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("unexpected %q", p.tokens[0].text)
	}
	return e, err
}

func (p *parser) next(k kind) bool {
	if len(p.tokens) == 0 || p.tokens[0].kind != k {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

// commas reads alternatives joined by commas: ", or" is the weakest of all, then ", and" and a comma alone.
func (p *parser) commas() (Expression, error) {
	first, err := p.alternatives()
	if err != nil {
		return first, err
	}
	choice, all := []Expression{}, []Expression{first}
	for p.next(comma) {
		isOr := p.next(orOp)
		if !isOr {
			p.next(andOp)
		}
		e, err := p.alternatives()
		if err != nil {
			return e, err
		}
		if isOr {
			choice, all = append(choice, And(all...)), nil
		}
		all = append(all, e)
	}
	return Or(append(choice, And(all...))...), nil
}

func (p *parser) alternatives() (Expression, error) {
	return p.series(orOp, p.demands, Or)
}

func (p *parser) demands() (Expression, error) {
	return p.series(andOp, p.term, And)
}

func (p *parser) series(operator kind, part func() (Expression, error), join func(...Expression) Expression) (Expression, error) {
	var parts []Expression
	for {
		e, err := part()
		if err != nil {
			return Expression{}, err
		}
		parts = append(parts, e)
		if !p.next(operator) {
			return join(parts...), nil
		}
	}
}

// term reads a name or a parenthesis, and the exceptions after it.
func (p *parser) term() (Expression, error) {
	e, err := p.primary()
	if err != nil {
		return e, err
	}
	for p.next(withOp) {
		name, err := p.phrase("an exception after WITH")
		if err != nil {
			return e, err
		}
		if e, err = except(p.list, e, name); err != nil {
			return e, err
		}
	}
	return e, nil
}

func (p *parser) primary() (Expression, error) {
	if !p.next(open) {
		name, err := p.phrase("a licence name")
		if err != nil {
			return Expression{}, err
		}
		return nameOf(p.list, name), nil
	}
	if p.depth++; p.depth > maxDepth {
		return Expression{}, fmt.Errorf("more than %d nested parentheses", maxDepth)
	}
	e, err := p.commas()
	if err != nil {
		return e, err
	}
	if !p.next(closing) {
		return e, errors.New("a parenthesis is not closed")
	}
	p.depth--
	return e, nil
}

func (p *parser) phrase(wanted string) (string, error) {
	n := 0
	for n < len(p.tokens) && p.tokens[n].kind == word {
		n++
	}
	if n == 0 && len(p.tokens) == 0 {
		return "", fmt.Errorf("it ends where %s should be", wanted)
	}
	if n == 0 {
		return "", fmt.Errorf("%q stands where %s should be", p.tokens[0].text, wanted)
	}
	if n > maxPhrase {
		return "", fmt.Errorf("%d words without an operator are prose, no name", n)
	}
	if p.terms++; p.terms > maxTerms {
		return "", fmt.Errorf("more than %d names", maxTerms)
	}
	words := make([]string, n)
	for i, t := range p.tokens[:n] {
		words[i] = t.text
	}
	p.tokens = p.tokens[n:]
	return strings.Join(words, " "), nil
}

// except adds an exception to a licence. WITH after a parenthesis or a second WITH has no SPDX form.
func except(list List, e Expression, name string) (Expression, error) {
	if e.op != leaf || e.exception != "" {
		return e, fmt.Errorf("exception %q does not follow a single licence", shorten(name))
	}
	e.exception = exceptionOf(list, name)
	return e, nil
}
