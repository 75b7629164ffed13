package forge

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// zuul reads how builds of the gate ended by Zuul's REST interface (Zuul's own description, web/public/openapi.yaml). It
// serves projects of the Gerrit servers that a Zuul is known for.
type zuul struct{ gerrit }

func (zuul) name() string { return "zuul" }

// zuulOf names the Zuul of a Gerrit and the tenant of a project there (OpenDev's project configuration).
func zuulOf(review, project string) (host, tenant string, ok bool) {
	if review != openDevReview {
		return "", "", false
	}
	namespace, _, _ := strings.Cut(project, "/")
	switch namespace {
	case "zuul", "opendev", "vexxhost":
		return "zuul.opendev.org", namespace, true
	}
	return "zuul.opendev.org", "openstack", true
}

// read fills Runs.
func (z zuul) read(ctx context.Context, p scoring.Project, e *scoring.Evidence) error {
	review, project, ok := z.place(p, *e)
	if z.options.Client == nil || !ok || e.Runs.Unknown() != audit.MISS {
		return nil
	}
	host, tenant, ok := zuulOf(review, project)
	if !ok {
		return nil
	}
	d := z.desk(z.name(), "", host)
	builds, whole, err := d.builds(ctx, tenant, project, z.options.At)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var runs audit.Fact[scoring.Runs]
	if err != nil {
		runs = failed[scoring.Runs](err)
	} else {
		runs = d.runs(builds, whole, z.options.At)
	}
	if runs.Unknown() == audit.PASS || reviewsIn(z.options, p.Repo) {
		e.Runs = runs
	}
	return nil // elsewhere the repository's own forge may know the runs
}

// zuulBuild is a build as it was redacted. Builds name no people but by the change they tested, which is not kept.
type zuulBuild struct {
	Result string       `json:"result"`
	End    zuulTime     `json:"end_time"`
	Voting *zuulBoolean `json:"voting"`
}

// zuulTime reads "2024-05-06T07:08:09", which is UTC.
type zuulTime struct{ time.Time }

// UnmarshalJSON leaves the zero time where the text is none, as for builds that did not end.
func (t *zuulTime) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		t.Time, _ = time.Parse("2006-01-02T15:04:05", strings.TrimSuffix(text, "Z"))
	}
	return nil
}

// zuulBoolean reads true as servers write it, and "true" as the description of the interface has it.
type zuulBoolean bool

// UnmarshalJSON takes everything but false for true.
func (v *zuulBoolean) UnmarshalJSON(b []byte) error {
	*v = zuulBoolean(!strings.EqualFold(strings.Trim(string(b), `"`), "false"))
	return nil
}

const (
	zuulPage  = 200
	zuulPages = 20
	runsDays  = 90 // health check reference, MA-08
)

// builds reads the builds of the gate of the last 90 days, newest first. Whole says that none is missing.
func (d *desk) builds(ctx context.Context, tenant, project string, at time.Time) (list []zuulBuild, whole bool, err error) {
	rule := ruleOf("zuul builds", newShape(nil, "result", "end_time", "voting"), "result", "end_time", "voting")
	begin := at.AddDate(0, 0, -runsDays)
	for range zuulPages {
		q := url.Values{"project": {project}, "pipeline": {"gate"}, "complete": {"true"}, "limit": {strconv.Itoa(zuulPage)}, "skip": {strconv.Itoa(len(list))}}
		var builds []zuulBuild
		if err := d.get(ctx, "builds of "+project, rule, "/api/tenant/"+url.PathEscape(tenant)+"/builds?"+q.Encode(), &builds); err != nil {
			return nil, false, err
		}
		list = append(list, builds...)
		if len(builds) == 0 || builds[len(builds)-1].End.Before(begin) { // a server may give fewer than asked for
			return list, true, nil
		}
	}
	return list, false, nil
}

// runs counts how builds ended. Non-voting builds do not count, nor those that were cut short: a gate that is reset
// restarts the builds behind a failed change.
func (d *desk) runs(builds []zuulBuild, whole bool, at time.Time) audit.Fact[scoring.Runs] {
	r := scoring.Runs{System: "zuul", Where: "gate", Whole: whole}
	oldest := at
	for _, b := range builds {
		if b.End.IsZero() || b.End.After(at) || !b.End.After(at.AddDate(0, 0, -runsDays)) || b.Voting != nil && !bool(*b.Voting) {
			continue
		}
		switch b.Result {
		case "", "SKIPPED", "CANCELED", "ABORTED", "DEQUEUED", "RETRY", "NO_JOBS", "NOT_REGISTERED":
			continue
		case "SUCCESS":
			r.Succeeded++
		}
		r.Sample++
		if b.End.Before(oldest) {
			oldest = b.End.Time
		}
	}
	if r.Sample == 0 {
		return notTold[scoring.Runs](fmt.Sprintf("%s shows no finished build of the gate in %d days", d.host, runsDays), "a pipeline of another name, or a longer period", d.origins()...)
	}
	r.Days = audit.Known(daysOf(oldest, at, whole), d.origins()...)
	return audit.Known(r, d.origins()...).Graded(audit.GradeForge, d.observed(), audit.Month)
}

// daysOf returns how many of the 90 days a sample of runs covers.
func daysOf(oldest, at time.Time, whole bool) int {
	if whole {
		return runsDays
	}
	return min(runsDays, int(at.Sub(oldest).Hours()/24))
}
