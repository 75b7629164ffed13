package declaration

import "testing"

func TestALegalFormMakesNoOtherOrganisation(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"Example GmbH", "Example", true}, {"Example GmbH & Co. KG", "EXAMPLE", true}, {"Example e.V.", "Example", true}, {"Example Cloud AG", "Example-Cloud SE", true},
		{"Example Cloud", "Example Audit", false}, {"Example", "Examples", false}, {"AG", "GmbH", false},
	} {
		if got := same(c.a, c.b); got != c.want {
			t.Errorf("%q and %q: got %v, want %v", c.a, c.b, got, c.want)
		}
	}
}
