package gitlog

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"strings"
	"sync"

	"github.com/pegel-audit/pegel/scoring"
)

// Person is somebody as one run of one collector tells people apart: by a number that is made anew in each run, so that
// projects that are read together can be compared. It is never written anywhere.
type Person uint64

// Circle is who a project hangs on. It stays in memory.
type Circle struct {
	Critical []Person // the fewest who wrote half of the human commits of 12 months (LR-01); of equals the first by address
	Authors  []Person // all who wrote some of them
}

// circles keeps the people of the repositories that were read, by address and revision.
type circles struct {
	mu   sync.Mutex
	seed maphash.Seed
	read map[string]Circle
}

func newCircles() *circles { return &circles{seed: maphash.MakeSeed(), read: map[string]Circle{}} }

func circleKey(repo, revision string) string { return repo + "\x00" + revision }

func (c *circles) keep(repo, revision string, found Circle) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read[circleKey(repo, revision)] = found
}

func (c *circles) of(repo, revision string) (Circle, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.read[circleKey(repo, revision)]
	return found, ok
}

// Circle returns the people behind evidence that this collector has read: from memory, or where an interrupted run had read it
// by reading its log again. ok is false where there is no clone to read.
func (c *Collector) Circle(ctx context.Context, p scoring.Project, e scoring.Evidence) (found Circle, ok bool) {
	if e.Revision == "" || e.History.Value == nil {
		return Circle{}, false
	}
	if found, ok = c.circles.of(e.Repo, e.Revision); ok {
		return found, true
	}
	if err := c.readCircle(ctx, p, e); err != nil {
		c.info("reading who a project hangs on", "project", p.ID, "reason", presentable(err.Error()))
		return Circle{}, false
	}
	return c.circles.of(e.Repo, e.Revision)
}

func (c *Collector) readCircle(ctx context.Context, p scoring.Project, e scoring.Evidence) error {
	s, err := c.find(ctx, p)
	if err != nil {
		return err
	}
	moment := scoring.Evidence{Repo: e.Repo, AssessedAt: e.AssessedAt}
	v, _, err := c.openAt(ctx, s, e.Revision, &moment)
	if v != nil {
		defer v.close()
	}
	if err != nil {
		return err
	}
	if moment.Revision != e.Revision {
		return errors.New("the clone does not show the revision of the evidence")
	}
	moment.AssessedAt = e.AssessedAt
	if _, _, err := v.historyFetched(ctx, moment, c.rules); err != nil {
		return err
	}
	c.circles.keep(e.Repo, e.Revision, v.circle(c.circles.seed))
	return nil
}

// author is one person with the commits of 12 months.
type author struct {
	address string
	commits int
}

// twelveMonths is the index of that window in spans.
const twelveMonths = 2

// circle numbers the people of the last pass over the log.
func (v *view) circle(seed maphash.Seed) Circle {
	list, total := slices.Clone(v.authors), 0
	for _, a := range list {
		total += a.commits
	}
	slices.SortFunc(list, func(a, b author) int { return cmp.Or(b.commits-a.commits, strings.Compare(a.address, b.address)) })
	var found Circle
	sum := 0
	for _, a := range list {
		critical := sum*2 < total
		sum += a.commits
		if !personal(a.address) {
			continue
		}
		who := Person(maphash.String(seed, a.address))
		found.Authors = append(found.Authors, who)
		if critical {
			found.Critical = append(found.Critical, who)
		}
	}
	return found
}

// personal reports whether an address can tell one person from others also in another repository. Commits without an address,
// and addresses of machines that have no name in the world (root@localhost), are somebody else each time.
func personal(address string) bool {
	domain := domainOf(address)
	return strings.Contains(domain, ".") && !strings.HasSuffix(domain, ".local") && !strings.HasSuffix(domain, ".localdomain") && !strings.HasPrefix(address, "@")
}

// writers lists the authors of 12 months.
func (p *pass) writers() []author {
	var out []author
	for _, a := range p.people.all {
		if n := int(a.commits[twelveMonths]); n > 0 {
			out = append(out, author{address: a.address, commits: n})
		}
	}
	return out
}
