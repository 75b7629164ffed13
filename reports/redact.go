package reports

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Visibility of a report.
const (
	Public = "public" // internal names are left out
	Full   = "full"   // nothing is
)

const hiddenWhere = "not shown in a public report"

// Redact returns the form of a report that may be published: no host names ("host 1", "host 2" by sorted order), no
// namespaces ("namespace 1"), of workloads only the kind, no internal registries ("internal registry"), no names of images
// that come from one and belong to no known project ("internal image 1"), no paths beyond the file name. Outcomes, counts
// and the order of lines stay. Redacting twice changes nothing. The report that is given stays as it is.
func Redact(r Report) Report {
	names := internalNames(r)
	r.Artifacts = slices.Clone(r.Artifacts)
	for i, a := range r.Artifacts { // without names of workloads copies can no longer be told apart
		r.Artifacts[i].Replicas = a.copies()
	}
	out := copyOf(copier{text: names.text, after: names.after}, r)
	out.Visibility = Public
	return out
}

// internal holds the internal strings of one report and what stands for them.
type internal struct {
	placeholder map[string]string // by lower-case internal name, where it may be looked for in any text
	longest     map[string]int    // length of the longest name that begins with a word; "" for names that begin with a sign
	hosts       map[string]string // label of every host by lower-case name, also of those that are public words
	namespaces  map[string]string // likewise
}

// publicField reports whether a field holds words of the policy, the catalogue or the program, never of the stack; a host
// called like one of them must not change them. A field that is not listed is searched for internal names.
func publicField(field string) bool {
	switch field {
	case "Report.Schema", "Report.Assurance", "Report.Signers", "Report.Visibility",
		"Subject.Name", "Subject.Kind", "Subject.Exposure", "Subject.Group", "Subject.Operator",
		"Policy.ID", "Policy.Version", "Policy.Digest", "Policy.Status", "Policy.Profile", "Policy.Origin", "Policy.Signer",
		"Tool.Version",
		"Evidence.Digest",
		"Verdict.Scope", "Verdict.Title", "Verdict.Layer", "Verdict.Outcome", "Verdict.Worst", "RegionVerdict.Region", "RegionVerdict.Outcome", "Region.Name", "Finding.Regions", "Artifact.Regions",
		"Sighting.Region", "Drift.Regions",
		"Rung.Layer", "Rung.Title", "Rung.State",
		"SubjectRef.Kind", "SubjectRef.Tiers",
		"Finding.Requirement", "Finding.Indicator", "Finding.Title", "Finding.Scopes", "Finding.Severity", "Finding.Missing", "Finding.Remedy", "Finding.Owner", "Finding.Rationale", "Finding.Source",
		"Finding.Overruled", "Explanation.Text", "Explanation.Truth", "Explanation.Fact", "Ground.Fact", "Place.Digest", "Place.Kind", "Place.Pointer",
		"Requirement.ID", "Requirement.Title", "Requirement.Severity", "Requirement.Rationale", "Requirement.Remedy", "Requirement.Owner", "Requirement.Applies", "Requirement.Pass",
		"ClauseSource.ID", "ClauseSource.Document", "ClauseSource.At", "ClauseSource.Status", "ClauseSource.URL", "ClauseSource.Quote", "ClauseSource.Says",
		"Artifact.Kind", "Artifact.Version", "Artifact.Digest", "Artifact.Tiers", "Artifact.Area", "Artifact.Projects",
		"Sighting.Source", "Sighting.State", "Sighting.Digest",
		"Drift.Kind", "Drift.Tiers",
		"DriftSide.Version", "DriftSide.Digest",
		"Origin.Source", "Origin.Commit", "Origin.Digest",
		"Component.Project", "Component.Name", "Component.Version", "Component.Edition", "Component.Licence", "Component.LicenceClass", "Component.Provenance", "Component.Tiers", "Component.Area",
		"Project.ID", "Project.Name", "Project.Head", "Project.Role", "Project.Verdict", "Project.Tiers", "Project.Area", "Project.Versions", "Project.Facts",
		"Aspect.Aspect", "Aspect.KnockOuts", "Trend.Word", "Quarter.Head", "Quarter.Verdict", "Quarter.Held", "Previous.Digest",
		"CriticalPeople.Projects", "CriticalOrganisation.Name", "CriticalShare.Project",
		"Indicator.ID", "Indicator.Aspect", "Indicator.Title", "Indicator.Unit",
		"OperatorView.Schema", "OperatorArtifact.Kind", "OperatorArtifact.Title", "OperatorArtifact.Adapter",
		"OperatorAnswer.ID", "OperatorAnswer.Kind", "OperatorAnswer.Title", "OperatorAnswer.Source", "OperatorAnswer.Unit", "OperatorAnswer.Severity",
		"Waiver.Requirement", "Waiver.Key", "Waiver.File", "Waived.Key", "Outlook.Layer", "Outlook.Reached", "Outlook.Next", "Outlook.Own",
		"Task.Requirement", "Task.Title", "Task.Kind", "Task.Owner", "Task.Scopes", "Task.Remedy", "WhatIfChange.From", "WhatIfChange.To", "WhatIfChange.Version",
		"WhatIfVerdict.Scope", "WhatIfVerdict.Before", "WhatIfVerdict.After", "WhatIfLine.Title",
		"Term.ID", "Term.Word",
		"Framework.ID", "Framework.Title", "Framework.Note", "Framework.Version", "Framework.Date", "Framework.Status", "Framework.URL",
		"Criterion.ID", "Criterion.Asks", "Criterion.Gives", "Criterion.Note", "Criterion.Strength", "Criterion.State", "Criterion.Requirements", "Criterion.Fails", "Criterion.Open", "Criterion.Declared",
		"Look.Content", "Look.Digest", "Look.Original", "Standing.Layer", "Standing.Words", "LegalDocument.Kind", "Declaration.ID":
		return true
	}
	return false
}

