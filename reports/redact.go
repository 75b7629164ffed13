package reports

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Visibility of a report.
const (
	Public = "public" // internal names are left out
	Full   = "full"   // nothing is
)

const hiddenWhere = "not shown in a public report"

// Redact returns the form of a report that may be published: no host names ("host 1", "host 2" by sorted order), no
// internal registries ("internal registry"), no names of images that come from one and belong to no known project
// ("internal image 1"), no namespaces, no paths beyond the file name. Outcomes, counts and the order of lines stay.
// Redacting twice changes nothing. The report that is given stays as it is.
func Redact(r Report) Report {
	names := internalNames(r)
	out := copyOf(copier{text: names.text, after: names.after}, r)
	out.Visibility = Public
	return out
}

// internal holds the internal strings of one report and what stands for them.
type internal struct {
	placeholder map[string]string // by lower-case internal name
	byFirst     map[byte][]string // the same names by first byte, longest first
}

// publicField reports whether a field holds words of the policy, the catalogue or the program, never of the stack; a host
// called like one of them must not change them. A field that is not listed is searched for internal names.
func publicField(field string) bool {
	switch field {
	case "Report.Schema", "Report.Assurance", "Report.Signers", "Report.Visibility",
		"Subject.Name", "Subject.Kind", "Subject.Exposure", "Subject.Group", "Subject.Operator",
		"Policy.ID", "Policy.Version", "Policy.Digest", "Policy.Status", "Policy.Profile",
		"Tool.Version",
		"Evidence.Digest",
		"Verdict.Scope", "Verdict.Title", "Verdict.Layer", "Verdict.Outcome",
		"Rung.Layer", "Rung.Title", "Rung.State",
		"SubjectRef.Kind", "SubjectRef.Tiers",
		"Finding.Requirement", "Finding.Indicator", "Finding.Title", "Finding.Scopes", "Finding.Severity", "Finding.Missing", "Finding.Remedy", "Finding.Owner", "Finding.Rationale", "Finding.Source",
		"Artifact.Kind", "Artifact.Version", "Artifact.Digest", "Artifact.Tiers", "Artifact.Area", "Artifact.Projects",
		"Sighting.Source",
		"Origin.Source", "Origin.Commit", "Origin.Digest",
		"Component.Project", "Component.Name", "Component.Version", "Component.Edition", "Component.Licence", "Component.LicenceClass", "Component.Provenance", "Component.Tiers", "Component.Area",
		"Project.ID", "Project.Name", "Project.Head", "Project.Role", "Project.Verdict", "Project.Tiers", "Project.Area", "Project.Versions", "Project.Facts",
		"Aspect.Aspect", "Aspect.KnockOuts",
		"Indicator.ID", "Indicator.Aspect", "Indicator.Title", "Indicator.Unit":
		return true
	}
	return false
}

