package lifecycle

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

//go:embed data/lifecycles.yaml
var builtinTable []byte

// TableSchema names the form of the table of calendars.
const TableSchema = "pegel/lifecycles/v1"

// row says where the cycles of a project are stated.
type row struct{ own, index, policy string }

type table struct {
	rows     map[string]row // by id of the catalogue
	policies map[string]policy
}

// policy is what a project writes about its maintenance, as a rule over its tags. The head of the table says what each
// field means.
type policy struct {
	kind, within, source                  string
	usually                               bool
	count, months, ltsMonths, afterMonths int
	usual, usualMonths                    int
	lts                                   []string
	ends                                  []ending
	date                                  time.Time
}

type ending struct {
	prefix string
	day    time.Time
}

// parseTable reads the table. It accepts only what is right in full.
func parseTable(data []byte) (table, error) {
	t := table{map[string]row{}, map[string]policy{}}
	root, err := scoring.ReadYAML(data)
	if err == nil && root.Get("schema").Text() != TableSchema {
		err = fmt.Errorf("schema %q is not %q", root.Get("schema").Text(), TableSchema)
	}
	if err != nil {
		return t, fmt.Errorf("reading the table of calendars: %w", err)
	}
	for item := range root.Get("policies").Items() {
		p, err := parsePolicy(item)
		id := item.Get("id").Text()
		if _, twice := t.policies[id]; err == nil && (twice || id == "") {
			err = fmt.Errorf("policy %q stands twice or has no id", id)
		}
		if err != nil {
			return t, fmt.Errorf("reading the table of calendars: line %d: %w", item.Line(), err)
		}
		t.policies[id] = p
	}
	last := ""
	for item := range root.Get("projects").Items() {
		id, r := item.Get("id").Text(), row{item.Get("own").Text(), item.Get("index").Text(), item.Get("policy").Text()}
		if err := t.checkRow(last, id, r); err != nil {
			return t, fmt.Errorf("reading the table of calendars: line %d: %w", item.Line(), err)
		}
		t.rows[id], last = r, id
	}
	return t, nil
}

func (t table) checkRow(last, id string, r row) error {
	_, known := t.policies[r.policy]
	switch {
	case id <= last:
		return fmt.Errorf("project %q does not follow %q in order", id, last)
	case r == row{}:
		return fmt.Errorf("project %q names no place", id)
	case r.own != "" && r.own != "ceph" && r.own != "kubernetes":
		return fmt.Errorf("project %q: no reader is called %q", id, r.own)
	case r.index != "" && !seriesName.MatchString(r.index):
		return fmt.Errorf("project %q: index %q is no name", id, r.index)
	case r.policy != "" && !known:
		return fmt.Errorf("project %q: no policy is called %q", id, r.policy)
	}
	return nil
}

func parsePolicy(item scoring.YAML) (policy, error) {
	p := policy{kind: item.Get("kind").Text(), within: item.Get("within").Text(), source: item.Get("source").Text(), usually: item.Get("usually").Text() == "true"}
	for name, to := range map[string]*int{"count": &p.count, "months": &p.months, "lts_months": &p.ltsMonths, "after_months": &p.afterMonths, "usual": &p.usual, "usual_months": &p.usualMonths} {
		if text := item.Get(name).Text(); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > 600 {
				return p, fmt.Errorf("%s is not 1 to 600", name)
			}
			*to = n
		}
	}
	for l := range item.Get("lts").Items() {
		p.lts = append(p.lts, l.Text())
	}
	for e := range item.Get("ends").Items() {
		on, ok := day(e.Get("day"))
		if !ok || !numbered(e.Get("prefix").Text()) {
			return p, fmt.Errorf("ends needs a prefix and a day")
		}
		p.ends = append(p.ends, ending{e.Get("prefix").Text(), on})
	}
	var ok bool
	p.date, ok = day(item.Get("date"))
	needs := map[string]int{"newest": p.count, "term": p.months, "lts": min(p.usual, p.usualMonths), "open": 1}
	switch {
	case !ok || !strings.HasPrefix(p.source, "https://"):
		return p, fmt.Errorf("source must begin with https:// and date be a day")
	case !slices.Contains([]string{"newest", "term", "lts", "open"}, p.kind) || needs[p.kind] == 0:
		return p, fmt.Errorf("kind %q is not known or lacks its numbers", p.kind)
	case p.kind == "term" && len(p.lts) > 0 && min(p.ltsMonths, p.afterMonths) == 0:
		return p, fmt.Errorf("lts needs lts_months and after_months")
	case p.within != "" && p.within != "major":
		return p, fmt.Errorf("within %q is not major", p.within)
	}
	return p, nil
}

// tabled asks the table of the catalogue about the deployed versions that no other place knows.
func (c *Collector) tabled(p scoring.Project, found []calendar) []calendar {
	if c.options.Support == nil {
		return nil
	}
	out := calendar{name: "table of the catalogue", grade: audit.GradeThirdParty}
	for _, version := range p.Versions {
		if slices.ContainsFunc(found, func(f calendar) bool { _, ok := scoring.Cycles{Cycles: f.cycles}.Of(version); return ok }) {
			continue
		}
		name, ends, from, ok := c.options.Support(p.ID, version)
		last, err := time.Parse(time.DateOnly, ends)
		if !ok || err != nil {
			continue
		}
		cycle := scoring.Cycle{Name: name, Prefix: version, EndLow: last, EndHigh: last, Status: "maintained"}
		if c.over(last) {
			cycle.Status = "end of life"
		}
		out.cycles = append(out.cycles, cycle)
		out.origins = append(out.origins, audit.Origin{Source: "maintenance table", URL: from})
	}
	if len(out.cycles) == 0 {
		return nil
	}
	return []calendar{out}
}