// internalNames finds what a public report must not show.
func internalNames(r Report) internal {
	n := internal{placeholder: map[string]string{}, longest: map[string]int{}, hosts: map[string]string{}, namespaces: map[string]string{}}
	words := publicWords(r)
	n.addHosts(r, words)
	n.addRegistries(r)
	n.addImages(r)
	maps.Copy(words, plainWords(r))
	n.addNamespaces(r, words)
	n.addWorkloads(r, words)
	n.addPlaces(r, words)
	if r.Subject.Exposure != "public" {
		n.addOperator(r.Operator)
	}
	for name := range n.placeholder {
		first := name[:wordEnd(name, 0)]
		n.longest[first] = max(n.longest[first], len(name))
	}
	return n
}

func (n internal) add(name, placeholder string) {
	name = lowerASCII(name)
	if _, known := n.placeholder[name]; name != "" && !known {
		n.placeholder[name] = placeholder
	}
}

// addWord adds a name that may be looked for in prose: one that is long enough and no public word.
func (n internal) addWord(name, placeholder string, words map[string]bool) {
	if len(name) >= minName && !words[lowerASCII(name)] {
		n.add(name, placeholder)
	}
}

// minName is the least length of a name that is looked for in prose; "a" and "/" would hit every sentence. Shorter ones
// are replaced where they stand as a host.
const minName = 3

// publicWords are names that a report shows for other reasons.
func publicWords(r Report) map[string]bool {
	words := map[string]bool{"host": true, "localhost": true}
	for _, a := range r.Artifacts {
		if a.Kind != "host" {
			words[lowerASCII(a.Name)] = true
		}
	}
	for _, p := range r.Projects {
		words[lowerASCII(p.ID)], words[lowerASCII(p.Name)] = true, true
	}
	for _, c := range r.Components {
		words[lowerASCII(c.Name)] = true
	}
	for _, d := range r.Drift { // a service of the catalogue
		if strings.HasPrefix(d.Artifact, "service:") {
			words[lowerASCII(d.Name)] = true
		}
	}
	return words
}