// internalNames finds what a public report must not show.
func internalNames(r Report) internal {
	n := internal{placeholder: map[string]string{}, byFirst: map[byte][]string{}}
	n.addHosts(r)
	n.addRegistries(r)
	n.addImages(r)
	for name := range n.placeholder {
		n.byFirst[name[0]] = append(n.byFirst[name[0]], name)
	}
	for _, list := range n.byFirst {
		slices.SortFunc(list, func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
	}
	return n
}

func (n internal) add(name, placeholder string) {
	name = lowerASCII(name)
	if _, known := n.placeholder[name]; name != "" && !known {
		n.placeholder[name] = placeholder
	}
}

// minName is the least length of a host name that is looked for in prose; "a" and "/" would hit every sentence. Shorter
// ones are replaced where they stand as a host.
const minName = 3

// addHosts numbers the hosts. A host whose name is also a public word (a project, an image) is replaced only where it
// stands as a host, since the word alone tells nobody that there is such a host.
func (n internal) addHosts(r Report) {
	var hosts []Artifact
	for _, a := range r.Artifacts {
		if a.Kind == "host" {
			hosts = append(hosts, a)
		}
	}
	slices.SortStableFunc(hosts, func(a, b Artifact) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	words := publicWords(r)
	for i, a := range hosts {
		label := numbered("host", i, len(hosts))
		n.add(a.ID, "host:"+label)
		full := strings.TrimPrefix(a.ID, "host:")
		short, domain, _ := strings.Cut(a.Name, ".")
		for _, name := range []string{full, a.Name, a.Reference, short} {
			if len(name) >= minName && !words[lowerASCII(name)] {
				n.add(name, label)
			}
		}
		if strings.Contains(domain, ".") {
			n.add(domain, "internal domain")
		}
	}
}

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
	return words
}

func (n internal) addRegistries(r Report) {
	found := map[string]bool{}
	for _, a := range r.Artifacts {
		for _, ref := range []string{a.Reference, strings.TrimPrefix(a.ID, "image:")} {
			if host := registryOf(ref); host != "" && a.Kind != "host" && !isPublicRegistry(host) {
				found[lowerASCII(host)] = true
			}
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
	for _, a := range r.Artifacts {
		if internalImage(a) {
			names[imagePath(a.Reference)] = true
		}
	}
	for _, a := range r.Artifacts {
		if localPath(a.Reference) && a.Kind != "host" {
			n.add(a.Reference, path.Base(strings.ReplaceAll(a.Reference, `\`, "/")))
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
		if internalImage(a) && !words[lowerASCII(a.Name)] {
			n.add(a.Name, n.placeholder[lowerASCII(imagePath(a.Reference))])
		}
	}
}

func internalImage(a Artifact) bool {
	host := registryOf(a.Reference)
	return a.Kind != "host" && len(a.Projects) == 0 && host != "" && !isPublicRegistry(host)
}

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
	if publicField(field) {
		return s
	}
	s = n.replace(s)
	if proseField(field) {
		s = privateAddress.ReplaceAllString(s, "internal address")
		s = localFile.ReplaceAllStringFunc(s, func(found string) string {
			at := strings.IndexAny(found, "/~.")
			return found[:at] + path.Base(found)
		})
	}
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
	case "Finding.Reason", "Finding.Settle", "Unseen.What", "Unseen.Reason", "Unseen.Settle", "Unseen.Names", "Report.Drift",
		"Project.Failure", "Project.Settle", "Rung.Reason", "Verdict.Ends", "Indicator.Reason", "Indicator.Settle", "Artifact.Placed":
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

func (n internal) at(lower string, i int) (string, bool) {
	if i > 0 && wordByte(lower[i-1]) {
		return "", false
	}
	for _, name := range n.byFirst[lower[i]] {
		end := i + len(name)
		if strings.HasPrefix(lower[i:], name) && (end == len(lower) || !wordByte(lower[end])) {
			return name, true
		}
	}
	return "", false
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

// after takes out what is internal by its place rather than by its name.
func (n internal) after(ptr any) {
	switch v := ptr.(type) {
	case *audit.Origin:
		if v.URL != "" && internalURL(v.URL) {
			v.URL, v.Path = "", ""
		}
	case *audit.SubjectRef:
		if host, ok := hostLabel(v.ID); ok {
			v.Name = host
		}
	case *Artifact:
		if host, ok := hostLabel(v.ID); ok && v.Kind == "host" {
			v.Name, v.Reference = host, ""
		}
	case *Project:
		if v.Repo != "" && internalURL(v.Repo) {
			v.Repo = ""
		}
	case *Sighting:
		v.Where = publicWhere(*v)
	}
}

// hostLabel returns "host 1" of the id "host:host 1".
func hostLabel(id string) (string, bool) {
	label, ok := strings.CutPrefix(id, "host:")
	return label, ok && isHostLabel(label)
}

func isHostLabel(s string) bool {
	number, ok := strings.CutPrefix(s, "host ")
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}

// publicWhere keeps file names of release manifests, images and documents. Where a source watches running systems, the
// place itself (host, cluster, namespace, pod) is internal.
func publicWhere(s Sighting) string {
	switch s.Source {
	case "osism", "image", "sbom":
		words := strings.Fields(s.Where)
		for i, w := range words {
			words[i] = publicWord(w)
		}
		return strings.Join(words, " ")
	}
	if isHostLabel(s.Where) {
		return s.Where
	}
	return hiddenWhere
}

func publicWord(w string) string {
	if strings.HasPrefix(w, "https://") && !internalURL(w) || !strings.ContainsAny(w, `/\`) {
		return w
	}
	return path.Base(strings.ReplaceAll(w, `\`, "/"))
}
