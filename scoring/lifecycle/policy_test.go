package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// tagged returns a reader of tags that are written as "name day, name day".
func tagged(list string) func(context.Context, scoring.Project) ([]scoring.Tag, error) {
	return func(context.Context, scoring.Project) ([]scoring.Tag, error) {
		var tags []scoring.Tag
		for entry := range strings.SplitSeq(list, ", ") {
			name, on, _ := strings.Cut(entry, " ")
			tags = append(tags, scoring.Tag{Name: name, At: date(on)})
		}
		return tags, nil
	}
}

// The days of the tags are those of the projects, up to 2026-08 (ovn-org/ovn 2411e964, openvswitch/ovs d6a632a9, rook/rook d0c3b9ce);
// what comes after is invented.
func TestAWrittenPolicyIsARuleOverTags(t *testing.T) {
	for _, tt := range []struct {
		id, tags string
		want     map[string]string
	}{
		{"ovn", "v22.03.0 2022-03-11, v23.09.0 2023-09-15, v24.03.0 2024-03-01, v24.03.9 2026-06-16, v24.09.0 2024-09-13, v25.09.0 2025-09-05, v25.09.9 2026-10-10, v26.03.0 2026-03-20, v26.03.2 2026-06-16, v26.09.0 2026-12-01", map[string]string{
			"22.03.1": "22.03|22.03|2025-03-01..2025-03-01|end of life",         // a year after the next of long term
			"24.03.9": "24.03|24.03|2027-03-20..2027-03-20|maintained",          // the next of long term is out
			"24.09.2": "24.09|24.09|2025-09-13..2025-09-13|end of life",         // a year
			"25.09.4": "25.09|25.09|2026-09-05..2026-10-10|end of life",         // a fix came after the year
			"26.03.0": "26.03|26.03|2029-03-20..2029-03-20|maintained|estimate", // three years, if the next comes in time
			"26.09.0": "none",
		}},
		{"openvswitch", "v2.16.0 2021-08-16, v2.17.0 2022-02-17, v3.0.0 2022-08-15, v3.1.0 2023-02-16, v3.2.0 2023-08-17, v3.3.0 2024-02-16, v3.4.0 2024-08-15, v3.5.0 2025-02-17, v3.6.0 2025-08-18, v3.7.0 2026-02-16", map[string]string{
			"2.17.9": "2.17|2.17|2025-02-17..2025-02-17|end of life", // as the text itself says: with 3.5
			"3.2.1":  "3.2|3.2|2024-02-16..2025-08-18|end of life",
			"3.3.4":  "3.3|3.3|-..-|maintained", // of long term, and no next one is named
			"3.5.1":  "3.5|3.5|2025-08-18..2027-02-17|",
			"3.7.0":  "3.7|3.7|-..-|maintained",
		}},
		{"rook", "v1.18.0 2025-08-20, v1.18.0-alpha.0 2025-07-31, v1.19.0 2026-01-20, v1.20.0 2026-06-02, v1.20.0-beta.0 2026-04-17, v1.9.0 2022-04-01, v1.18.9 2026-05-01", map[string]string{
			"1.20.1": "1.20|1.20|-..-|maintained",
			"1.19.0": "1.19|1.19|-..-|maintained",
			"1.18.2": "1.18|1.18|2026-06-02..2026-06-02|end of life",
			"1.9.0":  "1.9|1.9|2026-01-20..2026-01-20|end of life",
		}},
		{"qemu", "v9.0.0 2024-04-23, v9.1.0 2024-09-03, v9.1.0-rc4 2024-08-28, v9.1.3 2025-03-01", map[string]string{
			"9.0.2": "9.0|9.0|2024-09-03..-|", // usually: the end may come later
			"9.1.1": "9.1|9.1|-..-|maintained",
		}},
		{"libvirt", "v11.0.0 2025-01-15, v11.1.0 2025-03-01, v11.2.0-rc1 2025-03-25", map[string]string{
			"11.0.0": "11.0|11.0|-..-|", "11.1.0": "11.1|11.1|-..-|", "11.2.0": "none",
		}},
		{"helm", "v2.17.0 2020-10-20, v3.19.0 2025-09-10, v3.20.0 2026-01-14, v4.0.0 2025-11-12, v4.1.0 2026-01-14, v3.20.2 2026-04-20", map[string]string{
			"2.17.0": "2.17|2.17|2020-11-13..2020-11-13|end of life",
			"3.19.2": "3.19|3.19|2026-01-14..2026-01-14|end of life",
			"3.20.2": "3.20|3.20|2027-02-10..2027-02-10|maintained",
			"4.0.1":  "4.0|4.0|2026-01-14..2026-01-14|end of life",
			"4.1.0":  "4.1|4.1|-..-|maintained",
		}},
	} {
		fact := collect(t, Options{Read: newShop().read, Tags: tagged(tt.tags)}, scoring.Project{ID: tt.id, Repo: "https://example.org/" + tt.id})
		check(t, cyclesOf(t, fact), tt.want)
		if fact.Grade != audit.GradeDeclared || !strings.HasPrefix(fact.Origins[0].URL, "https://") {
			t.Errorf("%s: grade %s, origins %+v; want D with the address of the policy", tt.id, fact.Grade, fact.Origins)
		}
	}
}

