package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// results is validation/results.json: what each project scored before its event. The document is made from it alone, so
// that everybody can do the sums again without a clone.
type results struct {
	Schema   string       `json:"schema"`
	Date     string       `json:"date"` // of the run
	Outcomes audit.Digest `json:"outcomes"`
	Split    audit.Digest `json:"split"`
	Profile  string       `json:"profile"`        // id and version
	Rules    audit.Digest `json:"profile_digest"` // of the profile in canonical form
	// Questions are the indicators of the profile, by id.
	Questions map[string]asked `json:"questions"`
	Cases     []judged         `json:"cases"` // in the order of the outcomes, then of the months
}

const resultsSchema = "pegel/validity/v1"

// asked is one indicator of the profile.
type asked struct {
	Aspect string `json:"aspect"`
	Title  string `json:"title"`
}

// What can become of reading a project as it was on a day.
const (
	read    = "read"
	noClone = "no-clone" // no clone below the directory that was given
	failed  = "failed"   // the clone says nothing of that day
)

// judged is one project on one day.
type judged struct {
	ID       string           `json:"id"` // of the outcome
	Months   int              `json:"months"`
	At       time.Time        `json:"at"`
	State    string           `json:"state"`
	Reason   string           `json:"reason,omitempty"`   // why it was not read
	Revision string           `json:"revision,omitempty"` // commit that was judged
	Verdict  string           `json:"verdict,omitempty"`
	Aspects  map[string]score `json:"aspects,omitempty"`
	// Indicators are low, high and weight of each indicator that applies and of which something is known.
	Indicators map[string][3]int `json:"indicators,omitempty"`
	Baselines  map[string]int    `json:"baselines,omitempty"`
}

// score is an aspect in basis points. Measured is the low end that the answers alone give: without the rule that a knock-out
// which is not known makes the low end 0. Git cannot answer the knock-outs of maturity and security.
type score struct {
	Low      int `json:"low"`
	High     int `json:"high"`
	Measured int `json:"measured"`
	Coverage int `json:"coverage"`
}

func (r results) write(file string) error {
	data, err := r.encode()
	if err != nil {
		return fmt.Errorf("writing results: %w", err)
	}
	return os.WriteFile(file, data, 0o644)
}

// encode writes one case a line, so that two runs can be compared line by line.
func (r results) encode() ([]byte, error) {
	cases := r.Cases
	r.Cases = nil
	head, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Write(bytes.TrimSuffix(head, []byte("null}")))
	b.WriteString("[")
	for i, c := range cases {
		line, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n")
		b.Write(line)
	}
	b.WriteString("\n]}\n")
	return b.Bytes(), nil
}

// readResults reads the file of an earlier run and holds it against the outcomes and the split of today.
func readResults(file string, o outcomes, s split) (results, error) {
	data, err := readBounded(file)
	if err != nil {
		return results{}, fmt.Errorf("reading results: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var r results
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("reading results %q: %w", file, err)
	}
	switch {
	case r.Schema != resultsSchema:
		return r, fmt.Errorf("reading results %q: schema %q is not %s", file, r.Schema, resultsSchema)
	case r.Outcomes != o.digest || r.Split != s.digest:
		return r, fmt.Errorf("reading results %q: they belong to other outcomes or another split; run make validate CLONES=DIR again", file)
	case len(r.Cases) != len(o.Outcomes)*len(o.Months):
		return r, fmt.Errorf("reading results %q: %d cases, want %d", file, len(r.Cases), len(o.Outcomes)*len(o.Months))
	}
	for i, c := range r.Cases {
		x, months := o.Outcomes[i/len(o.Months)], o.Months[i%len(o.Months)]
		if c.ID != x.id() || c.Months != months || !c.At.Equal(x.before(months)) {
			return r, fmt.Errorf("reading results %q: case %d is %s %d months before, want %s %d months before", file, i, c.ID, c.Months, x.id(), months)
		}
	}
	return r, nil
}
