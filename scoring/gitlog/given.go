package gitlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Given counts what the people of one organisation wrote in the days before the moment of assessment. Merges and commits by
// programs do not count. Nothing else about anybody leaves the package.
type Given struct {
	Commits int
	People  int       // told apart by their addresses after .mailmap
	Newest  time.Time // committer time of the newest commit, to the day
	Human   int       // commits of everybody in these days
	// Unknown counts commits of these days of which nobody can say for whom they were written: private addresses, those that
	// forges give to people who hide theirs, communities, and domains of one person (the rule of assign). They may be the
	// organisation's.
	Unknown int
	Shallow bool // the clone was cut, so that more may have been given
}

// Given counts the commits whose author wrote from one of the mail domains or one below it, by one walk over the history
// that ends where commits are too old.
func (c *Clone) Given(ctx context.Context, domains []string, days int) (Given, error) {
	g := givenPass{domains: lowerDomains(domains), at: c.AssessedAt.Unix(), window: int64(days) * 86400}
	if len(g.domains) == 0 {
		return Given{}, errors.New("counting contributions: no mail domain was given")
	}
	g.people = newPeople(c.collector.rules.bots, c.collector.rules.employers)
	if err := c.walk(ctx, g.add); err != nil {
		return Given{}, fmt.Errorf("counting contributions: %w", err)
	}
	out := g.finish(c.AssessedAt)
	out.Shallow = len(c.view.state.shallow) > 0
	return out, nil
}

// LastHuman returns the committer time of the newest commit by a person that is no merge; zero if there is none. Like the
// history it knows programs by the list of bots.
func (c *Clone) LastHuman(ctx context.Context) (time.Time, error) {
	var newest int64
	var end oldRun
	people := newPeople(c.collector.rules.bots, c.collector.rules.employers)
	at := c.AssessedAt.Unix()
	err := c.walk(ctx, func(r record, merge bool) error {
		if merge || r.committed > at || people.lookup(r.author).bot {
			return nil
		}
		older := newest != 0 && r.committed <= newest
		newest = max(newest, r.committed)
		return end.after(older)
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("looking for the newest commit by a person: %w", err)
	}
	return moment(newest), nil
}

// SeenUntil returns until when the clone can speak: when our own was fetched, or the newest commit of somebody else's.
func (c *Clone) SeenUntil(ctx context.Context) (time.Time, error) {
	return c.collector.seenUntil(ctx, c.source, c.view, c.AssessedAt)
}

// walk calls yield for each commit of the history, newest first, until it returns errStop.
func (c *Clone) walk(ctx context.Context, yield func(r record, merge bool) error) error {
	if err := c.view.fetchMailmap(ctx, c.Revision); err != nil {
		return err
	}
	return c.view.git.stream(ctx, c.view.dir, nil, func(r io.Reader) error {
		records := newRecordReader(r)
		for {
			line, err := records.next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("reading the log: %w", err)
			}
			record, ok := parseRecord(line)
			if !ok {
				return errors.New("reading the log: a commit could not be read")
			}
			if err := yield(record, bytes.IndexByte(record.parents, ' ') >= 0); err != nil {
				return err
			}
		}
	}, logArgs(c.Revision)...)
}

// givenPass is one walk that counts for one organisation.
type givenPass struct {
	domains []string
	at      int64
	window  int64
	people  *people
	counts  []int // commits within the days, by person
	out     Given
	newest  int64
	end     oldRun
}

func (g *givenPass) add(r record, merge bool) error {
	age := g.at - r.committed
	if age < 0 {
		return nil
	}
	if age > g.window {
		return g.end.after(age > g.window+int64(clockSlack/time.Second))
	}
	g.end = 0
	if merge {
		return nil
	}
	author := g.people.lookup(r.author)
	if author.bot {
		return nil
	}
	g.out.Human++
	if grown := int(author.person) + 1; grown > len(g.counts) {
		g.counts = slices.Grow(g.counts, grown-len(g.counts))[:grown]
	}
	g.counts[author.person]++
	a := &g.people.all[author.person]
	a.ever = true
	g.people.employ(author.person, r.committed).commits[0]++
	if g.counted(a.domain) {
		g.newest = max(g.newest, r.committed)
	}
	return nil
}

// counted reports whether a domain is one of the organisation's or below one. One where everybody may have an address, such as
// free mail and those that forges give, belongs to nobody, whoever claims it.
func (g *givenPass) counted(domain string) bool {
	if g.people.employers.table.says(domain) == nobody {
		return false
	}
	for d := domain; d != ""; d = parentDomain(d) {
		if slices.Contains(g.domains, d) {
			return true
		}
	}
	return false
}

func (g *givenPass) finish(at time.Time) Given {
	g.people.assign(at, g.people.writersOf())
	for i, n := range g.counts {
		a := g.people.all[i]
		if n > 0 && g.counted(a.domain) {
			g.out.Commits += n
			g.out.People++
			continue
		}
		for _, t := range a.stints {
			if t.org == unknownOrg {
				g.out.Unknown += int(t.commits[0])
			}
		}
	}
	if g.newest != 0 {
		g.out.Newest = time.Unix(g.newest, 0).UTC().Truncate(24 * time.Hour)
	}
	return g.out
}

// lowerDomains cleans what people write for their mail domains: case, a leading @ or dot. A suffix under which everybody
// registers, such as co.uk, is nobody's domain.
func lowerDomains(domains []string) []string {
	var out []string
	for _, d := range domains {
		if d = strings.ToLower(strings.Trim(strings.TrimSpace(d), "@.")); domainPattern.MatchString(d) && registered(d) {
			out = append(out, d)
		}
	}
	return out
}

func registered(domain string) bool {
	_, err := publicsuffix.EffectiveTLDPlusOne(domain)
	return err == nil
}
