package foundation

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// registry is a place where a foundation records its projects.
type registry struct {
	name    string                     // as shown to people
	home    string                     // id in the table of foundations
	address string                     // of the repository or service
	about   func(scoring.Project) bool // whether it could list a project that the catalogue does not lead to it
	load    func(ctx context.Context, read scoring.ReadFile, at time.Time) (book, error)
}

// book is a registry that was read. It looks up one project.
type book func(ctx context.Context, asked inquiry) (answer, error)

// inquiry is what a book is asked, and what the books before it said.
type inquiry struct {
	project scoring.Project
	at      time.Time
	client  *http.Client
	eclipse string

	failed []failure
	absent []absence
}

type failure struct {
	registry registry
	err      error
}

type absence struct {
	registry registry
	origins  []audit.Origin
	complete bool
}

// answer is what a book says about a project.
type answer struct {
	listed     bool
	complete   bool // not listed, in a list that claims to name every repository of that kind
	searched   bool // not listed, in a list that claims to name every project, but not all of their repositories
	lent       bool // what the foundation lends to its projects serves this one
	governance scoring.Governance
	origins    []audit.Origin
}

// known grades a fact from a record: A with a commit that anyone can read again, B as the answer of a service. It was observed
// when the record spoke last, at the latest at the moment of assessment.
func known[T any](v T, at time.Time, origins ...audit.Origin) audit.Fact[T] {
	grade, observed := audit.GradeRecord, at
	for _, o := range origins {
		if o.Commit == "" {
			grade = audit.GradeForge
		}
		if !o.At.IsZero() && o.At.Before(observed) {
			observed = o.At
		}
	}
	return audit.Known(v, origins...).Graded(grade, observed, audit.Year)
}

// unknown is a fact that a record does not tell.
func unknown[T any](reason, settle string, origins ...audit.Origin) audit.Fact[T] {
	f := audit.Failed[T](reason, origins...)
	f.Settle = settle
	return f
}

// later refuses a file without dates of its own that speaks of a later day than that of assessment.
func later(origin audit.Origin, at time.Time) error {
	if origin.At.After(at) {
		return fmt.Errorf("%s was written on %s, after the day of assessment; give the reader a clone that reaches back", origin.Path, origin.At.UTC().Format(time.DateOnly))
	}
	return nil
}

// day reads a date as registries write it: 2026-04-29, or 2026-04 for its first day.
func day(text string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, "2006-01"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, t.Year() >= 1970 && t.Year() < 2100
		}
	}
	return time.Time{}, false
}

func registered(all []registry, home string) bool {
	return slices.ContainsFunc(all, func(r registry) bool { return r.home == home })
}

func names(all []registry) string {
	out := make([]string, len(all))
	for i, r := range all {
		out[i] = r.name
	}
	return strings.Join(out, ", ")
}

func first(origins []audit.Origin) audit.Origin {
	if len(origins) == 0 {
		return audit.Origin{}
	}
	return origins[0]
}

// mostName bounds names that are taken from a registry into facts.
const mostName = 100

// clip cuts foreign text for a reason.
func clip(s string) string {
	if len(s) > mostName {
		return strings.ToValidUTF8(s[:mostName], "") + "..."
	}
	return s
}

// place is a repository as far as its address tells: host and path in lower case, without .git.
type place struct{ host, path string }

// placeOf reads an address such as https://github.com/a/b.git; ok is false if it names no repository.
func placeOf(address string) (p place, ok bool) {
	_, rest, found := strings.Cut(strings.ToLower(strings.TrimSpace(address)), "://")
	if !found {
		return place{}, false
	}
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "#")
	host, path, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	return place{strings.TrimPrefix(host, "www."), path}, host != "" && path != ""
}

// places are the addresses that a project is known by.
func places(p scoring.Project) []place {
	var out []place
	for _, address := range []string{p.Repo, p.Mirror} {
		if at, ok := placeOf(address); ok {
			out = append(out, at)
		}
	}
	return out
}
