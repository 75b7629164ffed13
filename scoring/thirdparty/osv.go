package thirdparty

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// record is one entry of an OSV database, without its texts and credits. Source: OSV schema 1.9.0.
type record struct {
	ID        string        `json:"id"`
	Modified  time.Time     `json:"modified,omitzero"`
	Published time.Time     `json:"published,omitzero"`
	Withdrawn time.Time     `json:"withdrawn,omitzero"`
	Aliases   []string      `json:"aliases,omitempty"`
	Severity  []osvSeverity `json:"severity,omitempty"`
	Affected  []affected    `json:"affected,omitempty"`
	Database  osvLabel      `json:"database_specific,omitzero"`
}

type osvSeverity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

// osvLabel is the part of the free-form fields that databases agree on: the label of GitHub's advisories.
type osvLabel struct{ Severity string }

// UnmarshalJSON takes the label and minds nothing else: these objects have no schema.
func (l *osvLabel) UnmarshalJSON(data []byte) error {
	var v struct {
		Severity json.RawMessage `json:"severity"`
	}
	if json.Unmarshal(data, &v) == nil {
		_ = json.Unmarshal(v.Severity, &l.Severity) // some databases put an object there
	}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (l osvLabel) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Severity string `json:"severity,omitempty"`
	}{l.Severity})
}

type affected struct {
	Package struct {
		Ecosystem string `json:"ecosystem,omitempty"`
		Name      string `json:"name,omitempty"`
	} `json:"package,omitzero"`
	Severity []osvSeverity `json:"severity,omitempty"`
	Ranges   []osvRange    `json:"ranges,omitempty"`
	Versions []string      `json:"versions,omitempty"`
}

type osvRange struct {
	Type   string     `json:"type"`
	Repo   string     `json:"repo,omitempty"`
	Events []osvEvent `json:"events"`
}

type osvEvent struct {
	Introduced   string `json:"introduced,omitempty"`
	Fixed        string `json:"fixed,omitempty"`
	LastAffected string `json:"last_affected,omitempty"`
	Limit        string `json:"limit,omitempty"`
}

// Bounds of one record. The largest of osv.dev have some thousand versions; what is beyond is not believed.
const (
	mostRecord   = 16 << 20 // bytes
	mostAffected = 20_000
	mostEvents   = 20_000
	mostVersions = 200_000
)

// plausible reports whether a record is one that can be judged.
func (r record) plausible() bool {
	if r.ID == "" || len(r.ID) > 200 || len(r.Affected) > mostAffected || len(r.Aliases) > 1000 {
		return false
	}
	events, versions := 0, 0
	for _, a := range r.Affected {
		versions += len(a.Versions)
		for _, g := range a.Ranges {
			events += len(g.Events)
		}
	}
	return events <= mostEvents && versions <= mostVersions
}

// malicious reports whether a record names a package that is an attack. It is no vulnerability of a project.
func malicious(id string) bool { return strings.HasPrefix(id, "MAL-") }

// vulnerability is what all records of one vulnerability say: databases publish it under several identifiers.
type vulnerability struct {
	id        string // of the record that stands for it
	published time.Time
	severity  string
	records   []record
}

// fold joins records that are aliases of each other, directly or through a third, and leaves out withdrawn ones, those of
// malicious packages, and what was published after the day of assessment. The result is sorted by time and id.
func fold(records []record, at time.Time) []vulnerability {
	records = slices.Clone(records)
	slices.SortFunc(records, func(a, b record) int { return cmp.Compare(a.ID, b.ID) })
	records = slices.CompactFunc(records, func(a, b record) bool { return a.ID == b.ID })
	parent := map[string]string{}
	var root func(string) string
	root = func(id string) string {
		for parent[id] != "" && parent[id] != id {
			id = parent[id]
		}
		return id
	}
	kept := records[:0]
	for _, r := range records {
		if malicious(r.ID) || !r.Withdrawn.IsZero() && !r.Withdrawn.After(at) || r.published().After(at) {
			continue
		}
		kept = append(kept, r)
		for _, alias := range r.Aliases {
			if a, b := root(r.ID), root(alias); a != b {
				parent[max(a, b)] = min(a, b)
			}
		}
	}
	groups := map[string][]record{}
	for _, r := range kept {
		groups[root(r.ID)] = append(groups[root(r.ID)], r)
	}
	out := make([]vulnerability, 0, len(groups))
	for _, list := range groups {
		v := vulnerability{id: best(list), published: list[0].published(), records: list}
		for _, r := range list {
			if t := r.published(); !t.IsZero() && (v.published.IsZero() || t.Before(v.published)) {
				v.published = t
			}
		}
		v.severity = severityOf(list)
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b vulnerability) int {
		return cmp.Or(a.published.Compare(b.published), cmp.Compare(a.id, b.id))
	})
	return out
}

// published is when a record appeared; a record without that date has at least the day of its last change.
func (r record) published() time.Time {
	if r.Published.IsZero() {
		return r.Modified
	}
	return r.Published
}

// best is the identifier that people know best: the advisory of the project, then CVE, then the others by name.
func best(list []record) string {
	rank := func(id string) int {
		for i, prefix := range []string{"OSSA-", "CVE-", "GHSA-"} {
			if strings.HasPrefix(id, prefix) {
				return i
			}
		}
		return 9
	}
	ids := make([]string, len(list))
	for i, r := range list {
		ids[i] = r.ID
	}
	return slices.MinFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
}
