package transparency

import (
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// patchesOf is evidence with these folders.
func patchesOf(exposure string, places ...PatchPlace) Evidence {
	return Evidence{AssessedAt: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Exposure: exposure, Artifacts: []Artifact{
		{Target: Target{Kind: KindPatches, URL: "https://git.example.org/images"}, Patches: &Patches{Places: places}},
	}}
}

func patchFolder(patches, linked, unread int) PatchPlace {
	return PatchPlace{
		URL: "https://git.example.org/images", Commit: strings.Repeat("a", 40), Path: "patches", Files: patches, Public: audit.Known(true), Open: audit.Known(true),
		Licence: audit.Known("Apache-2.0"), PatchCount: PatchCount{Patches: patches, Linked: linked}, Unread: unread, Alone: []PatchAlone{{Path: "patches/nova/a.patch"}},
	}
}

var patchRules = audit.TransparencyRules{
	Public: map[string][]string{"public": {KindPatches, KindIdentity}},
	Indicators: map[string]audit.TransparencyRule{
		"UF-01": {}, "UF-02": {Numbers: map[string]int{"share_bp": 8000, "part_bp": 5000}}, "ID-01": {},
	},
}

func resultOf(t *testing.T, e Evidence, id string) Result {
	t.Helper()
	for _, r := range Judge(e, Context{}, patchRules) {
		if r.Indicator.ID == id {
			return r
		}
	}
	t.Fatalf("no indicator %s", id)
	return Result{}
}

func TestPatchesThatLeadUpstreamAreComparedWithTheProfile(t *testing.T) {
	unread := PatchPlace{URL: "https://git.example.org/more", Trouble: &audit.Trouble{Kind: audit.TroubleTimeout, Text: "slow"}}
	for name, test := range map[string]struct {
		places []PatchPlace
		want   audit.Outcome
	}{
		"all":                               {[]PatchPlace{patchFolder(3, 3, 0)}, audit.PASS},
		"just enough":                       {[]PatchPlace{patchFolder(10, 8, 0)}, audit.PASS},
		"a little less":                     {[]PatchPlace{patchFolder(1000, 799, 0)}, audit.PART},
		"half":                              {[]PatchPlace{patchFolder(2, 1, 0)}, audit.PART},
		"fewer":                             {[]PatchPlace{patchFolder(1000, 499, 0)}, audit.FAIL},
		"none":                              {[]PatchPlace{patchFolder(1, 0, 0)}, audit.FAIL},
		"no patches":                        {[]PatchPlace{patchFolder(0, 0, 0)}, audit.NA},
		"no patches, another folder unread": {[]PatchPlace{patchFolder(0, 0, 0), unread}, audit.DNF},
		"what is unread could decide":       {[]PatchPlace{patchFolder(9, 8, 1)}, audit.PASS},
		"what is unread does decide":        {[]PatchPlace{patchFolder(7, 7, 2)}, audit.DNF},
		"nothing but unread":                {[]PatchPlace{patchFolder(0, 0, 2)}, audit.DNF},
		"two folders together":              {[]PatchPlace{patchFolder(1, 0, 0), patchFolder(9, 9, 0)}, audit.PASS},
		"one of two unread":                 {[]PatchPlace{patchFolder(9, 9, 0), unread}, audit.DNF},
	} {
		r := resultOf(t, patchesOf("public", test.places...), "UF-02")
		if r.Outcome != test.want || r.Reason == "" {
			t.Errorf("%s: got %s (%s), want %s", name, r.Outcome, r.Reason, test.want)
		}
		if r.Outcome == audit.FAIL && (len(r.Settle) == 0 || !strings.Contains(r.Settle[0], "patches/nova/a.patch")) {
			t.Errorf("%s: nothing says which patch to send: %q", name, r.Settle)
		}
		if r.Outcome != audit.MISS && len(r.Origins) == 0 {
			t.Errorf("%s leads to no evidence", name)
		}
	}
}

func TestMoreLinksNeverWorsenTheAnswer(t *testing.T) {
	rank := map[audit.Outcome]int{audit.FAIL: 0, audit.PART: 1, audit.PASS: 2}
	last := 0
	for linked := range 101 {
		now := rank[resultOf(t, patchesOf("public", patchFolder(100, linked, 0)), "UF-02").Outcome]
		if now < last {
			t.Errorf("%d of 100 linked is worse than %d", linked, linked-1)
		}
		last = now
	}
}

func TestPatchesArePublicOnlyIfEachFolderIs(t *testing.T) {
	with := func(change func(*PatchPlace)) PatchPlace {
		p := patchFolder(3, 3, 0)
		change(&p)
		return p
	}
	fine := patchFolder(3, 3, 0)
	hidden := with(func(p *PatchPlace) { p.Public = audit.Known(false) })
	clone := with(func(p *PatchPlace) { p.Public = audit.Fact[bool]{} })
	for name, test := range map[string]struct {
		exposure string
		places   []PatchPlace
		want     audit.Outcome
	}{
		"public":                     {"public", []PatchPlace{fine}, audit.PASS},
		"one of two hidden":          {"public", []PatchPlace{fine, hidden}, audit.FAIL},
		"a licence that is not open": {"public", []PatchPlace{with(func(p *PatchPlace) { p.Open, p.Licence = audit.Known(false), audit.Known("BUSL-1.1") })}, audit.FAIL},
		"no licence": {"public", []PatchPlace{with(func(p *PatchPlace) {
			p.Open, p.Licence = audit.Known(false), audit.Failed[string]("there is no licence file at its root")
		})}, audit.FAIL},
		"a licence that nobody knows": {"public", []PatchPlace{with(func(p *PatchPlace) { p.Open = audit.Failed[bool]("unknown text") })}, audit.DNF},
		"a clone":                     {"public", []PatchPlace{clone}, audit.DNF},
		"a clone of a private cloud":  {"private", []PatchPlace{clone}, audit.PASS},
		"one of two unread":           {"public", []PatchPlace{fine, {URL: "x", Trouble: &audit.Trouble{Kind: audit.TroubleServer, Text: "error"}}}, audit.DNF},
		"no patches":                  {"public", []PatchPlace{patchFolder(0, 0, 0)}, audit.NA},
	} {
		if r := resultOf(t, patchesOf(test.exposure, test.places...), "UF-01"); r.Outcome != test.want || r.Reason == "" {
			t.Errorf("%s: got %s (%s), want %s", name, r.Outcome, r.Reason, test.want)
		}
	}
}

func TestWithoutANameNobodyKnowsWhetherPatchesAreCarried(t *testing.T) {
	for _, id := range []string{"UF-01", "UF-02", "ID-01"} {
		if r := resultOf(t, Evidence{Exposure: "public"}, id); r.Outcome != audit.MISS || len(r.Settle) == 0 {
			t.Errorf("%s: got %s (%s), want MISS with what would settle it", id, r.Outcome, r.Reason)
		}
	}
	gone := Evidence{Exposure: "public", Artifacts: []Artifact{{Target: Target{Kind: KindPatches, URL: "https://x"}, Trouble: &audit.Trouble{Kind: audit.TroubleNotFound, Text: "gone"}}}}
	if a, b := resultOf(t, gone, "UF-01"), resultOf(t, gone, "UF-02"); a.Outcome != audit.FAIL || b.Outcome != audit.MISS {
		t.Errorf("a repository that is gone: UF-01 %s, UF-02 %s; want FAIL and MISS", a.Outcome, b.Outcome)
	}
}
