package forge

import (
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// ticket is an issue as forges have them.
type ticket struct {
	number  int64
	author  string
	machine bool
	opened  time.Time
	silent  bool // nobody said anything, so nobody need be asked
}

// tickets are the issues of a project.
type tickets struct {
	at     time.Time
	list   []ticket
	whole  bool // all of the last three months are in the list
	origin audit.Origin
}

// answers fills how long people waited for the first answer, from the newest issues of three months.
func (t tickets) answers(out *scoring.Issues, remarks func(number int64) (list []remark, partial bool, err error)) {
	var recent []ticket
	for _, i := range t.list {
		if !i.machine && within(i.opened, t.at, 3) {
			recent = append(recent, i)
		}
	}
	slices.SortStableFunc(recent, func(a, b ticket) int { return b.opened.Compare(a.opened) })
	sample := recent[:min(len(recent), sampleSize)]
	var waits []int64
	silent := 0
	for _, i := range sample {
		if i.silent {
			silent++
			continue
		}
		list, partial, err := remarks(i.number)
		if err != nil {
			out.FirstResponse, out.Answered, out.Unanswered = failed[int64](err), failed[int](err), failed[int](err)
			return
		}
		if s, ok := firstAnswer(i.opened, i.author, until(t.at, list)); ok {
			waits = append(waits, s)
		} else if !partial { // where more was said than was read, nobody knows
			silent++
		}
	}
	out.Sample, out.Whole = len(sample), t.whole && len(sample) == len(recent)
	if len(sample) == 0 {
		const why, settle = "nobody opened an issue in three months", "a longer period"
		out.FirstResponse, out.Answered, out.Unanswered = notTold[int64](why, settle, t.origin), notTold[int](why, settle, t.origin), notTold[int](why, settle, t.origin)
		return
	}
	out.Answered, out.Unanswered = audit.Known(len(waits), t.origin), audit.Known(silent, t.origin)
	out.FirstResponse = notTold[int64]("none of the issues looked at has a human answer yet", "a longer period", t.origin)
	if m, ok := median(waits); ok {
		out.FirstResponse = audit.Known(m, t.origin)
	}
}

// sampled returns the places of the proposals that are looked at one by one: the newest merged ones of humans, for what
// is said about reviews, and the newest opened in three months, for what is said about answers.
func sampled(list []proposal, at time.Time) []int {
	var merged, opened []int
	for i, p := range list {
		if p.machine {
			continue
		}
		if p.merged && within(p.closed, at, 24) {
			merged = append(merged, i)
		}
		if within(p.opened, at, 3) {
			opened = append(opened, i)
		}
	}
	slices.SortStableFunc(merged, func(a, b int) int { return list[b].closed.Compare(list[a].closed) })
	slices.SortStableFunc(opened, func(a, b int) int { return list[b].opened.Compare(list[a].opened) })
	chosen := slices.Concat(merged[:min(len(merged), sampleSize)], opened[:min(len(opened), sampleSize)])
	slices.Sort(chosen)
	return slices.Compact(chosen)
}

// counted adds a file to the kinds of files of a release.
func counted(kinds map[string]int, name string) map[string]int {
	if kinds == nil {
		kinds = map[string]int{}
	}
	kinds[attachmentKind(name)]++
	return kinds
}

// attachmentKind tells by its name what a file of a release is: sbom, signature, provenance, checksum, other.
func attachmentKind(name string) string {
	name = strings.ToLower(name)
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(name, p) })
	}
	switch {
	case strings.HasSuffix(name, ".asc") || strings.HasSuffix(name, ".sig") || strings.HasSuffix(name, ".minisig") || strings.HasSuffix(name, ".sigstore") || strings.HasSuffix(name, ".sign"):
		return "signature"
	case has("intoto", "provenance", "attestation"):
		return "provenance"
	case has("sbom", "spdx", "cyclonedx", ".cdx."):
		return "sbom"
	case has("sha256", "sha512", "sha1sum", "checksum", "md5"):
		return "checksum"
	}
	return "other"
}

// invites says whether a label invites newcomers.
func invites(label string) bool {
	label = strings.NewReplacer("-", " ", "_", " ", "::", " ").Replace(strings.ToLower(label))
	for _, words := range []string{"good first", "newcomer", "easy hack", "beginner", "first timer", "bitesize", "bite sized", "low hanging fruit", "starter"} {
		if strings.Contains(label, words) {
			return true
		}
	}
	return false
}
