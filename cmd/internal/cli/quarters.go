package cli

import (
	"errors"
	"strconv"
)

// noNumber is what --history is set to if no number is joined to it. It is also how the help shows the flag: --history[=N].
const noNumber = "N"

// usualQuarters is what --history counts without a number: three years.
const usualQuarters = 12

// quarters is the value of --history.
type quarters struct {
	count int  // 0: the flag was not given
	bare  bool // without a number of its own
}

// String returns nothing for the zero value, so that the help shows no default.
func (q *quarters) String() string {
	if q.count == 0 {
		return ""
	}
	return strconv.Itoa(q.count)
}

// Type returns nothing: the help would show it beside the value.
func (q *quarters) Type() string { return "" }

// Set takes a number, or noNumber.
func (q *quarters) Set(s string) error {
	if s == noNumber {
		*q = quarters{count: usualQuarters, bare: true}
		return nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 2 {
		return errors.New("give 2 to 12 quarters")
	}
	*q = quarters{count: n}
	return nil
}

// of takes the number out of the arguments: in "--history 4" it comes as one, since --history needs no value.
func (q *quarters) of(args []string) []string {
	if !q.bare {
		return args
	}
	var rest []string
	for _, a := range args {
		if n, err := strconv.Atoi(a); err == nil && n > 0 && q.bare {
			*q = quarters{count: n}
			continue
		}
		rest = append(rest, a)
	}
	return rest
}