// named is every reference and local path under which a report names something that is no host, with whether it belongs
// to a known project.
func named(r Report) map[string]bool {
	known := map[string]bool{}
	out := map[string]bool{}
	add := func(refs []string, ok bool) {
		for _, ref := range refs {
			if ref != "" {
				out[ref] = out[ref] || ok
			}
		}
	}
	for _, a := range r.Artifacts {
		if a.Kind == "host" {
			continue
		}
		known[a.ID] = len(a.Projects) > 0
		refs := []string{a.Reference, imageOf(a.ID)}
		for _, s := range a.Sightings {
			refs = append(refs, s.Reference)
		}
		add(refs, known[a.ID])
	}
	for _, d := range r.Drift {
		for _, side := range []*DriftSide{d.Declared, d.Running} {
			if side != nil && !strings.HasPrefix(side.Artifact, "host:") {
				add([]string{side.Reference, imageOf(side.Artifact)}, known[side.Artifact] || known[d.Artifact])
			}
		}
		add([]string{imageOf(d.Artifact)}, known[d.Artifact])
	}
	for _, w := range r.Waivers {
		add([]string{imageOf(w.Subject)}, known[w.Subject])
	}
	for _, u := range r.NotSeen {
		if kind, place, ok := unseenSource(u.What); ok && kind == "image" {
			add([]string{place}, false)
		}
	}
	return out
}

// imageOf returns the reference that the id of an image holds, "" for other artifacts.
func imageOf(id string) string {
	ref, ok := strings.CutPrefix(id, "image:")
	if !ok {
		return ""
	}
	return ref
}

func (n internal) addRegistries(r Report) {
	found := map[string]bool{}
	for ref := range named(r) {
		if host := registryOf(ref); host != "" && !PublicRegistry(host) {
			found[lowerASCII(host)] = true
		}
	}
	for i, host := range slices.Sorted(maps.Keys(found)) {
		label := "internal registry"
		if len(found) > 1 {
			label = numbered(label, i, len(found))
		}
		n.add(host, label)
		if name, _, ok := strings.Cut(host, ":"); ok {
			n.add(name, label)
		}
	}
}

// addImages hides what only insiders know: directories of this machine, and images of an internal registry that lead to
// no known project, such as the workloads of customers.
func (n internal) addImages(r Report) {
	names := map[string]bool{}
	for ref, known := range named(r) {
		if internalRegistry(ref) && !known {
			names[imagePath(ref)] = true
		}
		if localPath(ref) {
			n.add(ref, fileName(ref))
		}
	}
	words := publicWords(Report{Projects: r.Projects, Components: r.Components})
	for i, name := range slices.Sorted(maps.Keys(names)) {
		label := numbered("internal image", i, len(names))
		n.add(name, label)
		if base := path.Base(name); !words[lowerASCII(base)] {
			n.add(base, label)
		}
	}
	for _, a := range r.Artifacts {
		ref, ok := internalImage(a)
		if label := n.placeholder[lowerASCII(imagePath(ref))]; ok && label != "" && !words[lowerASCII(a.Name)] {
			n.add(a.Name, label)
		}
	}
}

// internalImage returns the reference of an image that is known only inside: it leads to no project, and some place names
// it by an internal registry.
func internalImage(a Artifact) (string, bool) {
	if a.Kind == "host" || len(a.Projects) > 0 {
		return "", false
	}
	refs := []string{a.Reference}
	for _, s := range a.Sightings {
		refs = append(refs, s.Reference)
	}
	for _, ref := range refs {
		if internalRegistry(ref) {
			return ref, true
		}
	}
	return "", false
}

func internalRegistry(ref string) bool {
	host := registryOf(ref)
	return host != "" && !PublicRegistry(host)
}

