package visit_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/cmd/internal/visit"
)

func TestRobotsAreAskedOnceAndObeyed(t *testing.T) {
	var robots, pages atomic.Int64
	address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			robots.Add(1)
			io.WriteString(w, "User-agent: *\nDisallow: /\n\nUser-agent: Pegel\nDisallow: /private/ # \x1b[31m\nAllow: /private/status\n")
			return
		}
		pages.Add(1)
		io.WriteString(w, "here")
	})
	v := visitor(t, nil)
	a := get(t, v, address+"/private/a")
	wantTrouble(t, a, audit.TroubleRobots, "robots.txt of 127.0.0.1 asks programs to stay away", "line 5: Disallow: /private/")
	if a.Trouble.Outcome() != audit.MISS || !strings.Contains(a.Trouble.Settle, "user agent Pegel") || pages.Load() != 0 {
		t.Errorf("outcome %s, settle %q, %d pages were asked", a.Trouble.Outcome(), a.Trouble.Settle, pages.Load())
	}
	var wg sync.WaitGroup
	for _, path := range []string{"/a", "/b", "/private/status", "/c"} {
		wg.Go(func() {
			if a := v.Ask(t.Context(), audit.Request{URL: address + path}); a.Trouble != nil {
				t.Errorf("%s: %s", path, a.Trouble.Text)
			}
		})
	}
	wg.Wait()
	if robots.Load() != 1 {
		t.Errorf("robots.txt was asked %d times", robots.Load())
	}
}

func TestRobotsOfTheHostThatARedirectLeadsToCount(t *testing.T) {
	var reached atomic.Bool
	target := serve(t, "127.0.0.2", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			io.WriteString(w, "User-agent: *\nDisallow: /page")
			return
		}
		reached.Store(true)
	})
	address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		http.Redirect(w, r, target+"/page", http.StatusMovedPermanently)
	})
	wantTrouble(t, get(t, visitor(t, nil), address+"/"), audit.TroubleRobots, "127.0.0.2")
	if reached.Load() {
		t.Error("the page was asked")
	}
}

func TestWhatAServerAnswersAboutRobotsDecides(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string // kind of trouble
		words  string
	}{
		{"404 allows", http.NotFound, "", ""},
		{"403 allows", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, "", ""},
		{"an empty answer allows", func(http.ResponseWriter, *http.Request) {}, "", ""},
		{"500 keeps away", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, audit.TroubleServer, "answers 500 when asked for robots.txt"},
		{"503 keeps away", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, audit.TroubleServer, "programs stay away"},
		{"429 keeps away", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, audit.TroubleServer, "answers 429"},
		{"a broken connection keeps away", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, audit.TroubleUnreachable, "broke off"},
		{"silence keeps away", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, audit.TroubleTimeout, "no whole answer"},
		{"a redirect is followed", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/real.txt", 302) }, audit.TroubleRobots, "line 2"},
		{"a circle of redirects allows", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/robots.txt", 302) }, "", ""},
		{"a redirect to a login allows", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", 302) }, "", ""},
		{"a long file is read to the limit", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "User-agent: *\nDisallow: /\n"+strings.Repeat("# long\n", 200<<10))
		}, audit.TroubleRobots, "line 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var pages atomic.Int64
			address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/robots.txt":
					tt.answer(w, r)
				case "/real.txt":
					io.WriteString(w, "User-agent: *\nDisallow: /page")
				default:
					pages.Add(1)
					io.WriteString(w, "here")
				}
			})
			a := get(t, visitor(t, func(o *visit.Options) {
				if o.Timeout = time.Minute; tt.want == audit.TroubleTimeout {
					o.Timeout = 100 * time.Millisecond
				}
			}), address+"/page")
			if tt.want == "" {
				if a.Trouble != nil || pages.Load() != 1 {
					t.Errorf("trouble %+v, %d pages", a.Trouble, pages.Load())
				}
				return
			}
			wantTrouble(t, a, tt.want, tt.words)
			if pages.Load() != 0 {
				t.Error("the page was asked")
			}
		})
	}
}

func TestADelayOfRobotsIsKept(t *testing.T) {
	var mu sync.Mutex
	var at []time.Time
	address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		at = append(at, time.Now())
		mu.Unlock()
		io.WriteString(w, "User-agent: *\nCrawl-delay: 0.1\n")
	})
	v := visitor(t, nil)
	get(t, v, address+"/a")
	get(t, v, address+"/b")
	if len(at) != 3 || at[1].Sub(at[0]) < 90*time.Millisecond || at[2].Sub(at[1]) < 90*time.Millisecond {
		t.Errorf("requests at %v", at)
	}
}