func TestTagsThatCannotBeReadMakeNothingKnown(t *testing.T) {
	for want, tags := range map[string]func(context.Context, scoring.Project) ([]scoring.Tag, error){
		"reading tags: no clone":      func(context.Context, scoring.Project) ([]scoring.Tag, error) { return nil, errors.New("no clone") },
		"no tag looks like a release": tagged("nightly 2026-01-01, v1 2026-01-01, v1.2.3-rc1 2026-01-01, v1.2.3 2027-01-01"),
		"more tags than are read": func(context.Context, scoring.Project) ([]scoring.Tag, error) {
			return make([]scoring.Tag, mostTags+1), nil
		},
	} {
		if fact := collect(t, Options{Read: newShop().read, Tags: tags}, scoring.Project{ID: "rook"}); !strings.Contains(fact.Failure, want) {
			t.Errorf("%q, want %q", fact.Failure, want)
		}
	}
}

func TestARepositoryFullOfTagsIsReadInTimeThatGrowsWithIt(t *testing.T) {
	tags := make([]scoring.Tag, 50_000)
	for i := range tags {
		tags[i] = scoring.Tag{Name: fmt.Sprintf("v%d.%d.0", i/400, i%400), At: date("2020-01-01")}
	}
	began := time.Now()
	fact := collect(t, Options{Read: newShop().read, Tags: func(context.Context, scoring.Project) ([]scoring.Tag, error) { return tags, nil }}, scoring.Project{ID: "openvswitch"})
	if c := cyclesOf(t, fact); len(c.Cycles) != mostCycles || c.Cycles[0].Name != "124.399" {
		t.Errorf("%d cycles, the first %s; want %d, the newest first", len(c.Cycles), c.Cycles[0].Name, mostCycles)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestATableOfCalendarsIsRightInFullOrRefused(t *testing.T) {
	const head = "schema: pegel/lifecycles/v1\n"
	const good = "policies:\n- {id: p, kind: newest, count: 1, source: \"https://a\", date: \"2026-01-01\"}\n"
	for _, tt := range []struct{ in, want string }{
		{"", "the file is empty"},
		{"schema: x\n", `schema "x" is not`},
		{head + "policies:\n- {id: p, kind: magic, source: \"https://a\", date: \"2026-01-01\"}\n", `line 3: kind "magic" is not known`},
		{head + "policies:\n- {id: p, kind: newest, source: \"https://a\", date: \"2026-01-01\"}\n", "lacks its numbers"},
		{head + "policies:\n- {id: p, kind: newest, count: 0, source: \"https://a\", date: \"2026-01-01\"}\n", "count is not 1 to 600"},
		{head + "policies:\n- {id: p, kind: newest, count: 1, source: a, date: \"2026-01-01\"}\n", "source must begin with https://"},
		{head + "policies:\n- {id: p, kind: term, months: 1, lts: [a], source: \"https://a\", date: \"2026-01-01\"}\n", "lts needs lts_months"},
		{head + good + "- {id: p, kind: open, source: \"https://a\", date: \"2026-01-01\"}\n", "stands twice"},
		{head + good + "projects:\n- {id: a, policy: q}\n", `no policy is called "q"`},
		{head + good + "projects:\n- {id: a, own: b}\n", `no reader is called "b"`},
		{head + good + "projects:\n- {id: a, index: ../b}\n", `index "../b" is no name`},
		{head + good + "projects:\n- {id: a}\n", "names no place"},
		{head + good + "projects:\n- {id: b, policy: p}\n- {id: a, policy: p}\n", `"a" does not follow "b" in order`},
	} {
		if _, err := New(Options{Read: newShop().read, At: assessed, Table: []byte(tt.in)}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want one with %q", err, tt.want)
		}
	}
	if _, err := New(Options{At: assessed}); err == nil {
		t.Error("a collector without reader was made")
	}
}
