package audit

import (
	"context"
	"time"
)

// Request is one question to a server of somebody who is judged, asked as an outsider without rights would ask it.
type Request struct {
	Method      string // GET if empty; POST only where a service takes its queries that way
	URL         string
	Accept      string // media types that the caller can read, e.g. "application/json"; empty: any
	Body        []byte // of a POST
	ContentType string // of Body
	Limit       int64  // most bytes of the answer, unpacked; 0: the visitor's own
	// Redact drops from an answer what it says about people, before anybody sees or keeps it; nil: addresses of persons are
	// dropped and nothing else. It is given any bytes and never panics; what it cannot read it returns as an error.
	Redact func(body []byte) ([]byte, error)
}

// Ask sends a request and keeps the answer as evidence. It never fails: what went wrong is the Trouble of the answer. Where
// evidence was handed over as files, it answers from these.
type Ask func(context.Context, Request) Answer

// Answer is what came back.
type Answer struct {
	Seen
	Body []byte // as it was kept: without personal data; nil if there is a trouble, except for a broken answer that was kept
}

// Seen is one look at an address, as it stands in evidence. Its bytes are in the bundle under Digest.
type Seen struct {
	URL      string            `json:"url"`                // as asked, without credentials
	Final    string            `json:"final,omitempty"`    // after redirects, where that is another address
	Method   string            `json:"method,omitempty"`   // absent: GET
	Handed   string            `json:"handed,omitempty"`   // name of a file that somebody handed over instead; absent: asked in public
	Status   int               `json:"status,omitempty"`   // of HTTP
	Headers  map[string]string `json:"headers,omitempty"`  // those that matter, by lower-case name: content-type, date, last-modified, etag, age, location
	At       time.Time         `json:"at,omitzero"`        // when, UTC, whole seconds
	Digest   Digest            `json:"digest,omitempty"`   // of the bytes kept
	Original Digest            `json:"original,omitempty"` // of the bytes as they came, where personal data was dropped from them
	Size     int64             `json:"size,omitempty"`     // bytes kept
	Trouble  *Trouble          `json:"trouble,omitempty"`  // why the answer counts for nothing; nil: it can be read
}

// Origin says where a value was read that this look showed.
func (s Seen) Origin(source string) Origin {
	o := Origin{Source: source, URL: s.URL, Digest: s.Digest, At: s.At}
	if s.Handed != "" {
		o.URL, o.Path = "", s.Handed
	}
	return o
}

// Trouble says why an answer counts for nothing, in words that a person understands.
type Trouble struct {
	Kind   string `json:"kind"`             // one of the words below
	Text   string `json:"text"`             // e.g. "the page asks for a login"
	Settle string `json:"settle,omitempty"` // what would settle it
}

// Kinds of trouble.
const (
	TroubleNotNamed    = "not-named"   // nobody said where to look
	TroubleOffline     = "offline"     // the run may not ask anybody
	TroubleRobots      = "robots"      // robots.txt asks programs to stay away
	TroubleAddress     = "address"     // the address belongs to no public network, or to no protocol that may be spoken
	TroublePast        = "past"        // the audit judges a day that a server of today cannot show
	TroubleNotHanded   = "not-handed"  // not among the files that were handed over
	TroubleNotFound    = "not-found"   // 404 or 410
	TroubleLogin       = "login"       // 401, 403, a login form, or a redirect to an identity provider
	TroubleUnreachable = "unreachable" // no name, no connection
	TroubleTLS         = "tls"         // certificate or handshake
	TroubleTimeout     = "timeout"     // too slow
	TroubleTooLarge    = "too-large"   // more bytes than are read, packed or unpacked
	TroubleRedirects   = "redirects"   // too many, in a circle, or from https to http
	TroubleServer      = "server"      // any other status
	TroubleContent     = "content"     // another kind of document than asked for, or one that cannot be read
	TroubleInterrupted = "interrupted" // the run ended
)

// Outcome returns what a trouble means for the question whether an outsider can see something. Only what a server itself
// says counts against it: that there is nothing, or that a login is needed. Where nobody asked it is MISS, otherwise DNF.
func (t *Trouble) Outcome() Outcome {
	if t == nil {
		return PASS
	}
	switch t.Kind {
	case TroubleNotFound, TroubleLogin:
		return FAIL
	case TroubleNotNamed, TroubleOffline, TroubleRobots, TroubleAddress, TroublePast, TroubleNotHanded:
		return MISS
	}
	return DNF
}
