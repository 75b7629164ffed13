package disclosure_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/audit/transparency/disclosure"
)

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

const utf8Text = "text/plain; charset=utf-8\n"

// goodTxt has the fields of RFC 9116, section 2.6, in our own words.
const goodTxt = "# whom to tell\nContact: mailto:jane.doe@example.org\nContact: HERE/report\nExpires: 2027-03-01T00:00:00Z\n" +
	"Canonical: HERE/.well-known/security.txt\nPreferred-Languages: de, en\n"

func readTxt(t *testing.T, s served, path string) transparency.Artifact {
	t.Helper()
	server := s.start(t)
	return disclosure.CollectSecurityTxt(t.Context(), transparency.Target{Kind: transparency.KindSecurityTxt, URL: server.URL + path}, world(server))
}

func TestASecurityTxtIsReadFromWhereTheRFCWantsIt(t *testing.T) {
	a := readTxt(t, served{"/.well-known/security.txt": utf8Text + strings.ReplaceAll(goodTxt, "Contact: HERE", "Contact: https://unreachable.invalid")}, "/")
	f := a.SecurityTxt
	if a.Trouble != nil || f == nil {
		t.Fatalf("got trouble %+v, want facts", a.Trouble)
	}
	if len(f.Contacts) != 2 || f.Contacts[0].Kind != "mailto" || f.Contacts[0].Address != "example.org" || f.Contacts[1].Kind != "https" {
		t.Errorf("got contacts %+v, want the domain of the mail address, and a web address", f.Contacts)
	}
	if f.Contacts[1].Reachable != nil {
		t.Errorf("got reachable %v, want nobody can tell where there is no connection", *f.Contacts[1].Reachable)
	}
	if want := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC); !f.Expires.Equal(want) {
		t.Errorf("got expires %v, want %v", f.Expires, want)
	}
	if !slices.Equal(f.Languages, []string{"de", "en"}) {
		t.Errorf("got languages %v", f.Languages)
	}
	// The Canonical of a server on loopback cannot begin with https, and that is the only thing wrong.
	if len(f.Problems) != 2 || !strings.Contains(f.Problems[0], "Canonical has to begin with https") {
		if len(f.Problems) != 1 {
			t.Errorf("got problems %q, want only that of Canonical", f.Problems)
		}
	}
	if len(a.Seen) != 2 || a.Seen[0].Digest == "" {
		t.Errorf("got looks %+v, want the file and the contact", a.Seen)
	}
}

func TestTheWayAFileIsServedIsPartOfTheRFC(t *testing.T) {
	plain := "Contact: mailto:x@example.org\nExpires: 2027-03-01T00:00:00Z\n"
	for _, c := range []struct {
		name    string
		s       served
		path    string
		problem string // in the problems
		note    string // in the notes
		legacy  bool
	}{
		{"all is well", served{"/.well-known/security.txt": utf8Text + plain}, "/about?x=1", "", "", false},
		{"the file itself is named", served{"/other/security.txt": utf8Text + plain}, "/other/security.txt", "", "", false},
		{"no charset", served{"/.well-known/security.txt": "text/plain\n" + plain}, "/", "", "does not say that the text is in UTF-8", false},
		{"another charset", served{"/.well-known/security.txt": "text/plain; charset=iso-8859-1\n" + plain}, "/", "another charset", "", false},
		{"another media type", served{"/.well-known/security.txt": "application/octet-stream\n" + plain}, "/", "not as text/plain", "", false},
		{"the old place", served{"/security.txt": utf8Text + plain}, "/", "", "from before the RFC", true},
		{"canonical is another address", served{"/.well-known/security.txt": utf8Text + plain + "Canonical: https://example.com/.well-known/security.txt\n"}, "/", "none of those that it calls canonical", "", false},
	} {
		a := readTxt(t, c.s, c.path)
		if a.SecurityTxt == nil {
			t.Errorf("%s: got trouble %+v, want facts", c.name, a.Trouble)
			continue
		}
		problems, notes := strings.Join(a.SecurityTxt.Problems, "\n"), strings.Join(a.Notes, "\n")
		if !strings.Contains(problems, c.problem) || c.problem == "" && problems != "" {
			t.Errorf("%s: got problems %q, want %q", c.name, problems, c.problem)
		}
		if !strings.Contains(notes, c.note) || a.SecurityTxt.Legacy != c.legacy {
			t.Errorf("%s: got notes %q, legacy %v; want %q, %v", c.name, notes, a.SecurityTxt.Legacy, c.note, c.legacy)
		}
	}
}

