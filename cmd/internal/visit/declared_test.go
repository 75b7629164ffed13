package visit_test

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/declaration"
	"github.com/pegel-audit/pegel/cmd/internal/visit"
)

func TestEvidenceOfDeclarationsIsLookedAt(t *testing.T) {
	const page, scan = "<p>Mail jane.doe@example.org", "%PDF-1.7 jane.doe@example.org"
	address := pages(t, map[string]string{"/iam text/html": page, "/other text/html": "<p>Another page now"})
	dir := folder(t, map[string]string{"declarations.yaml": "", "evidence/scan 1.pdf": scan, "changed.txt": "new"})
	text := fmt.Sprintf("schema: pegel/declaration/v1\nwho: Example GmbH\nrole: operations\ndate: 2026-11-20\nentries:\n"+
		"  - id: a\n    statement: A.\n    evidence: [{file: evidence/scan 1.pdf, digest: %s}, {url: %s/iam, digest: %s}]\n"+
		"  - id: b\n    statement: B.\n    evidence: [{file: changed.txt, digest: %s}]\n"+
		"  - id: c\n    statement: C.\n    evidence: [{file: gone.txt, digest: %s}]\n"+
		"  - id: d\n    statement: D.\n    evidence: [{url: %s/other, digest: %s}]\n"+
		"  - id: e\n    statement: E.\n    evidence: [{url: %s/missing}]\n",
		audit.DigestOf([]byte(scan)), address, audit.DigestOf([]byte(page)), audit.DigestOf([]byte("old")), audit.DigestOf([]byte("x")), address, audit.DigestOf([]byte("x")), address)
	f, err := declaration.Parse([]byte(text), "declarations.yaml")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	var k kept
	v := visitor(t, func(o *visit.Options) { o.Keep = k.keep })
	looks := visit.Declared(t.Context(), f, visit.DeclaredOptions{Dir: dir, Ask: v.Ask, At: at, Keep: k.keep})
	want := map[string]audit.Outcome{"a": audit.PASS, "b": audit.DNF, "c": audit.DNF, "d": audit.DNF, "e": audit.DNF}
	for _, r := range declaration.Judge(f, at, declaration.LookedAt(looks)) {
		if r.Outcome != want[r.ID] {
			t.Errorf("%s: %s (%s), want %s", r.ID, r.Outcome, r.Reason, want[r.ID])
		}
	}
	for _, b := range k.blobs {
		if (b.Origin.Source == "handed") != (b.Withheld != "") {
			t.Errorf("%s: withheld %q", b.Name, b.Withheld)
		}
	}
	later := at.AddDate(1, 0, 0)
	if looks := visit.Declared(t.Context(), f, visit.DeclaredOptions{Dir: dir, Ask: v.Ask, At: later}); len(looks) != 0 {
		t.Errorf("%d looks for declarations that expired", len(looks))
	}
	offline := visit.Declared(t.Context(), f, visit.DeclaredOptions{Dir: dir, At: at})
	if r := declaration.Judge(f, at, declaration.LookedAt(offline))[0]; r.Outcome != audit.MISS {
		t.Errorf("with nobody looking at pages: %s", r.Outcome)
	}
}

func TestAPageThatChangesWithEveryLookHasNoDigest(t *testing.T) {
	var n atomic.Int64
	address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/same":
			io.WriteString(w, "the same")
		case "/other":
			fmt.Fprintf(w, "look %d", n.Add(1))
		default:
			http.NotFound(w, r)
		}
	})
	digest := func(path string) (audit.Digest, bool, *audit.Trouble) {
		return visit.PageDigest(t.Context(), visitor(t, nil).Ask, visitor(t, nil).Ask, address+path)
	}
	if d, ok, trouble := digest("/same"); !ok || trouble != nil || d != audit.DigestOf([]byte("the same")) {
		t.Errorf("%s %v %+v", d, ok, trouble)
	}
	if _, ok, trouble := digest("/other"); ok || trouble != nil {
		t.Errorf("%v %+v", ok, trouble)
	}
	if _, ok, trouble := digest("/gone"); ok || trouble == nil || trouble.Kind != audit.TroubleNotFound {
		t.Errorf("%v %+v", ok, trouble)
	}
}
