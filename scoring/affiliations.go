package scoring

import (
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Affiliations says where the organisations in History come from: they decide verdicts.
type Affiliations struct {
	Months  int                 `json:"months"` // the shares of the sources are of the human commits of this window
	Table   audit.Digest        `json:"table"`  // of the table of company domains and groups
	Sources []AffiliationSource `json:"sources"`
	Groups  []Folded            `json:"groups,omitempty"` // organisations of the window that count as part of another
}

// AffiliationSource is one source and what it decided. Files are listed also if they decided nothing, in the order they
// were asked; a source further down decided only what those above left open.
type AffiliationSource struct {
	// Kind is operator, gitdm, gitdm-map or stackalytics (files), domain (the table), profile (companies on profiles of a
	// forge), shared-domain (a domain in no table that several people write from), or unknown (nobody could tell).
	Kind    string       `json:"kind"`
	Name    string       `json:"name,omitempty"` // of the file, without directory
	URL     string       `json:"url,omitempty"`
	Digest  audit.Digest `json:"digest,omitempty"` // of the file, or the table
	At      time.Time    `json:"at,omitzero"`      // date of its contents
	Grade   audit.Grade  `json:"grade,omitempty"`
	Commits int          `json:"commits"` // human commits of the window that it decided
	Authors int          `json:"authors"` // whose commits they were
}

// Folded says that an organisation counts as part of a group, from when, and who says so.
type Folded struct {
	Name   string `json:"name"`
	Group  string `json:"group"`
	Since  string `json:"since"` // YYYY-MM-DD
	Source string `json:"source"`
}

// Resolve returns how many of the authors of unknown organisation, those with most commits first, must turn out to be
// elsewhere so that the share of the top organisation is at most so many basis points for certain. ok is false if that
// cannot be: the known share is higher, or more authors are needed than the window names one by one.
func (w Window) Resolve(atMostBP int) (authors int, ok bool) {
	return w.resolve(w.TopOrgCommits, atMostBP)
}

// ResolveTwo is Resolve for the share of the two largest organisations.
func (w Window) ResolveTwo(atMostBP int) (authors int, ok bool) {
	return w.resolve(w.TopTwoCommits, atMostBP)
}

func (w Window) resolve(known, atMostBP int) (authors int, ok bool) {
	most := known + w.UnknownCommits
	for {
		switch {
		case most*audit.Full <= atMostBP*w.HumanCommits:
			return authors, true
		case authors == len(w.UnknownAuthors):
			return authors, false
		}
		most -= w.UnknownAuthors[authors]
		authors++
	}
}
