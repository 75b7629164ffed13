package statuspage

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// What one page may cost. They bound memory and time, and the patience of the server; none decides an outcome, because what was
// left out is said and makes facts unknown, not bad.
const (
	mostPage      = 4 << 20  // bytes of a page or a summary
	mostList      = 96 << 20 // bytes of a list of incidents; 10^5 of them with all updates are about half of it
	mostTried     = 24       // addresses asked while the software is looked for
	mostAddresses = 80       // addresses asked once it is known
	mostPages     = 40       // pages of one list
)

// look is one visit to a status page: what was asked, and what came back.
type look struct {
	ask     audit.Ask
	given   string   // the address as the target names it
	root    *url.URL // of the page or its API, without the parts that name an answer of a known software
	name    string   // of the page there, as the target names it; empty: the only one
	at      time.Time
	html    string // of the address given, if it is a page
	seen    []audit.Seen
	answers map[string]audit.Answer
	most    int
	notes   []string
}

// newLook prepares the visit. A target without address is one whose answers were handed over as files.
func newLook(t transparency.Target, w transparency.World) (*look, *audit.Trouble) {
	given := t.URL
	if given == "" {
		given = "file:///"
	}
	u, err := url.Parse(given)
	if err != nil || u.Scheme == "" || u.Host == "" && u.Scheme != "file" {
		return nil, &audit.Trouble{Kind: audit.TroubleAddress, Text: "the address of the status page is none", Settle: "write it as https://status.example.org"}
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	given = u.String()
	root := *u
	root.Path = strings.TrimSuffix(cutAnswer(u.Path), "/")
	root.RawPath = ""
	return &look{ask: w.Ask, given: given, root: &root, name: t.Name, at: w.At.UTC(), answers: map[string]audit.Answer{}, most: mostTried}, nil
}

// cutAnswer takes from a path what names one answer of a known software, so that the address of an API gives its root.
func cutAnswer(p string) string {
	for _, end := range []string{
		"/api/v2/summary.json", "/api/v2/incidents.json", "/api/v2/status.json", "/api/v2/components.json", "/api/v2", "/v3/summary.json",
		"/v3/components.json", "/v2/components.json", "/summary.json", "/index.json", "/index.xml", "/api/v1/components", "/api/v1/incidents",
		"/api/v1/component_status", "/v1/component_status", "/v2/components", "/v2/incidents", "/v2/events", "/api/v1/endpoints/statuses", "/api/v1",
		"/api/components", "/api/incidents", "/components", "/incidents", "/history.rss", "/history.atom", "/history/summary.json", "/summary",
	} {
		if rest, ok := strings.CutSuffix(strings.TrimSuffix(p, "/"), end); ok {
			return rest
		}
	}
	return p
}

// join returns the address of a path below the root, with a query if it has one.
func (l *look) join(ref string) string {
	u := *l.root
	p, query, _ := strings.Cut(ref, "?")
	u.Path = path.Join("/", u.Path, p)
	if strings.HasSuffix(p, "/") && !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
	}
	u.RawQuery = query
	return u.String()
}

// get asks for an address once in a visit; the answer to the same question is the same.
func (l *look) get(ctx context.Context, address, accept string, limit int64) audit.Answer {
	key := accept + " " + address
	if answer, ok := l.answers[key]; ok {
		return answer
	}
	if len(l.answers) >= l.most {
		return audit.Answer{Seen: audit.Seen{Trouble: &audit.Trouble{
			Kind: audit.TroubleTooLarge, Text: fmt.Sprintf("it takes more than %d requests to read", l.most),
		}}}
	}
	redact := redactJSON
	if accept != typeJSON {
		redact = redactMarkup
	}
	answer := l.ask(ctx, audit.Request{URL: address, Accept: accept, Limit: limit, Redact: redact})
	l.seen = append(l.seen, answer.Seen)
	kept := answer
	if limit > mostPage { // a long list is read once; its bytes are not held
		kept.Body = nil
	}
	l.answers[key] = kept
	return answer
}

// Media types that are asked for.
const (
	typeJSON = "application/json"
	typeFeed = "application/atom+xml, application/rss+xml, application/xml, text/xml"
)

// json asks for a JSON answer and reads it into v. A trouble says why it cannot be read.
func (l *look) json(ctx context.Context, address string, v any) *audit.Trouble {
	answer := l.get(ctx, address, typeJSON, mostPage)
	if answer.Trouble != nil {
		return answer.Trouble
	}
	if err := json.Unmarshal(answer.Body, v); err != nil {
		return broken(address, err)
	}
	return nil
}

// broken says that an answer is not what its software answers.
func broken(address string, err error) *audit.Trouble {
	return &audit.Trouble{
		Kind: audit.TroubleContent, Text: fmt.Sprintf("the answer of %s cannot be read: %s", short(address, 200), short(err.Error(), 160)),
		Settle: "look at the address with a browser: it has to answer with the JSON or the feed of the status page, without login",
	}
}

// other says that another software answers there.
func other(address string) *audit.Trouble {
	return &audit.Trouble{Kind: audit.TroubleContent, Text: fmt.Sprintf("the answer of %s is of another software", short(address, 200))}
}

// known says that the software was recognised: from here on more may be asked.
func (l *look) known() { l.most = len(l.answers) + mostAddresses }

// note adds what a reader has to know, once.
func (l *look) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, n := range l.notes {
		if n == text {
			return
		}
	}
	l.notes = append(l.notes, text)
}

// incomplete notes that a further part of the page could not be read.
func (l *look) incomplete(what string, t *audit.Trouble) {
	l.note("%s could not be read: %s", what, t.Text)
}
