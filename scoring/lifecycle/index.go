package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Where endoflife.date keeps its products, as YAML between two lines of hyphens (endoflife-date/endoflife.date a70eca33).
const indexRepo = "https://github.com/endoflife-date/endoflife.date"

func index() source {
	return source{name: "endoflife.date", grade: audit.GradeThirdParty, repo: indexRepo, settle: "make " + indexRepo + " available and collect again",
		serves: func(c *Collector, p scoring.Project) bool { return c.table.rows[p.ID].index != "" }, read: readIndex}
}

func readIndex(ctx context.Context, c *Collector, p scoring.Project, _ scoring.Evidence) (calendar, error) {
	path := "products/" + c.table.rows[p.ID].index + ".md"
	root, origin, err := c.file(ctx, indexRepo, path, frontMatter)
	if err != nil {
		return calendar{}, err
	}
	out := calendar{origins: []audit.Origin{origin}, seen: origin.At}
	for item := range root.Get("releases").Items() {
		cycle, err := c.indexed(item)
		if err != nil {
			return calendar{}, fmtPath(path, err)
		}
		if !cycle.Released.After(c.options.At) {
			out.cycles = append(out.cycles, cycle)
		}
	}
	if len(out.cycles) == 0 {
		return calendar{}, errors.New(path + ": it names no release")
	}
	return out, nil
}

// frontMatter returns the YAML at the head of a page.
func frontMatter(page []byte) ([]byte, error) {
	page = bytes.ReplaceAll(page, []byte("\r\n"), []byte("\n"))
	rest, ok := bytes.CutPrefix(page, []byte("---\n"))
	head, _, closed := bytes.Cut(rest, []byte("\n---\n"))
	if !ok || !closed {
		return nil, errors.New("it has no data between lines of ---")
	}
	return head, nil
}

// indexed reads one cycle. The field eol is a day, true for a cycle that ended nobody says when, and false for one whose end
// nobody knows.
func (c *Collector) indexed(item scoring.YAML) (scoring.Cycle, error) {
	name := short(item.Get("releaseCycle"))
	if name == "" {
		return scoring.Cycle{}, fmt.Errorf("line %d: a release has no releaseCycle", item.Line())
	}
	released, err := mustDay(item.Get("releaseDate"))
	if err != nil {
		return scoring.Cycle{}, err
	}
	cycle := scoring.Cycle{Name: name, Prefix: name, Released: released, Latest: short(item.Get("latest")), Status: "maintained"}
	switch eol := item.Get("eol"); eol.Text() {
	case "true":
		cycle.Ended, cycle.Status = true, "end of life"
	case "false":
	default:
		end, ok := day(eol)
		if !ok {
			return cycle, fmt.Errorf("line %d: eol is neither a day nor true nor false", item.Line())
		}
		cycle.EndLow, cycle.EndHigh = end, end
		if c.over(end) {
			cycle.Status = "end of life"
		}
	}
	if since, ok := day(item.Get("latestReleaseDate")); ok && since.After(c.options.At) {
		cycle.Latest = ""
	}
	lts := item.Get("lts")
	since, dated := day(lts)
	cycle.LTS = lts.Text() == "true" || dated && !since.After(c.options.At)
	return cycle, nil
}

// over reports whether a last day has passed.
func (c *Collector) over(last time.Time) bool { return !c.options.At.Before(last.AddDate(0, 0, 1)) }
