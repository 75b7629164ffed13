package thirdparty

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

// FuzzWhatIsKeptOfARecordSaysTheSame holds that a record, and what is kept of it in a bundle, give the same answers, and
// that keeping it once more changes nothing.
func FuzzWhatIsKeptOfARecordSaysTheSame(f *testing.F) {
	f.Add([]byte(`{"id": "A-1", "published": "2026-01-01T00:00:00Z", "database_specific": {"severity": "HIGH"}, "affected": [{"package": {"ecosystem": "PyPI", "name": "x"},
		"database_specific": {"severity": 7}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}]}]}`))
	f.Add([]byte(`{"id": "A-2", "withdrawn": null, "database_specific": {"severity": ["x"]}, "credits": [{"name": "n"}], "affected": [{"versions": ["1"]}]}`))
	f.Add([]byte(`{"id": "A-3", "database_specific": null, "severity": null, "affected": null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r record
		if json.Unmarshal(data, &r) != nil || !r.plausible() {
			return
		}
		kept, err := keepOnly[record](200, data, nil)
		if err != nil {
			t.Skip() // a time that cannot be written again
		}
		again, err := keepOnly[record](200, kept, nil)
		if err != nil || string(again) != string(kept) {
			t.Fatalf("kept %s, and of that %s, %v", kept, again, err)
		}
		var s record
		if err := json.Unmarshal(kept, &s); err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
		a, b := fold([]record{r}, at), fold([]record{s}, at)
		if len(a) != len(b) {
			t.Fatalf("%d of the record and %d of what is kept", len(a), len(b))
		}
		for i := range a {
			if a[i].id != b[i].id || a[i].severity != b[i].severity || !a[i].published.Equal(b[i].published) {
				t.Fatalf("%+v became %+v", a[i], b[i])
			}
		}
		for i := range r.Affected {
			for _, version := range []string{"1", "2.0", "main"} {
				x, _ := r.Affected[i].judge(version)
				if y, _ := s.Affected[i].judge(version); x != y {
					t.Fatalf("%s: %v became %v", version, x, y)
				}
			}
		}
	})
}

func TestAliasesAreOneVulnerability(t *testing.T) {
	at := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	list := []record{{ID: "C", Aliases: []string{"X"}, Published: at}, {ID: "A", Aliases: []string{"B"}, Published: at}, {ID: "B", Published: at.AddDate(0, 0, -1)},
		{ID: "D", Aliases: []string{"X", "A"}, Published: at}, {ID: "E", Published: at}, {ID: "E", Published: at}}
	for range len(list) {
		list = append(list[1:], list[0])
		got := fold(list, at)
		if len(got) != 2 || len(got[0].records) != 4 || got[0].id != "A" || !got[0].published.Equal(at.AddDate(0, 0, -1)) || got[1].id != "E" {
			t.Fatalf("got %+v, want A to D as one, first published a day ago, and E once", got)
		}
	}
}

func TestALongListKeepsWhatCountsMost(t *testing.T) {
	var list []scoring.Advisory
	for i := range 1000 {
		severity := []string{"low", "medium", "high", unknownSeverity, "critical"}[i%5]
		list = append(list, scoring.Advisory{ID: fmt.Sprint(i), Severity: severity, Published: time.Date(2026, 1, 1, 0, 0, 1000-i, 0, time.UTC)})
	}
	kept, cut := worstFirst(list[5:])
	if cut != 795 || len(kept) != 200 || kept[0].ID != "999" || kept[198].Severity != "critical" || kept[199].Severity != unknownSeverity {
		t.Errorf("left out %d, got first %+v and last %+v; want the 199 critical ones, the oldest first, then one unknown", cut, kept[0], kept[len(kept)-1])
	}
	if same, cut := worstFirst(list[:200]); cut != 0 || same[0].ID != "0" {
		t.Error("a list that is short enough was changed")
	}
}

func TestTheTableOfFamilies(t *testing.T) {
	table := families()
	if n := strings.Count(familyTable, "\n") - strings.Count(familyTable, "#"); n != len(table) {
		t.Errorf("%d lines give %d names: one stands there twice", n, len(table))
	}
	for repo, want := range map[string]string{
		"debian_13": "debuntu", "ubuntu_24_04": "debuntu", "debian_experimental": "", "epel_9": "fedora", "rocky_9": "centos", "opensuse_tumbleweed": "opensuse",
		"opensuse_network_tumbleweed": "", "arch": "arch", "aur": "", "nix_unstable": "nix", "pypi": "", "crates_io": "", "homebrew": "homebrew", "homebrew_casks": "", "": "",
	} {
		if got := familyOf(table, repo); got != want {
			t.Errorf("%s: got %q, want %q", repo, got, want)
		}
	}
}
