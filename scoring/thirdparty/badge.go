package thirdparty

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// badgeEntry is a project of the badge programme. It also names the user who filled it in, who is left out.
// Source: docs/api.md and db/schema.rb of coreinfrastructure/best-practices-badge.
type badgeEntry struct {
	ID        int       `json:"id"`
	Repo      string    `json:"repo_url"`
	Home      string    `json:"homepage_url"`
	Level     string    `json:"badge_level"`
	Tiered    int       `json:"tiered_percentage"`
	Passing   int       `json:"badge_percentage_0"`
	Silver    int       `json:"badge_percentage_1"`
	Gold      int       `json:"badge_percentage_2"`
	Baseline1 int       `json:"badge_percentage_baseline_1"`
	Baseline2 int       `json:"badge_percentage_baseline_2"`
	Baseline3 int       `json:"badge_percentage_baseline_3"`
	Updated   time.Time `json:"updated_at,omitzero"`
}

// badgeLevels in order.
var badgeLevels = [...]string{"in_progress", "passing", "silver", "gold"}

// badge asks the OpenSSF Best Practices programme for the addresses of a project. The programme lists every project that
// takes part, so that an empty list is an answer: no badge.
func (c *Collector) badge(ctx context.Context, a *asker, p scoring.Project) audit.Fact[scoring.Badge] {
	const settle = "ask www.bestpractices.dev again"
	if !c.on(Badges) {
		return off[scoring.Badge](string(Badges))
	}
	addresses := homes(p)
	if len(addresses) == 0 {
		return audit.Fact[scoring.Badge]{Settle: "enter the repository of the project in the catalogue"}
	}
	var origins []audit.Origin
	var at time.Time
	var found []badgeEntry
	for _, home := range spellings(p) {
		list, ans, err := get[[]badgeEntry](ctx, a, Badges, "/projects.json?url="+url.QueryEscape("https://"+home))
		if err != nil {
			return vain[scoring.Badge](settle, trouble(Badges, err))
		}
		origins, at = append(origins, ans.origin), earlier(at, a.at(ans.origin))
		for _, e := range list {
			if e.ID <= 0 {
				return vain[scoring.Badge](settle, trouble(Badges, errForm), ans.origin)
			}
			if slices.Contains(addresses, repository(e.Repo)) || repository(e.Home) == strings.ToLower(home) {
				found = append(found, e)
			}
		}
	}
	if len(found) == 0 {
		return graded(audit.Known(scoring.Badge{}, origins...), at)
	}
	e := slices.MaxFunc(found, func(x, y badgeEntry) int { return cmp.Or(cmp.Compare(x.rank(), y.rank()), cmp.Compare(y.ID, x.ID)) })
	if e.rank() < 0 {
		return vain[scoring.Badge](settle, "www.bestpractices.dev gives a level that is not known: "+clip(e.Level), origins...)
	}
	return graded(audit.Known(e.badge(), origins...), at)
}

// rank orders entries by level, then by baseline; negative if the level is not known.
func (e badgeEntry) rank() int {
	level := slices.Index(badgeLevels[:], e.Level)
	if level < 0 {
		return -1
	}
	return level*10 + e.baseline()
}

// baseline is the highest level of the OSPS Baseline whose requirements, and those below, are all met.
func (e badgeEntry) baseline() int {
	n := 0
	for _, percent := range []int{e.Baseline1, e.Baseline2, e.Baseline3} {
		if percent < 100 {
			break
		}
		n++
	}
	return n
}

// badge is the fact: a level of the baseline stands in for the badge where there is none.
func (e badgeEntry) badge() scoring.Badge {
	b := scoring.Badge{Level: e.Level, Percent: e.Tiered, Updated: e.Updated, Project: e.ID, Baseline: e.baseline()}
	if e.Level == badgeLevels[0] && b.Baseline > 0 {
		b.Level = "baseline-" + string(rune('0'+b.Baseline))
	}
	return b
}
