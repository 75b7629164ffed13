package licence

import (
	"errors"
	"fmt"
	"strings"
)

// CheckExpression returns nil if a text is an SPDX licence expression as it stands: operators in capitals, parentheses that
// close, and each name an id of the SPDX list (deprecated ones and "+" included), an exception of that list after WITH, or a
// LicenseRef. Unlike Parse it reads no other names and repairs nothing. NONE and NOASSERTION are no licences and are errors,
// and so is an expression beyond the limits of Parse. Source: SPDX specification, annex "SPDX license expressions".
func CheckExpression(text string) error {
	if len(text) > maxExpression {
		return fmt.Errorf("checking licence expression: it has %d bytes, more than %d", len(text), maxExpression)
	}
	var c expressionCheck
	for _, w := range strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text)) {
		if err := c.word(w); err != nil {
			return fmt.Errorf("checking licence expression %q: %w", shorten(text), err)
		}
	}
	switch {
	case !c.operand || c.with:
		return fmt.Errorf("checking licence expression %q: a name is missing at its end", shorten(text))
	case c.open > 0:
		return fmt.Errorf("checking licence expression %q: a parenthesis stays open", shorten(text))
	}
	return nil
}

// expressionCheck is where an expression has been read to.
type expressionCheck struct {
	open    int  // parentheses
	terms   int  // names so far
	operand bool // a name or a closed parenthesis stands before
	plain   bool // and it is a name, which may take WITH
	with    bool // WITH stands before
}

func (c *expressionCheck) word(w string) error {
	switch {
	case c.with:
		if _, ok := exceptions()[strings.ToLower(w)]; !ok && !refForm.MatchString(w) && !strings.HasPrefix(w, "AdditionRef-") {
			return fmt.Errorf("%q is no exception of the SPDX list", shorten(w))
		}
		c.with, c.plain = false, false
	case w == "(":
		if c.open++; c.operand {
			return errors.New("an operator is missing before a parenthesis")
		}
	case w == ")":
		if c.open--; c.open < 0 || !c.operand {
			return errors.New("a parenthesis closes nothing")
		}
		c.plain = false
	case w == "AND" || w == "OR":
		if !c.operand {
			return fmt.Errorf("no name stands before %s", w)
		}
		c.operand = false
	case w == "WITH":
		if !c.operand || !c.plain {
			return errors.New("no name stands before WITH")
		}
		c.with = true
	case c.operand:
		return fmt.Errorf("no operator stands before %q", shorten(w))
	default:
		c.operand, c.plain = true, true
		if c.terms++; c.terms > maxTerms {
			return fmt.Errorf("more than %d names", maxTerms)
		}
		return checkID(w)
	}
	return nil
}

func checkID(id string) error {
	if refForm.MatchString(id) {
		return nil
	}
	if _, ok := spdxList[strings.ToLower(strings.TrimSuffix(id, "+"))]; !ok {
		return fmt.Errorf("%q is no id of the SPDX list", shorten(id))
	}
	return nil
}
