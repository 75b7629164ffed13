package transparency

import (
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Thresholds of UF-02 by their names in the profile.
const (
	numberLinkedShare = "share_bp" // linked patches that pass
	numberLinkedPart  = "part_bp"  // that are a beginning
)

// UF-01 asks whether everybody can read the patches that are carried on upstream software, under an open licence. It reads the
// folders that were named and no others: it misleads where an operator carries patches elsewhere, such as in branches.
//
// UF-02 asks which share of them leads upstream: by a change or an issue there, or by the commit they were picked from. The
// links are read in the headers and not followed. A patch that says it was not sent, or need not be, gives its reason and has no
// link. All patches of the folders count: a directory does not tell whether its component is deployed.
//
// A folder that is there and holds no patch shows that none is carried in it; both questions then do not apply.
func patchIndicators() []Indicator {
	return []Indicator{
		{ID: "UF-01", Kind: KindPatches, Question: "Can everybody read the patches that are carried on deployed components, under an open licence?", Measure: ofPatches(patchesPublic)},
		{ID: "UF-02", Kind: KindPatches, Contents: true, Question: "Do the patches that are carried lead to the upstream projects?", Measure: ofPatches(patchesLinked)},
	}
}

// ofPatches lets a measure answer from the folders that were read, and tells it why others were not.
func ofPatches(measure func(q Question, read []PatchPlace, unread []string) Measurement) func(Question) Measurement {
	return func(q Question) Measurement {
		var read []PatchPlace
		var unread []string
		for _, a := range q.Evidence.Of(KindPatches) {
			switch {
			case a.Patches != nil && a.Trouble == nil:
				for _, p := range a.Patches.Places {
					if p.Trouble != nil {
						unread = append(unread, p.name()+": "+p.Trouble.Text)
						continue
					}
					read = append(read, p)
				}
			case a.Trouble != nil:
				unread = append(unread, orElse(a.URL, strings.Join(a.Repositories, ", "))+": "+a.Trouble.Text)
			}
		}
		if len(read) == 0 {
			return Measurement{Reason: "no folder with patches could be read", Settle: []string{"name it under transparency: patches"}}
		}
		if total := patchTotal(read); total.Patches == 0 && len(unread) == 0 && patchesUnread(read) == 0 {
			return Measurement{Outcome: audit.NA, Reason: "the folder that was named holds no patch, so none is carried there", Origins: patchOrigins(read)}
		}
		return measure(q, read, unread)
	}
}

func patchTotal(places []PatchPlace) PatchCount {
	var total PatchCount
	for _, p := range places {
		total.Add(p.PatchCount)
	}
	return total
}

func patchesUnread(places []PatchPlace) int {
	n := 0
	for _, p := range places {
		n += p.Unread
	}
	return n
}

func patchOrigin(p PatchPlace, path string) audit.Origin {
	o := audit.Origin{Source: "git", URL: p.URL, Commit: p.Commit, Path: path, At: p.SeenUntil}
	if strings.HasPrefix(p.URL, "file:") {
		o.URL = "" // handed over: there is no address
	}
	return o
}

func patchOrigins(places []PatchPlace) []audit.Origin {
	var out []audit.Origin
	for _, p := range places {
		out = append(out, patchOrigin(p, p.Path))
	}
	return out
}

// patchesPublic is the worst of the folders: a single one that nobody may read hides patches.
func patchesPublic(q Question, read []PatchPlace, unread []string) Measurement {
	var shut, open, fine, settle []string
	var shutAt []audit.Origin
	for _, p := range read {
		public, seen := p.Public.Get()
		if !seen && !q.Public && q.Evidence.Exposure != "" && q.Evidence.Exposure != "public" {
			public, seen = true, true // may go to the auditor
		}
		free, judged := p.Open.Get()
		switch {
		case seen && !public:
			shut, shutAt = append(shut, p.name()+": the server gives it to nobody without rights"), append(shutAt, patchOrigin(p, p.Path))
		case judged && !free:
			reason := orElse(p.Licence.Failure, "it names no licence")
			if expression, known := p.Licence.Get(); known {
				reason = "the licence " + expression + " is not an open one"
			}
			shut, shutAt = append(shut, p.name()+": "+reason), append(shutAt, patchOrigin(p, p.Path))
		case !seen:
			open = append(open, p.name()+" was read from a clone, and nobody saw that it is public"+because(p.Public.Failure))
			settle = append(settle, orElse(p.Public.Settle, "make "+p.name()+" public"))
		case !judged:
			open = append(open, p.name()+": its licence is not known"+because(p.Open.Failure))
			settle = append(settle, "put the text of an open licence into a file LICENSE of "+p.name())
		default:
			expression, _ := p.Licence.Get()
			fine = append(fine, fmt.Sprintf("%s: %s under %s", p.name(), count(p.Patches, "patch", "patches"), expression))
		}
	}
	switch {
	case len(shut) > 0:
		return Measurement{Outcome: audit.FAIL, Reason: strings.Join(append(shut, unread...), "; "), Origins: shutAt,
			Settle: []string{"publish the patches under an open licence, with its text in a file LICENSE"}}
	case len(open)+len(unread) > 0:
		return Measurement{Outcome: audit.DNF, Reason: strings.Join(append(open, unread...), "; "), Origins: patchOrigins(read),
			Settle: orElseAll(settle, "make the places readable that could not be read")}
	}
	return Measurement{Outcome: audit.PASS, Reason: strings.Join(fine, "; "), Origins: patchOrigins(read)}
}

// patchesLinked compares the share of linked patches with the thresholds. What could not be read may be linked or not: the
// answer holds only where both ends agree.
func patchesLinked(q Question, read []PatchPlace, unread []string) Measurement {
	want, part := q.Rule.Numbers[numberLinkedShare], q.Rule.Numbers[numberLinkedPart]
	if want <= 0 || part <= 0 {
		return Measurement{Reason: "the profile does not say which share of patches has to lead upstream", Settle: []string{"set share_bp and part_bp of UF-02 in the profile"}}
	}
	total, missed := patchTotal(read), patchesUnread(read)
	all := total.Patches + missed
	m := Measurement{Origins: patchOrigins(read), Reason: fmt.Sprintf("%d of %s lead upstream", total.Linked, count(all, "patch", "patches"))}
	if total.Stated > 0 {
		m.Reason += fmt.Sprintf("; %d say that they were not sent or need not be", total.Stated)
	}
	if total.Hinted > 0 {
		m.Reason += fmt.Sprintf("; %d carry an identifier that a tool gives to any change, and no address", total.Hinted)
	}
	m.Reason += "; all patches of the folders that were named count, deployed or not"
	m.Settle = settleAlone(read)
	if all == 0 || len(unread) > 0 {
		m.Outcome = audit.DNF
		m.Reason = strings.Join(append([]string{m.Reason}, unread...), "; ")
		m.Settle = append(m.Settle, "make the places readable that could not be read")
		return m
	}
	low, high := linkedOutcome(total.Linked, all, want, part), linkedOutcome(total.Linked+missed, all, want, part)
	m.Reason += fmt.Sprintf("; asked for are %d %%", want/100)
	if low != high {
		m.Outcome, m.Reason = audit.DNF, m.Reason+fmt.Sprintf("; %d could not be read", missed)
		m.Settle = append(m.Settle, "give a complete clone with --mirror")
		return m
	}
	m.Outcome, m.Value, m.Unit = low, number(total.Linked*10_000/all), "basis-points"
	return m
}

// linkedOutcome compares without division, so that nothing is rounded.
func linkedOutcome(linked, all, want, part int) audit.Outcome {
	switch {
	case linked*10_000 >= want*all:
		return audit.PASS
	case linked*10_000 >= part*all:
		return audit.PART
	}
	return audit.FAIL
}

// settleAlone names some patches that have no link.
func settleAlone(read []PatchPlace) []string {
	const shown = 5
	var names []string
	more := 0
	for _, p := range read {
		more += p.Patches - p.Linked
		for _, alone := range p.Alone {
			if len(names) < shown {
				names = append(names, alone.Path)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	line := "send them upstream and name the change in the header, for example of " + strings.Join(names, ", ")
	if more -= len(names); more > 0 {
		line += fmt.Sprintf(" and %d more", more)
	}
	return []string{line}
}
