package forge

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

// failures are the ways in which services fail.
func failures() map[string]http.HandlerFunc {
	page := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	login := "<!DOCTYPE html><html><title>Sign in</title>" + forgetest.FreeText() + "</html>"
	return map[string]http.HandlerFunc{
		"down":         page(502, "text/html", "<html>"+forgetest.FreeText()),
		"private":      page(401, "application/json", `{"message":"`+forgetest.FreeText()+`"}`),
		"forbidden":    page(403, "text/plain", forgetest.FreeText()),
		"not found":    page(404, "application/json", `{"message":"404 Project Not Found"}`),
		"login page":   page(200, "text/html", login),
		"garbage":      page(200, "application/json", `{"id": [1, 2`),
		"empty":        page(200, "application/json", ``),
		"an object":    page(200, "application/json", `{}`),
		"a list":       page(200, "application/json", `[]`),
		"a number":     page(200, "application/json", `"`+forgetest.FreeText()+`"`),
		"null":         page(200, "application/json", `null`),
		"other fields": page(200, "application/json", `[{"ada":"`+forgetest.FreeText()+`"}]`),
		"nested":       page(200, "application/json", strings.Repeat(`[`, 100000)),
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`["`))
			block := []byte(strings.Repeat("x", 1<<20))
			for range scoring.MaxAnswer/len(block) + 1 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		},
		"moved in circles": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+r.Host+r.URL.Path, http.StatusMovedPermanently)
		},
		"rate limited": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7200")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"out of order": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
	}
}

// everyHost answers for all services alike.
func everyHost(h http.Handler) forgetest.Hosts {
	hosts := forgetest.Hosts{}
	for _, name := range []string{"review.opendev.org", "zuul.opendev.org", "api.launchpad.net", "storyboard.openstack.org", "opendev.org", "gitlab.example.org", "git.example.org", "review.example.org"} {
		hosts[name] = h
	}
	return hosts
}

func TestWhateverAServiceAnswersNothingBecomesAZero(t *testing.T) {
	places := map[string]string{"opendev": "https://opendev.org/openstack/town", "storyboard": "https://opendev.org/openstack/os-ken", "gitlab": "https://gitlab.example.org/example/town",
		"gitea": "https://git.example.org/example/town", "gerrit": "https://review.example.org/town"}
	for failure, handler := range failures() {
		t.Run(failure, func(t *testing.T) {
			hosts := everyHost(handler)
			for place, repo := range places {
				if failure == "huge" && place != "gitea" { // the bound is the transport's
					continue
				}
				e, seen := collect(t, hosts, scoring.Project{ID: "town", Repo: repo}, scoring.Evidence{}, func(o *Options) {
					o.Wait = func(context.Context, time.Duration) error { return nil }
				})
				for _, f := range facts(reflect.ValueOf(e), place) {
					switch {
					case f.known:
						t.Errorf("%s is known", f.path)
					case f.failure != "" && (f.settle == "" || len(f.failure) > 400 || f.origins == 0):
						t.Errorf("%s: reason %q, settle %q, %d origins", f.path, f.failure, f.settle, f.origins)
					}
				}
				if e.Home.Failure == "" || e.Changes.Failure == "" {
					t.Errorf("%s: home %q, changes %q; want a reason for both", place, e.Home.Failure, e.Changes.Failure)
				}
				noSecrets(t, e, seen)
			}
		})
	}
}

// seenFact is what one fact anywhere in evidence says.
type seenFact struct {
	path            string
	known           bool
	failure, settle string
	origins         int
}

// facts finds all facts of a value; those inside a known fact too.
func facts(v reflect.Value, path string) (found []seenFact) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return facts(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			found = append(found, facts(v.Index(i), path+"."+string(rune('0'+i%10)))...)
		}
	case reflect.Struct:
		if strings.HasPrefix(v.Type().Name(), "Fact[") {
			f := seenFact{path: path, known: !v.FieldByName("Value").IsNil(), failure: v.FieldByName("Failure").String(), settle: v.FieldByName("Settle").String(), origins: v.FieldByName("Origins").Len()}
			return append([]seenFact{f}, facts(v.FieldByName("Value"), path)...)
		}
		if v.Type() == reflect.TypeFor[time.Time]() {
			return nil
		}
		for i := range v.NumField() {
			found = append(found, facts(v.Field(i), path+"."+v.Type().Field(i).Name)...)
		}
	}
	return found
}

func TestAServerThatNeverAnswersIsLeftAlone(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	hosts := everyHost(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stuck }))
	e, _ := collect(t, hosts, scoring.Project{ID: "town", Repo: "https://gitlab.example.org/example/town"}, scoring.Evidence{}, func(o *Options) {
		o.Client.Timeout = 20 * time.Millisecond
	})
	if e.Changes.Unknown() != audit.DNF || !strings.Contains(e.Changes.Failure, "in time") {
		t.Errorf("changes: %q", e.Changes.Failure)
	}
}

