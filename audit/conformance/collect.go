package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// collectors names who reads which kind; another kind is a file and a line here.
func collectors() map[string]Collect {
	return map[string]Collect{
		KindStatus:      collectStatus,
		KindReport:      collectReport,
		KindKubernetes:  collectKubernetes,
		KindTempest:     collectTempest,
		KindCertificate: collectCertificate,
		KindLabel:       collectLabel,
		KindDocument:    collectDocument,
	}
}

// Look looks at one source with the collector of its kind.
func Look(ctx context.Context, t Target, w World) Entry {
	collect := collectors()[t.Kind]
	switch {
	case collect == nil:
		return Entry{Target: t, Trouble: &audit.Trouble{
			Kind:   audit.TroubleNotNamed,
			Text:   fmt.Sprintf("nobody here reads sources of kind %q", plain(t.Kind)),
			Settle: "name one of " + strings.Join(kinds(), ", "),
		}}
	case w.Ask == nil:
		return Entry{Target: t, Trouble: &audit.Trouble{
			Kind: audit.TroubleOffline, Text: "the run may not ask anybody", Settle: "run again with network, or hand the evidence over as a file",
		}}
	}
	e := collect(ctx, t, w)
	e.Handed = e.Handed || t.URL == "" && slices.ContainsFunc(e.Seen, func(s audit.Seen) bool { return s.Handed != "" && s.Trouble == nil })
	return e
}

func kinds() []string {
	var out []string
	for kind := range collectors() {
		out = append(out, kind)
	}
	slices.Sort(out)
	return out
}

// look is one collection under way: it notes every answer in its entry.
type look struct {
	entry Entry
	ask   audit.Ask
}

func (l *look) get(ctx context.Context, r audit.Request) audit.Answer {
	a := l.ask(ctx, r)
	l.entry.Seen = append(l.entry.Seen, a.Seen)
	return a
}

// stop ends a collection with what went wrong.
func (l *look) stop(kind, text, settle string) Entry {
	l.entry.Trouble = &audit.Trouble{Kind: kind, Text: text, Settle: settle}
	return l.entry
}

// fail ends a collection with the trouble of a look; settle is what would settle it, if the look does not know.
func (l *look) fail(t audit.Trouble, settle string) Entry {
	if t.Settle == "" {
		t.Settle = settle
	}
	l.entry.Trouble = &t
	return l.entry
}

func (l *look) note(format string, args ...any) {
	l.entry.Notes = append(l.entry.Notes, fmt.Sprintf(format, args...))
}

// address is where a file of a target is asked for: an address stays what it is, a name of a file gets the base of files that
// were handed over.
func address(nameOrURL string) string {
	if strings.Contains(nameOrURL, "://") {
		return nameOrURL
	}
	return handedBase + strings.TrimLeft(nameOrURL, "/")
}

// handedBase is the base of addresses where a target names none: the answers are then files that were handed over.
const handedBase = "file:///"