// fileName is the last part of a path.
func fileName(s string) string { return path.Base(strings.ReplaceAll(s, `\`, "/")) }

// localPath reports whether a reference is a file or directory rather than a name in a registry.
func localPath(reference string) bool {
	for _, prefix := range []string{"oci:", "oci-archive:", "docker-archive:", "dir:", "./", "../", "/", `\`} {
		if strings.HasPrefix(reference, prefix) {
			return len(reference) >= minName
		}
	}
	return false
}

// imagePath returns a reference without registry, tag and digest.
func imagePath(reference string) string {
	reference = strings.TrimPrefix(reference, registryOf(reference)+"/")
	reference, _, _ = strings.Cut(reference, "@")
	if i := strings.LastIndexByte(reference, ':'); i > strings.LastIndexByte(reference, '/') {
		reference = reference[:i]
	}
	return reference
}

// numbered counts from 1 with as many digits as the last one has, so that sorting by name keeps the order.
func numbered(what string, i, total int) string {
	return fmt.Sprintf("%s %0*d", what, len(fmt.Sprint(total)), i+1)
}

// text replaces every internal name in one string.
func (n internal) text(field, s string) string {
	switch field {
	case "Sighting.Hosts":
		return cmp.Or(n.hosts[lowerASCII(s)], s)
	case "Sighting.Namespace":
		return cmp.Or(n.namespaces[lowerASCII(s)], s)
	case "Sighting.Workload":
		return workloadKind(s)
	case "Sighting.Where", "DriftSide.Where": // before names are replaced, since what stands for them may hold spaces
		s = fileNames(s)
	}
	if publicField(field) {
		return s
	}
	s = n.replace(s)
	if proseField(field) {
		s = withoutPlaces(s)
	}
	switch field {
	case "Finding.Reason", "Finding.Settle", "Unseen.Reason", "Unseen.Settle", "Unseen.Names", "Drift.Detail", "Drift.Open",
		"Explanation.Value", "Ground.Value", "Ground.Says", "Ground.Reason", "Ground.Settle", "Task.Settle", "WhatIfLine.Settle",
		"Waiver.Reason", "Waived.Reason":
		s = n.inContext(s)
	}
	return s
}

// withoutPlaces takes addresses of private networks and paths of machines out of a sentence.
func withoutPlaces(s string) string {
	s = privateAddress.ReplaceAllString(s, "internal address")
	s = localFile.ReplaceAllStringFunc(s, func(found string) string {
		at := strings.IndexAny(found, "/~.")
		return found[:at] + path.Base(found)
	})
	return s
}

var (
	// privateAddress finds addresses of RFC 1918, RFC 6598 and RFC 3927. It is used in prose only: a version may look the same.
	privateAddress = regexp.MustCompile(`\b(10(\.\d{1,3}){3}|192\.168(\.\d{1,3}){2}|172\.(1[6-9]|2\d|3[01])(\.\d{1,3}){2}|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])(\.\d{1,3}){2}|169\.254(\.\d{1,3}){2})\b`)
	// localFile finds paths that start at the root, at home or at the directory of the stack file.
	localFile = regexp.MustCompile(`(^|[\s"'(=“])(~|\.\.?)?/[^\s"'():;,“”]+`)
)

// proseField reports whether a field holds sentences about the run, where addresses and paths of the operator's machines
// may stand.
func proseField(field string) bool {
	switch field {
	case "Finding.Reason", "Finding.Settle", "Explanation.Value", "Ground.Value", "Ground.Says", "Ground.Reason", "Ground.Settle", "Task.Settle", "WhatIfLine.Settle", "Waiver.Reason", "Waived.Reason", "Unseen.What", "Unseen.Reason", "Unseen.Settle", "Unseen.Names",
		"Report.Undecided", "Drift.Detail", "Drift.Open",
		"Project.Failure", "Project.Settle", "Rung.Reason", "Verdict.Ends", "RegionVerdict.Ends", "RegionVerdict.Reason", "Region.Undecided", "Indicator.Reason", "Indicator.Settle", "Artifact.Placed":
		return true
	}
	return false
}

// replace goes through s once, so that a placeholder is never replaced again; at each word the longest name wins.
func (n internal) replace(s string) string {
	lower := lowerASCII(s)
	var b strings.Builder
	for i := 0; i < len(s); {
		name, ok := n.at(lower, i)
		if !ok {
			b.WriteByte(s[i])
			i++
			continue
		}
		b.WriteString(n.placeholder[name])
		i += len(name)
	}
	return b.String()
}

// at returns the longest name that begins at i and ends with a word.
func (n internal) at(lower string, i int) (string, bool) {
	if i > 0 && wordByte(lower[i-1]) {
		return "", false
	}
	end := wordEnd(lower, i)
	longest, found := n.longest[lower[i:end]]
	if !found {
		return "", false
	}
	name := ""
	for end = max(end, i+1); end <= len(lower) && end-i <= longest; end++ {
		if end < len(lower) && wordByte(lower[end]) {
			continue
		}
		if _, known := n.placeholder[lower[i:end]]; known {
			name = lower[i:end]
		}
	}
	return name, name != ""
}

// wordEnd is where the word that begins at i ends; i, if none does.
func wordEnd(s string, i int) int {
	for i < len(s) && wordByte(s[i]) {
		i++
	}
	return i
}

func wordByte(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80 }

// lowerASCII lowers A to Z only, so that positions stay the same.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
