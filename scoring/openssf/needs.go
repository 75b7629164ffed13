package openssf

import (
	"cmp"
	"context"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// need takes a fact for the check that is prepared. What was not measured is missing: the text says what, and why.
func need[T any](r *run, what string, f audit.Fact[T]) (T, string) {
	v, ok := f.Get()
	switch {
	case !ok:
		return v, "needs " + what + ": " + cmp.Or(f.Failure, "nobody looked")
	case f.Declared:
		var none T
		return none, "needs " + what + ", measured; it was only declared"
	}
	r.pending = append(r.pending, basis{grade: f.Grade, observed: f.ObservedAt, origins: f.Origins})
	return v, ""
}

// onGitHub reports whether the repository is hosted by GitHub. The address decides, so that it needs no fact.
func (r *run) onGitHub() bool {
	home, ok := r.known.Home.Get()
	return r.name().host == "github.com" || ok && home.Forge == "github"
}

// needCommits reads the newest commits, once for all checks.
func (r *run) needCommits(ctx context.Context) ([]scoring.Commit, string) {
	if !r.asked {
		r.asked = true
		r.commits, r.unread = r.source.Commits(ctx, searched)
	}
	switch {
	case r.unread != nil:
		return nil, "needs the commits: " + r.unread.Error()
	case len(r.commits) == 0:
		return nil, "needs commits: there are none"
	}
	return r.commits, ""
}

// yearOfChanges returns what is known of the changes of 12 months, the window of all shares (health check semantics).
func (r *run) yearOfChanges() (scoring.ChangeWindow, string) {
	changes, lacks := need(r, "the changes", r.known.Changes)
	if lacks != "" {
		return scoring.ChangeWindow{}, lacks
	}
	for _, w := range changes.Windows {
		if w.Months == 12 {
			if w.Sample <= 0 {
				return w, "needs merged changes: none was seen in 12 months"
			}
			return w, ""
		}
	}
	return scoring.ChangeWindow{}, "needs the changes of 12 months: they could not be seen"
}

// portion returns part and total, scaled down so that total is at most maxSample. ok is false if they do not fit together.
func portion(part, total int) (int, int, bool) {
	if total <= 0 || part < 0 || part > total {
		return 0, 0, false
	}
	if total > maxSample {
		part, total = int(int64(part)*maxSample/int64(total)), maxSample
	}
	return part, total, true
}
