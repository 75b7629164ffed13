package patches

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

var judged = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// repositoryOf is a repository of these files; one whose text is "gone" cannot be read.
func repositoryOf(address string, files map[string]string) *transparency.Repository {
	r := &transparency.Repository{URL: address, Commit: strings.Repeat("a", 40), SeenUntil: judged, Licence: audit.Known("Apache-2.0"), Close: func() error { return nil }}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		r.Files = append(r.Files, transparency.File{Path: name, ID: name, Size: int64(len(files[name]))})
	}
	r.Read = func(_ context.Context, id string, limit int64) ([]byte, error) {
		switch {
		case files[id] == "gone":
			return nil, errors.New("no such object")
		case int64(len(files[id])) > limit:
			return nil, transparency.ErrTooLarge
		}
		return []byte(files[id]), nil
	}
	return r
}

func looked(t *testing.T, files map[string]string, folder string) transparency.Artifact {
	t.Helper()
	r := repositoryOf("https://git.example.org/acme/images", files)
	w := transparency.World{At: judged, Open: func(context.Context, string) (*transparency.Repository, *audit.Trouble) { return r, nil }}
	return Collect(context.Background(), transparency.Target{Kind: transparency.KindPatches, URL: r.URL, Path: folder}, w)
}

const (
	linked = "Forwarded: https://bugs.example.com/1\n--- a/x\n+++ b/x\n"
	silent = "--- a/x\n+++ b/x\n"
	stated = "Forwarded: no\n--- a/x\n+++ b/x\n"
	hinted = "Change-Id: I0123456789012345678901234567890123456789\n--- a/x\n+++ b/x\n"
)

func TestPatchesAreCountedByDirectory(t *testing.T) {
	a := looked(t, map[string]string{
		"patches/2025.1/nova/a.patch": linked, "patches/2025.1/nova/b.patch": silent, "patches/2025.1/keystone/c.diff": stated,
		"patches/2025.1/keystone/d.patch": hinted, "patches/2024.2/nova/e.patch": linked, "README.md": "words", "src/f.patch": linked,
	}, "patches/2025.1/")
	p := a.Patches.Places[0]
	if p.PatchCount != (transparency.PatchCount{Patches: 4, Linked: 1, Stated: 1, Hinted: 1}) || len(p.Components) != 2 || p.Components[1].Name != "nova" || p.Components[1].Patches != 2 {
		t.Errorf("got %+v", p)
	}
	if len(p.Links) != 1 || p.Links[0] != (transparency.PatchLinks{Kind: "forwarded", Patches: 1}) || len(p.Alone) != 3 || p.Alone[0].Says != "stated" {
		t.Errorf("got links %+v, alone %+v", p.Links, p.Alone)
	}
	if public, ok := p.Public.Get(); !ok || !public {
		t.Errorf("what git got without rights is not public: %+v", p.Public)
	}
}

func TestASeriesSaysWhichPatchesAreCarried(t *testing.T) {
	a := looked(t, map[string]string{"debian/patches/series": "a.patch\nupstream/b -p1\nmissing.patch\n", "debian/patches/a.patch": linked, "debian/patches/upstream/b": silent, "debian/patches/old.patch": silent}, "debian/patches")
	p := a.Patches.Places[0]
	if p.Patches != 2 || p.Linked != 1 || p.Unread != 1 || p.Components[0].Name != "images" || !strings.Contains(strings.Join(a.Notes, "\n"), "1 patches lie there and are not carried") {
		t.Errorf("got %+v, notes %q", p, a.Notes)
	}
}

func TestThatNoPatchIsCarriedOnlyAFolderForThemShows(t *testing.T) {
	for name, test := range map[string]struct {
		files   map[string]string
		folder  string
		trouble string
	}{
		"a folder that is kept empty":        {map[string]string{"patches/.gitkeep": "", "x.go": "x"}, "patches", ""},
		"a series without an entry":          {map[string]string{"debian/patches/series": "# none\n"}, "debian/patches", ""},
		"a folder of something else":         {map[string]string{"src/x.go": "x"}, "src", "no patch"},
		"a whole repository":                 {map[string]string{"README.md": "x"}, "", "no patch"},
		"no such folder":                     {map[string]string{"patches/a.patch": linked}, "pathces", "no files"},
		"a folder whose name only begins so": {map[string]string{"patches-old/a.patch": linked}, "patches", "no files"},
		"a series that cannot be read":       {map[string]string{"patches/series": "gone", "patches/a.patch": linked}, "patches", "cannot be read"},
	} {
		a := looked(t, test.files, test.folder)
		switch {
		case test.trouble == "" && (a.Trouble != nil || a.Patches.Places[0].Patches != 0):
			t.Errorf("%s: got %+v, want that none is carried", name, a)
		case test.trouble != "" && (a.Trouble == nil || !strings.Contains(a.Trouble.Text, test.trouble) || a.Trouble.Outcome() != audit.DNF):
			t.Errorf("%s: got %+v, want a trouble about %q", name, a.Trouble, test.trouble)
		}
	}
}

