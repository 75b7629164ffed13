package policies

import "testing"

func TestTheBuiltInPolicyLoads(t *testing.T) {
	p, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(p.ID(), p.Version(), p.Digest(), len(p.Requirements()), p.ScopeIDs())
}