func TestACancelledRunIsAnErrorNotAFact(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := everyHost(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() })).Client(t)
	client.Transport = scoring.Redacting{Next: client.Transport, Names: scoring.NewPseudonymiser(nil), Now: taleAt}
	for _, repo := range []string{"https://opendev.org/openstack/town", "https://gitlab.example.org/example/town", "https://git.example.org/example/town"} {
		c, err := New(Options{Client: client, At: taleAt(), Services: services4tests()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Collect(ctx, scoring.Project{Repo: repo}, scoring.Evidence{}); err == nil {
			t.Errorf("%s: no error", repo)
		}
	}
}

func TestLimitsOfServersAreObeyed(t *testing.T) {
	p, g, hosts := gitlabTown()
	now, asked := taleAt(), 0
	var waits []time.Duration
	clock := func(o *Options) {
		o.Now = func() time.Time { return now }
		o.Wait = func(_ context.Context, d time.Duration) error {
			waits, now = append(waits, d), now.Add(d)
			return nil
		}
	}
	g.Before = func(w http.ResponseWriter, _ *http.Request) bool {
		switch asked++; asked {
		case 1:
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		case 2: // answered, but that was the last one for this minute
			w.Header().Set("RateLimit-Remaining", "0")
			w.Header().Set("RateLimit-Reset", "1772366490") // a minute after the wait
		}
		return false
	}
	e, _ := collect(t, hosts, p, scoring.Evidence{}, clock)
	if e.Home.Unknown() != audit.PASS || e.Changes.Unknown() != audit.PASS {
		t.Errorf("home %q, changes %q: want both after waiting", e.Home.Failure, e.Changes.Failure)
	}
	if len(waits) != 2 || waits[0] != 30*time.Second || waits[1] != time.Minute {
		t.Errorf("waited %v, want 30s and 1m", waits)
	}
	if time.Unix(1772366490, 0).UTC() != taleAt().Add(90*time.Second) {
		t.Fatal("the test's reset is not where it should be")
	}

	asked, waits = 0, nil
	g.Before = func(w http.ResponseWriter, _ *http.Request) bool {
		asked++
		w.Header().Set("Retry-After", "7200")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	e, _ = collect(t, hosts, p, scoring.Evidence{}, clock)
	if asked != 1 || len(waits) != 0 || e.Changes.Unknown() != audit.DNF || !strings.Contains(e.Changes.Settle, "run again") {
		t.Errorf("asked %d times, waited %v, %q: want one try and a note to run again", asked, waits, e.Changes.Settle)
	}
}

func TestAddressesThatAreNoRepositoriesAskNobody(t *testing.T) {
	asked := 0
	hosts := everyHost(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	for _, repo := range []string{"", "https://", "https://gitlab.example.org", "https://gitlab.example.org/../etc", "https://git lab.example.org/a/b", "file:///etc/passwd",
		"https://gitlab.example.org/a/b?x=1#\"", "git@:x", strings.Repeat("https://", 1000), "https://unknown.example.org/a/b"} {
		e, _ := collect(t, hosts, scoring.Project{Repo: repo}, scoring.Evidence{}, nil)
		if e.Changes.Unknown() == audit.PASS || e.Home.Unknown() == audit.PASS {
			t.Errorf("%q gave facts", repo)
		}
	}
	known := scoring.Evidence{Tree: audit.Known(scoring.Tree{GerritProject: "evil.example.org@review.opendev.org/x"})}
	collect(t, hosts, scoring.Project{Repo: "https://x.example.org/a"}, known, nil)
	if asked > 2 { // the path with a query is one of a repository
		t.Errorf("asked %d times", asked)
	}
}

func TestWithoutAClientNobodyIsAsked(t *testing.T) {
	p, known := openStack()
	c, err := New(Options{At: taleAt()})
	if err != nil {
		t.Fatal(err)
	}
	e, err := c.Collect(t.Context(), p, known)
	if err != nil || e.Changes.Unknown() != audit.MISS || e.Home.Unknown() != audit.MISS || e.Issues.Unknown() != audit.MISS {
		t.Errorf("error %v, changes %v: want MISS", err, e.Changes.Unknown())
	}
}

func FuzzAccessRulesKeepNoUser(f *testing.F) {
	f.Add([]byte(`)]}'` + "\n" + `{"local":{"refs/*":{"permissions":{"push":{"rules":{"user:1":{"action":"ALLOW"}}}}}},"groups":{"user:1":{"name":"user/Ada"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		kept, err := redactAccess(200, body, func(s string) string { return s })
		if err != nil {
			return
		}
		var a gerritAccess
		if err := json.Unmarshal(kept, &a); err != nil {
			t.Fatal(err)
		}
		for _, r := range a.Rules {
			if strings.HasPrefix(r.UUID, "user:") {
				t.Fatalf("a group of one user was kept: %q", r.UUID)
			}
		}
	})
}