func TestWhatCannotBeReadIsCounted(t *testing.T) {
	a := looked(t, map[string]string{"patches/a.patch": linked, "patches/b.patch": "gone", "patches/c.patch": strings.Repeat("x", maxPatch+1)}, "patches")
	if p := a.Patches.Places[0]; p.Patches != 1 || p.Unread != 2 {
		t.Errorf("got %+v", p)
	}
}

func TestNamesThatStrangersChoseAreShownSafely(t *testing.T) {
	a := looked(t, map[string]string{"patches/\x1b[31m" + strings.Repeat("n", 300) + "/a.patch": silent}, "patches")
	p := a.Patches.Places[0]
	for _, s := range []string{p.Components[0].Name, p.Alone[0].Path} {
		if strings.ContainsRune(s, 0x1b) || len(s) > maxShown+10 {
			t.Errorf("got %q", s)
		}
	}
}

func TestEachWayToFailIsSaid(t *testing.T) {
	target := transparency.Target{Kind: transparency.KindPatches, URL: "https://git.example.org/acme/images", Path: "patches"}
	refusing := func(kind string) transparency.World {
		return transparency.World{At: judged, Open: func(context.Context, string) (*transparency.Repository, *audit.Trouble) {
			return nil, &audit.Trouble{Kind: kind, Text: "because of " + kind}
		}}
	}
	for name, test := range map[string]struct {
		world  transparency.World
		target transparency.Target
		want   audit.Outcome
	}{
		"gone":      {refusing(audit.TroubleNotFound), target, audit.FAIL},
		"login":     {refusing(audit.TroubleLogin), target, audit.FAIL},
		"slow":      {refusing(audit.TroubleTimeout), target, audit.DNF},
		"too large": {refusing(audit.TroubleTooLarge), target, audit.DNF},
		"offline":   {transparency.World{}, target, audit.MISS},
		"not named": {transparency.World{}, transparency.Target{Kind: transparency.KindPatches}, audit.MISS},
		"a file":    {transparency.World{}, transparency.Target{Kind: transparency.KindPatches, File: "a.patch"}, audit.MISS},
	} {
		if a := Collect(context.Background(), test.target, test.world); a.Trouble == nil || a.Trouble.Outcome() != test.want || a.Patches != nil {
			t.Errorf("%s: got %+v, want %s", name, a.Trouble, test.want)
		}
	}
}

// TestOfACloneOnThisMachineTheServerIsAsked speaks to servers as git does.
func TestOfACloneOnThisMachineTheServerIsAsked(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		public string
	}{
		"git": {func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte("001e# service=git-upload-pack\n0000 refs/heads/jane-doe"))
		}, "true"},
		"a page":       {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>hello")) }, "unknown"},
		"nothing":      {http.NotFound, "false"},
		"out of order": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "unknown"},
	} {
		server := httptest.NewServer(test.answer)
		r := repositoryOf(server.URL+"/acme/images", map[string]string{"patches/a.patch": linked})
		r.Local = true
		w := transparency.World{At: judged, Ask: asking, Open: func(context.Context, string) (*transparency.Repository, *audit.Trouble) { return r, nil }}
		p := Collect(context.Background(), transparency.Target{Kind: transparency.KindPatches, URL: r.URL, Path: "patches"}, w).Patches.Places[0]
		got := "unknown"
		if public, ok := p.Public.Get(); ok {
			got = map[bool]string{true: "true", false: "false"}[public]
		}
		if got != test.public {
			t.Errorf("%s: public is %s, want %s: %+v", name, got, test.public, p.Public)
		}
		server.Close()
	}
}

func asking(ctx context.Context, r audit.Request) audit.Answer {
	seen := audit.Seen{URL: r.URL, At: judged}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil {
		seen.Trouble = &audit.Trouble{Kind: audit.TroubleAddress, Text: "the address cannot be asked"}
		return audit.Answer{Seen: seen}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		seen.Trouble = &audit.Trouble{Kind: audit.TroubleUnreachable, Text: "the server cannot be reached"}
		return audit.Answer{Seen: seen}
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		seen.Trouble = &audit.Trouble{Kind: audit.TroubleNotFound, Text: "the server says that there is nothing"}
		return audit.Answer{Seen: seen}
	default:
		seen.Trouble = &audit.Trouble{Kind: audit.TroubleServer, Text: "the server answers with an error"}
		return audit.Answer{Seen: seen}
	}
	body := make([]byte, 1000)
	n, _ := response.Body.Read(body)
	clean, _ := r.Redact(body[:n])
	if strings.Contains(string(clean), "jane") {
		seen.Trouble = &audit.Trouble{Kind: audit.TroubleContent, Text: "a name of a branch was kept"}
	}
	seen.Digest = audit.DigestOf(clean)
	return audit.Answer{Seen: seen, Body: clean}
}
