package pipeline

import (
	"os"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/indicator"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// corrections are those of the catalogue and those of local directories. What a local file says on a day that is yet to come
// is refused: it would lie unread until then. One day more is for time zones.
func corrections(catalogue *upstream.Catalogue, dirs []string, now time.Time) (upstream.Corrections, error) {
	all, err := catalogue.Corrections()
	if err != nil {
		return upstream.Corrections{}, err
	}
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return upstream.Corrections{}, usagef("give a directory with one file PROJECT.yaml a project; docs/corrections.md has the form", "reading corrections %q: no such directory", dir)
		}
		more, err := catalogue.ReadCorrections(os.DirFS(dir))
		if err != nil {
			return upstream.Corrections{}, usagef("docs/corrections.md has the form of the file", "%w", err)
		}
		for _, s := range more.All {
			if !now.IsZero() && s.At.After(now.AddDate(0, 0, 1)) {
				return upstream.Corrections{}, usagef("give the day on which it was said", "reading %q: line %d: at: %s lies in the future", s.Origin.Path, s.Origin.Line, s.At.Format(time.DateOnly))
			}
		}
		all = all.And(more)
	}
	for project, s := range all.All {
		if !knownQuestion(s.Indicator) {
			return upstream.Corrections{}, usagef("pegel score "+project+" --why lists the questions", "reading %q: line %d: there is no question %q", s.Origin.Path, s.Origin.Line, s.Indicator)
		}
	}
	return all, nil
}

// knownQuestion says that Pegel asks a question of this id.
func knownQuestion(id string) bool {
	return slices.ContainsFunc(indicator.All(), func(i indicator.Indicator) bool { return i.ID == id })
}

// stated adds to evidence what correction files say of its project, by id or by address, as of the day it is about. What the
// evidence says itself stays; what was recorded from the same file before is not said twice.
func stated(e scoring.Evidence, p scoring.Project, all upstream.Corrections) scoring.Evidence {
	said := all.Of(p.ID, e.AssessedAt)
	if p.Repo != "" && p.Repo != p.ID {
		said = append(said, all.Of(p.Repo, e.AssessedAt)...)
	}
	if len(said) == 0 {
		return e
	}
	kept := slices.DeleteFunc(slices.Clone(e.Statements), func(s scoring.Statement) bool { return s.By == scoring.ByCatalogue })
	e.Statements = append(kept, said...)
	return e
}

// statedOf sorts what is said about one question into what contests the answer, of which the newest of the first to speak is
// shown, and the rest. Neither changes the answer.
func statedOf(e scoring.Evidence, question string, profile audit.Profile, at time.Time) (contested *reports.Contested, rest []reports.Stated) {
	for _, s := range e.Stated(question) {
		if s.Contests && s.By != scoring.ByOperator {
			c := reports.Contested{By: s.By, Role: s.Role, Value: s.Value, Words: s.Words, Source: s.Source, At: s.At, Origin: s.Origin}
			if contested == nil || contested.By == c.By && c.At.After(contested.At) {
				contested = &c
			}
			continue
		}
		rest = append(rest, reports.Stated{By: s.By, Role: s.Role, Value: s.Value, Words: s.Words, Source: s.Source, At: s.At,
			Over: over(s, profile, at), Origin: s.Origin})
	}
	return contested, rest
}

// over says that a statement was made too long ago to count: longer than the lifetime of declarations.
func over(s scoring.Statement, profile audit.Profile, at time.Time) bool {
	end, ok := audit.Lifetime(profile.Lifetimes["declaration"]).End(s.At)
	return !ok || at.After(end)
}
