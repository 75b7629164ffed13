// Package licence turns what people write about licences into SPDX expressions and judges them. In come names from Debian
// copyright files, package metadata and image labels, whole copyright files, and licence texts; out go expressions and
// verdict classes. It does no I/O and never guesses: a name it does not know stays a LicenseRef of class Unknown.
package licence

//go:generate sh -c "go run gen.go \"$(go list -m -f '{{.Dir}}' github.com/github/go-spdx/v2)/cmd\""

// Class is what a licence means for a stack that has to be open. The effect of a class is policy data.
type Class string

// The classes, best first. Unknown is better than Restricted because it can still turn out well.
const (
	// OSI is approved by the Open Source Initiative, or "or later" of which a later version is.
	OSI Class = "osi"
	// FreeNotOSI is free by the FSF or the DFSG without the approval of the OSI.
	FreeNotOSI Class = "free-not-osi"
	// DocsData is a licence for documentation, fonts or data.
	DocsData Class = "docs-data"
	// Unknown says that the evidence does not tell. The empty expression is unknown.
	Unknown Class = "unknown"
	// Restricted is source available, non-commercial, or proprietary.
	Restricted Class = "restricted"
)

// Classes returns all classes, best first.
func Classes() []Class { return []Class{OSI, FreeNotOSI, DocsData, Unknown, Restricted} }

// rank is the place in Classes; a class that is none of ours ranks as Unknown.
func (c Class) rank() int {
	switch c {
	case OSI:
		return 0
	case FreeNotOSI:
		return 1
	case DocsData:
		return 2
	case Restricted:
		return 4
	}
	return 3
}

// Free reports whether the class is one of what anybody may use: OSI, FreeNotOSI or DocsData.
func (c Class) Free() bool { return c == OSI || c == FreeNotOSI || c == DocsData }

// Worst returns the class of a whole all of whose parts apply (AND). Nothing at all is Unknown.
func Worst(classes ...Class) Class {
	return pick(classes, func(a, b int) bool { return a > b })
}

// Best returns the class of a choice between licences (OR). No choice at all is Unknown.
func Best(classes ...Class) Class {
	return pick(classes, func(a, b int) bool { return a < b })
}

func pick(classes []Class, better func(a, b int) bool) Class {
	if len(classes) == 0 {
		return Unknown
	}
	chosen := classes[0].rank()
	for _, c := range classes[1:] {
		if r := c.rank(); better(r, chosen) {
			chosen = r
		}
	}
	return Classes()[chosen]
}

// ClassOf returns the class of a licence expression or name as Parse reads it. AND takes the worst part, OR the best, and
// WITH keeps the class of its licence for the exceptions of the SPDX list, which only add permissions. What cannot be
// read is Unknown.
func ClassOf(expression string) Class {
	e, err := Parse(expression)
	if err != nil {
		return Unknown
	}
	return e.Class()
}