func TestAnotherHostIsNoted(t *testing.T) {
	other := served{"/security.txt": utf8Text + "Contact: mailto:x@example.org\nExpires: 2027-03-01T00:00:00Z\n"}.start(t)
	a := readTxt(t, served{"/.well-known/security.txt": "->" + other.URL + "/security.txt"}, "/")
	if a.SecurityTxt == nil || !strings.Contains(strings.Join(a.Notes, "\n"), "the address leads to 127.0.0.1") {
		t.Errorf("got %+v with notes %q, want a note about the other host", a.SecurityTxt, a.Notes)
	}
}

func TestWhatIsNoSecurityTxtIsNotOne(t *testing.T) {
	for _, c := range []struct {
		name string
		s    served
		kind string
	}{
		{"nothing there", served{}, audit.TroubleNotFound},
		{"a page for everything", served{"/.well-known/security.txt": "text/html\n<!doctype html><html><body>Contact: us</body></html>"}, audit.TroubleNotFound},
		{"a login form", served{"/.well-known/security.txt": `text/html` + "\n" + `<form><input type="password"></form>`}, audit.TroubleLogin},
		{"forbidden", served{"/.well-known/security.txt": "=403"}, audit.TroubleLogin},
		{"a broken server", served{"/.well-known/security.txt": "=500"}, audit.TroubleServer},
		{"some other text", served{"/.well-known/security.txt": utf8Text + "hello\nworld\n"}, audit.TroubleContent},
		{"nothing in it", served{"/.well-known/security.txt": utf8Text}, audit.TroubleContent},
	} {
		a := readTxt(t, c.s, "/")
		if a.Trouble == nil || a.Trouble.Kind != c.kind || a.SecurityTxt != nil || a.Trouble.Text == "" {
			t.Errorf("%s: got trouble %+v, want %s", c.name, a.Trouble, c.kind)
		}
	}
	if a := disclosure.CollectSecurityTxt(t.Context(), transparency.Target{URL: "https://example.org/"}, transparency.World{}); a.Trouble == nil || a.Trouble.Kind != audit.TroubleOffline {
		t.Errorf("without anybody to ask: got %+v, want offline", a.Trouble)
	}
}

func TestAContactThatDoesNotExistIsSaid(t *testing.T) {
	for _, c := range []struct {
		answer string
		want   *bool
	}{{"text/html\n<html><body>write to us</body></html>", new(true)}, {"=403", new(true)}, {"", new(false)}, {"=500", nil}} {
		s := served{"/.well-known/security.txt": utf8Text + "Contact: https://contact.example.org/report\nExpires: 2027-03-01T00:00:00Z\n"}
		if c.answer != "" {
			s["/report"] = c.answer
		}
		server := s.start(t)
		client := &http.Client{Transport: toServer{server.Listener.Addr().String()}}
		a := disclosure.CollectSecurityTxt(t.Context(), transparency.Target{URL: "https://www.example.org/"}, transparency.World{Ask: askBy(client), At: now})
		if a.SecurityTxt == nil {
			t.Fatalf("got %+v", a.Trouble)
		}
		got := a.SecurityTxt.Contacts[0].Reachable
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("answer %q: got reachable %v, want %v", c.answer, show(got), show(c.want))
		}
		if len(a.SecurityTxt.Problems) != 0 {
			t.Errorf("got problems %q, want none over https", a.SecurityTxt.Problems)
		}
	}
}

func show(b *bool) string {
	switch {
	case b == nil:
		return "nobody can tell"
	case *b:
		return "yes"
	}
	return "no"
}

// toServer leads every host to one server, whatever the scheme: so that addresses look as they do in the world.
type toServer struct{ address string }

func (d toServer) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.Host = "http", d.address, r.URL.Host
	answer, err := http.DefaultTransport.RoundTrip(out)
	if answer != nil {
		answer.Request = r
	}
	return answer, err
}

func TestNoPersonIsKeptOfASecurityTxt(t *testing.T) {
	var kept []byte
	server := served{"/.well-known/security.txt": utf8Text + "# Ask for Jane Doe\nContact: mailto:jane.doe@example.org\nContact: tel:+49-30-1234567\nExpires: 2027-03-01T00:00:00Z\n"}.start(t)
	w := world(server)
	ask := w.Ask
	w.Ask = func(ctx ctx, r audit.Request) audit.Answer {
		a := ask(ctx, r)
		kept = append(kept, a.Body...)
		return a
	}
	a := disclosure.CollectSecurityTxt(t.Context(), transparency.Target{URL: server.URL}, w)
	for _, word := range []string{"jane", "Jane", "1234567"} {
		if strings.Contains(string(kept), word) || strings.Contains(asJSON(a), word) {
			t.Errorf("%q is kept: %s", word, kept)
		}
	}
	if len(a.SecurityTxt.Contacts) != 2 || a.SecurityTxt.Contacts[0].Address != "example.org" || a.SecurityTxt.Contacts[1].Kind != "tel" {
		t.Errorf("got contacts %+v", a.SecurityTxt.Contacts)
	}
}
