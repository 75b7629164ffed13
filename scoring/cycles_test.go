package scoring

import "testing"

func TestAVersionBelongsToTheCycleWithTheLongestPrefixItBeginsWith(t *testing.T) {
	c := Cycles{Cycles: []Cycle{
		{Name: "1.30", Prefix: "1.30"}, {Name: "1.3", Prefix: "1.3"}, {Name: "19 (squid)", Prefix: "19"}, {Name: "2024.2 (x)", Prefix: "30"},
		{Name: "25.1", Prefix: "25.1"}, {Name: "25", Prefix: "25"}, {Name: "24.03", Prefix: "24.03"}, {Name: "none", Prefix: ""},
	}}
	for version, want := range map[string]string{
		"v1.30.2": "1.30", "1.3": "1.3", "1.31.0": "", "1": "", "5:19.2.3-1~bpo": "19 (squid)", "190.1": "", "30.0.0.0rc1": "2024.2 (x)", "2024.2": "2024.2 (x)",
		"25.1.0": "25.1", "25.10": "25", "24.03.2-0ubuntu1": "24.03", "24.3.2": "24.03", "": "", "latest": "", "20240203": "",
	} {
		got, ok := c.Of(version)
		if got.Name != want || ok != (want != "") {
			t.Errorf("version %q belongs to %q, %v; want %q", version, got.Name, ok, want)
		}
	}
}

func TestCyclesAreSortedByTheirNumbers(t *testing.T) {
	c := Cycles{Cycles: []Cycle{{Prefix: "1.9"}, {Prefix: "1.10"}, {Prefix: "0.94"}, {Prefix: "2"}}}.Sorted()
	got := ""
	for _, x := range c.Cycles {
		got += x.Prefix + " "
	}
	if got != "2 1.10 1.9 0.94 " {
		t.Errorf("order %s, want the newest first", got)
	}
}
