package visit_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/cmd/internal/visit"
)

func TestAServerThatIsTooSlowThreeTimesInARowIsLeftAlone(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/robots.txt":
			http.NotFound(w, r)
			return
		case strings.HasPrefix(r.URL.Path, "/quick"):
			w.Write([]byte("here"))
			return
		}
		asked.Add(1)
		for r.Context().Err() == nil { // a drop now and then, for ever
			w.Write([]byte(" "))
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	}))
	defer s.Close()
	v := visitor(t, func(o *visit.Options) { o.Timeout = 200 * time.Millisecond })
	look := func(path string) audit.Answer {
		return v.Ask(context.Background(), audit.Request{URL: s.URL + path})
	}
	look("/a")
	look("/b")
	if a := look("/quick"); a.Trouble != nil {
		t.Fatalf("a page that answers is not read: %+v", a.Trouble)
	}
	for _, path := range []string{"/c", "/d", "/e", "/f", "/g"} {
		if a := look(path); a.Trouble == nil || a.Trouble.Kind != audit.TroubleTimeout || a.Trouble.Outcome() != audit.DNF || a.Trouble.Settle == "" {
			t.Errorf("%s: got %+v, want a timeout that decides nothing", path, a.Trouble)
		}
	}
	if n := asked.Load(); n != 5 {
		t.Errorf("it was asked for %d slow pages, want 5: two, and after one that came three", n)
	}
	if a := look("/quick/more"); a.Trouble == nil || !strings.Contains(a.Trouble.Text, "3 pages in a row") {
		t.Errorf("got %+v, want that nobody asks any more", a.Trouble)
	}
}
