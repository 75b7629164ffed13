// Package statuspage reads the status page of an operator, whatever software runs it: in goes an address (the page, or its
// API), out come the components that it names and the incidents and maintenances that it shows, as one
// transparency.StatusPage. Each software is one file and one line in all.go; docs/status-pages.md says what each can show.
//
// Nothing here judges. What a format cannot show is named as hidden, what could not be read as unread; neither is guessed.
// The name of a person, a login or a mail address is never kept.
package statuspage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Collect reads the status page of a target. Without an adapter in the target it tries them in the order of all, each by its
// first address only, starting at the address given or above it.
func Collect(ctx context.Context, t transparency.Target, w transparency.World) transparency.Artifact {
	artifact := transparency.Artifact{Target: t}
	if w.Ask == nil {
		artifact.Trouble = &audit.Trouble{Kind: audit.TroubleOffline, Text: "the run may not ask anybody", Settle: "hand over what the status page answers as files"}
		return artifact
	}
	l, trouble := newLook(t, w)
	if trouble != nil {
		artifact.Trouble = trouble
		return artifact
	}
	page, trouble := l.page(ctx, t.Adapter)
	artifact.Seen, artifact.Notes = l.seen, l.notes
	artifact.Handed = slices.ContainsFunc(l.seen, func(s audit.Seen) bool { return s.Handed != "" && s.Trouble == nil })
	if trouble != nil {
		artifact.Trouble = trouble
		return artifact
	}
	artifact.StatusPage = page
	return artifact
}

// page finds the adapter that fits and reads the page with it.
func (l *look) page(ctx context.Context, name string) (*transparency.StatusPage, *audit.Trouble) {
	if name != "" {
		for _, a := range all() {
			if a.name == name {
				l.known()
				return l.read(ctx, a)
			}
		}
		return nil, &audit.Trouble{
			Kind: audit.TroubleNotNamed, Text: fmt.Sprintf("no adapter is called %q", short(name, 40)),
			Settle: "name one of " + strings.Join(Adapters(), ", ") + ", or none",
		}
	}
	return l.detect(ctx)
}

// read reads the page with one adapter, which the operator named.
func (l *look) read(ctx context.Context, a adapter) (*transparency.StatusPage, *audit.Trouble) {
	if a.page {
		root := l.get(ctx, l.given, "", mostPage)
		if ends(root.Trouble) {
			return nil, root.Trouble
		}
		l.html = string(root.Body)
	}
	p := newPage(l, a.name)
	if trouble := a.read(ctx, l, p); trouble != nil {
		return nil, trouble
	}
	return p.done(), nil
}

// detect tries the adapters in order. What a server says about the first address decides for all where no other could answer
// differently: nobody is there, or nobody may ask.
func (l *look) detect(ctx context.Context) (*transparency.StatusPage, *audit.Trouble) {
	root := l.get(ctx, l.given, "", mostPage)
	if ends(root.Trouble) {
		return nil, root.Trouble
	}
	l.html = string(root.Body)
	var tried []string
	worst := root.Trouble
	for _, a := range inOrder(l.html) {
		p := newPage(l, a.name)
		trouble := a.read(ctx, l, p)
		if trouble == nil {
			return p.done(), nil
		}
		if ctx.Err() != nil {
			return nil, trouble
		}
		if trouble.Kind != audit.TroubleNotFound && trouble.Kind != audit.TroubleContent && trouble.Kind != audit.TroubleNotHanded {
			worst = worse(worst, trouble)
		}
		tried = append(tried, a.name)
	}
	return nil, l.nothing(root, worst, tried)
}

// nothing says why no adapter fits, in the words of the trouble that weighs most.
func (l *look) nothing(root audit.Answer, worst *audit.Trouble, tried []string) *audit.Trouble {
	text := "no known status page software answers there; tried " + strings.Join(tried, ", ")
	settle := "name the software as adapter of transparency: status_page, or its API as url; or hand over what it answers as files"
	switch {
	case worst == nil: // there is a page, but none that a program can read
		return &audit.Trouble{Kind: audit.TroubleContent, Text: text, Settle: settle}
	case worst.Kind == audit.TroubleNotHanded:
		return &audit.Trouble{Kind: worst.Kind, Text: "among the files handed over none is an answer of a known status page software; tried " + strings.Join(tried, ", "), Settle: settle}
	case root.Trouble == nil && worst.Kind == audit.TroubleLogin: // the page is open, some other address is not
		return &audit.Trouble{Kind: audit.TroubleContent, Text: text, Settle: settle}
	}
	return &audit.Trouble{Kind: worst.Kind, Text: worst.Text + "; " + text, Settle: settle}
}

// ends reports whether no other address of the same server can be expected to answer.
func ends(t *audit.Trouble) bool {
	if t == nil {
		return false
	}
	switch t.Kind {
	case audit.TroubleOffline, audit.TroubleRobots, audit.TroubleAddress, audit.TroublePast, audit.TroubleUnreachable, audit.TroubleTLS,
		audit.TroubleInterrupted:
		return true
	}
	return false
}

// telling returns the trouble of one software at one of several addresses: where something answers says more than where nothing
// is; the first of equals.
func telling(a, b *audit.Trouble) *audit.Trouble {
	if a == nil || a.Kind == audit.TroubleNotFound || a.Kind == audit.TroubleNotHanded {
		return b
	}
	return a
}

// worse returns the trouble that says more against the page; the first of equals.
func worse(a, b *audit.Trouble) *audit.Trouble {
	if a == nil || b.Outcome() != a.Outcome() && audit.Worst(a.Outcome(), b.Outcome()) == b.Outcome() {
		return b
	}
	return a
}
