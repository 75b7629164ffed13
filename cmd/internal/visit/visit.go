// Package visit looks at the public pages of an operator as an outsider without rights would see them. It implements
// audit.Ask: over the guarded client of package web it asks politely (robots.txt, one request at a time for each host, no
// cookies, its own name), bounds what comes back, drops personal data and keeps the rest as evidence. Handed answers the same
// questions from files that somebody handed over.
//
// In goes a request; out comes an answer that can be read, or a trouble in words that a person understands. It never judges,
// never logs in, and never fails.
package visit

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Limits of one request.
const (
	defaultTimeout = 30 * time.Second // a person would have left by then
	defaultLimit   = 8 << 20          // bytes; the largest status page document seen has under 2 MB
	mostBytes      = 256 << 20        // whatever a caller asks for
	mostRedirects  = 5                // as RFC 9309 asks of robots.txt, and as package web follows
	mostRefusal    = 256 << 10        // bytes of an error or login page that are kept
	mostURL        = 4096             // bytes; servers refuse longer ones
	pastAfter      = 24 * time.Hour   // a server of today cannot show an older day
	defaultAgent   = "Pegel (+https://github.com/pegel-audit/pegel)"
)

// Options say how servers are asked. The zero value asks nobody.
type Options struct {
	Client *http.Client // guarded, of package web; nil: nobody is asked
	Keep   audit.Keep   // is given every answer; nil: nobody keeps them
	Now    func() time.Time
	At     time.Time // the moment that is judged; zero: now
	// Agent is the User-Agent, e.g. "Pegel/1.2 (+https://github.com/pegel-audit/pegel)"; empty: the same without a version.
	Agent   string
	Timeout time.Duration // of one exchange with its body; 0: 30 seconds
	Limit   int64         // most bytes of an answer for which the request sets none; 0: 8 MiB
	Log     *slog.Logger  // nil: silence
}

// Visitor asks servers. It may be used from several goroutines.
type Visitor struct {
	opt    Options
	client *http.Client // follows no redirects itself
	hosts  hosts
	robots once[robots]
	memo   once[fetched]
	size   budget
}

// New returns a visitor. Nothing is contacted.
func New(opt Options) *Visitor {
	if opt.Now == nil {
		opt.Client = nil // without a clock nobody can say when something was seen
		opt.Now = func() time.Time { return opt.At }
	}
	if opt.Agent == "" {
		opt.Agent = defaultAgent
	}
	if opt.Timeout <= 0 {
		opt.Timeout = defaultTimeout
	}
	if opt.Limit <= 0 {
		opt.Limit = defaultLimit
	}
	if opt.Log == nil {
		opt.Log = silence()
	}
	v := &Visitor{opt: opt, size: budget{left: mostRemembered}}
	if opt.Client != nil {
		c := *opt.Client
		c.Jar = nil
		c.Timeout = 0 // each exchange has its own
		c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		v.client = &c
	}
	return v
}

func silence() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Ask implements audit.Ask.
func (v *Visitor) Ask(ctx context.Context, r audit.Request) audit.Answer {
	seen := audit.Seen{URL: Masked(r.URL), At: v.now()}
	if r.Method != "" && r.Method != http.MethodGet {
		seen.Method = r.Method
	}
	address, trouble := parse(r.URL)
	switch {
	case trouble != nil:
	case seen.Method != "" && seen.Method != http.MethodPost:
		trouble = &audit.Trouble{Kind: audit.TroubleAddress, Text: "only GET and POST are sent, so that nothing is changed"}
	case v.client == nil:
		trouble = &audit.Trouble{Kind: audit.TroubleOffline, Text: "the run may not ask anybody", Settle: "run it without --offline, or hand the page over as a file"}
	case !v.opt.At.IsZero() && v.opt.Now().Sub(v.opt.At) > pastAfter:
		trouble = &audit.Trouble{Kind: audit.TroublePast,
			Text:   "the audit judges " + v.opt.At.UTC().Format(time.DateOnly) + ", and a server of today cannot show that day",
			Settle: "judge today, or hand over as a file what was kept then"}
	}
	if trouble != nil {
		seen.Trouble = trouble
		return audit.Answer{Seen: seen}
	}
	seen.URL = masked(address)
	return v.answer(ctx, r, seen, v.fetch(ctx, r, address))
}

func (v *Visitor) now() time.Time { return v.opt.Now().UTC().Truncate(time.Second) }

// limit is how many bytes of an answer are read.
func (v *Visitor) limit(r audit.Request) int64 {
	if r.Limit <= 0 {
		return v.opt.Limit
	}
	return min(r.Limit, mostBytes)
}

// fetched is what a server answered, before anything of it was dropped.
type fetched struct {
	final   *url.URL // after redirects
	status  int
	header  http.Header
	at      time.Time
	body    []byte
	trouble *audit.Trouble
}
