package thirdparty

import "testing"

// The scores are those of the examples that FIRST publishes for CVSS 2, 3.1 and 4.0.
func TestScoresOfPublishedExamples(t *testing.T) {
	for vector, want := range map[string]float64{
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N":                    6.1, // CVE-2013-1937
		"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N":                    6.4, // CVE-2013-0375
		"CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N":                    3.1, // CVE-2014-3566
		"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H":                    9.9, // CVE-2012-1516
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N":                    7.5, // CVE-2014-0160
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H":                    9.8, // CVE-2014-6271
		"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N":                    6.8, // CVE-2008-1447
		"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H":                    9.8,
		"CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": 7.3,  // CVE-2022-41741
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H": 10.0, // CVE-2021-44228
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N": 8.7,  // CVE-2014-0160
		"AV:N/AC:L/Au:N/C:N/I:N/A:C":                                      7.8,  // CVE-2002-0392
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N":                    0,
	} {
		if got, ok := baseScore(vector); !ok || got != want {
			t.Errorf("%s: got %v %v, want %v", vector, got, ok, want)
		}
	}
}

func TestAVectorThatIsNoneGivesNoScore(t *testing.T) {
	for _, vector := range []string{"", "CVSS:3.1/", "CVSS:3.1/AV:N", "CVSS:9.9/AV:N", "9.8", "HIGH", string(make([]byte, 5000))} {
		if got, ok := baseScore(vector); ok {
			t.Errorf("%.40q: got %v, want none", vector, got)
		}
	}
}

func TestTheSeverityOfARecord(t *testing.T) {
	critical := osvSeverity{"CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
	low := osvSeverity{"CVSS_V4", "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"}
	for name, c := range map[string]struct {
		record record
		want   string
	}{
		"a vector":                         {record{Severity: []osvSeverity{critical}}, "critical"},
		"a vector of an affected package":  {record{Affected: []affected{{Severity: []osvSeverity{critical}}}}, "critical"},
		"the newest version of CVSS":       {record{Severity: []osvSeverity{critical, low}}, "low"},
		"a label where there is no vector": {record{Database: osvLabel{"MODERATE"}}, "medium"},
		"a vector before a label":          {record{Severity: []osvSeverity{critical}, Database: osvLabel{"LOW"}}, "critical"},
		"a broken vector and no label":     {record{Severity: []osvSeverity{{"CVSS_V3", "CVSS:3.1/AV:N"}}}, unknownSeverity},
		"a label that nobody knows":        {record{Database: osvLabel{"dreadful"}}, unknownSeverity},
		"nothing":                          {record{}, unknownSeverity},
	} {
		if got := c.record.severity(); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	if got := severityOf([]record{{}, {Database: osvLabel{"low"}}, {Database: osvLabel{"high"}}}); got != "high" {
		t.Errorf("got %s for three records of one vulnerability, want the worst that is known", got)
	}
}
