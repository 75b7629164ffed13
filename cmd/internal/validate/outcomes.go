package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Bounds on the files, far above what they hold.
const (
	maxFile     = 4 << 20
	maxOutcomes = 5000
	maxMonths   = 60
)

// outcomes is validation/outcomes.yaml: what became of projects, as others decided it.
type outcomes struct {
	Schema      string       `yaml:"schema"`
	Months      []int        `yaml:"months"` // before the event; the first is the one that the document is about
	Comparisons []comparison `yaml:"comparisons"`
	Outcomes    []outcome    `yaml:"outcomes"`

	digest audit.Digest
}

// comparison asks whether the score tells two kinds of outcome apart.
type comparison struct {
	ID       string   `yaml:"id"`
	Question string   `yaml:"question"`
	Bad      string   `yaml:"bad"`
	Good     string   `yaml:"good"`
	Matched  bool     `yaml:"matched"` // only projects of which the other one of the pair was read too
	Aspects  []string `yaml:"aspects"` // that should see it coming, said before any score was computed; the first is the main one
}

// outcome is what became of one project.
type outcome struct {
	Name    string `yaml:"name"`
	Repo    string `yaml:"repo"`
	History string `yaml:"history"` // a repository that shares the history until the event
	Outcome string `yaml:"outcome"`
	Event   day    `yaml:"event"`
	Matches string `yaml:"matches"` // name of the project that this one is a control of
	Source  string `yaml:"source"`
	Note    string `yaml:"note"`
}

// day is a calendar day, 00:00 UTC.
type day struct{ time.Time }

// UnmarshalYAML reads a day written as 2026-11-26.
func (d *day) UnmarshalYAML(n *yaml.Node) error {
	t, err := time.Parse(time.DateOnly, n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is no day; write it as 2026-11-26", n.Line, n.Value)
	}
	d.Time = t
	return nil
}

// id names an outcome: no project has two of one kind.
func (o outcome) id() string { return o.Outcome + "/" + o.Name }

// addresses are where the history can be read.
func (o outcome) addresses() []string {
	if o.History == "" {
		return []string{o.Repo}
	}
	return []string{o.Repo, o.History}
}

// before is the moment that many months ahead of the event; a month is 365/12 days, as in the windows of the facts.
func (o outcome) before(months int) time.Time {
	return o.Event.Add(-time.Duration(months) * 365 * 24 * time.Hour / 12).Truncate(time.Second)
}

const outcomesSchema = "pegel/outcomes/v1"

func readOutcomes(file string) (outcomes, error) {
	data, err := readBounded(file)
	if err != nil {
		return outcomes{}, fmt.Errorf("reading outcomes: %w", err)
	}
	var o outcomes
	if err := decodeStrictly(data, &o); err != nil {
		return o, fmt.Errorf("reading outcomes %q: %w", file, err)
	}
	o.digest = audit.DigestOf(data)
	if err := o.check(); err != nil {
		return o, fmt.Errorf("reading outcomes %q: %w", file, err)
	}
	return o, nil
}

// decodeStrictly refuses unknown keys.
func decodeStrictly(data []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	return d.Decode(into)
}

func readBounded(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%q has %d bytes, at most %d are read", file, info.Size(), maxFile)
	}
	return os.ReadFile(file)
}

// check says what is wrong with the file, all of it at once.
func (o outcomes) check() error {
	var wrong []error
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if o.Schema != outcomesSchema {
		add("schema %q is not %s", o.Schema, outcomesSchema)
	}
	if len(o.Outcomes) > maxOutcomes {
		add("%d outcomes, at most %d are read", len(o.Outcomes), maxOutcomes)
	}
	if len(o.Months) == 0 {
		add("months says no date to judge at")
	}
	for _, m := range o.Months {
		if m < 1 || m > maxMonths {
			add("%d months before an event: give 1 to %d", m, maxMonths)
		}
	}
	names, kinds := map[string]outcome{}, map[string]bool{}
	for _, x := range o.Outcomes {
		if _, again := names[x.id()]; again {
			add("%s stands there twice", x.id())
		}
		names[x.id()], kinds[x.Outcome] = x, true
		for _, f := range [][2]string{{"name", x.Name}, {"outcome", x.Outcome}, {"source", x.Source}} {
			if strings.TrimSpace(f[1]) == "" {
				add("%s: %s is missing", x.id(), f[0])
			}
		}
		if x.Event.IsZero() {
			add("%s: event is missing", x.id())
		}
		for _, address := range x.addresses() {
			if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" {
				add("%s: %q is no https address of a repository", x.id(), address)
			}
		}
	}
	for _, c := range o.Comparisons {
		wrong = append(wrong, c.check(o, names, kinds)...)
	}
	return errors.Join(wrong...)
}

func (c comparison) check(o outcomes, names map[string]outcome, kinds map[string]bool) (wrong []error) {
	add := func(format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("comparison %s: "+format, append([]any{c.ID}, args...)...))
	}
	for _, kind := range []string{c.Bad, c.Good} {
		if !kinds[kind] {
			add("no project has the outcome %q", kind)
		}
	}
	if len(c.Aspects) == 0 {
		add("it names no aspect that should see it coming")
	}
	for _, a := range c.Aspects {
		if !slices.Contains(scoring.Aspects, a) {
			add("unknown aspect %q", a)
		}
	}
	if !c.Matched {
		return wrong
	}
	taken := map[string]string{}
	for _, x := range o.Outcomes {
		if x.Outcome != c.Good {
			continue
		}
		of, known := names[c.Bad+"/"+x.Matches]
		switch {
		case !known:
			add("%s matches %q, which is no project with the outcome %s", x.id(), x.Matches, c.Bad)
		case !of.Event.Equal(x.Event.Time):
			add("%s is judged by the day %s, and %s by %s", x.id(), x.Event.Format(time.DateOnly), of.id(), of.Event.Format(time.DateOnly))
		case taken[of.id()] != "":
			add("%s and %s match the same project", x.id(), taken[of.id()])
		}
		taken[of.id()] = x.id()
	}
	return wrong
}
