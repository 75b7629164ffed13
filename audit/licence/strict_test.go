package licence

import (
	"strings"
	"testing"
)

func TestOnlySPDXExpressionsPassTheStrictCheck(t *testing.T) {
	for _, text := range []string{
		"MIT", "mit", "GPL-2.0", "GPL-2.0+", "Apache-2.0 OR MIT", "(MIT AND (BSD-3-Clause OR ISC))", "GPL-2.0-or-later WITH Classpath-exception-2.0",
		"LicenseRef-scancode-public-domain", "DocumentRef-other:LicenseRef-debian-x", "MIT AND LicenseRef-a.b-c",
		"GPL-3.0-only WITH AdditionRef-mine OR MIT",
	} {
		if err := CheckExpression(text); err != nil {
			t.Errorf("%q: got %v, want no error", text, err)
		}
	}
	for _, text := range []string{
		"", " ", "GPLv2", "The MIT License", "MIT and ISC", "MIT/ISC", "MIT, ISC", "MIT OR", "OR MIT", "MIT OR OR ISC", "(MIT", "MIT)", "()", "MIT (ISC)",
		"MIT ISC", "MIT WITH", "MIT WITH nothing-that-is-known", "(MIT) WITH Classpath-exception-2.0", "WITH MIT", "NOASSERTION", "NONE", "LicenseRef-", "LicenseRef-ü",
		"GPL-2.0-only WITH Classpath-exception-2.0 WITH Classpath-exception-2.0", strings.Repeat("(", 100000) + "MIT", strings.Repeat("MIT OR ", 1100) + "MIT",
	} {
		if err := CheckExpression(text); err == nil {
			t.Errorf("%q: got no error, want one", text)
		}
	}
}

func FuzzStrictExpressionsAreReadByTheParserToo(f *testing.F) {
	for _, seed := range []string{"MIT", "(MIT OR GPL-2.0+) AND LicenseRef-x", "GPL-2.0-only WITH GCC-exception-2.0", "((MIT))"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if CheckExpression(text) != nil || strings.Count(text, "(") > maxDepth || strings.Contains(text, "AdditionRef-") {
			return
		}
		if _, err := Parse(text); err != nil {
			t.Errorf("%q passes the strict check; got %v from Parse, want no error", text, err)
		}
	})
}
