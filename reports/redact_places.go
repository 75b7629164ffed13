package reports

import (
	"path"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// This file takes out what is internal by its place in a report rather than by its name.

// after is called with each struct whose strings have been replaced already.
func (n internal) after(ptr any) {
	switch v := ptr.(type) {
	case *audit.Origin:
		*v = publicOrigin(*v)
	case *audit.SubjectRef:
		if host, ok := hostLabel(v.ID); ok {
			v.Name = host
		}
	case *Artifact:
		if host, ok := hostLabel(v.ID); ok && v.Kind == "host" {
			v.Name, v.Reference = host, ""
			for i := range v.Sightings {
				v.Sightings[i].Reference = ""
			}
		}
	case *Project:
		if v.Repo != "" && internalURL(v.Repo) {
			v.Repo = ""
		}
	case *Sighting:
		v.Where = publicWhere(v.Source, v.Where)
	case *Drift:
		n.publicDrift(v)
	case *DriftSide:
		publicSide(v)
	case *Unseen:
		n.publicUnseen(v)
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

// publicOrigin shows an address only if outsiders can reach it, and of a file that they cannot fetch its name only.
func publicOrigin(o audit.Origin) audit.Origin {
	if o.URL != "" {
		if internalURL(o.URL) {
			o.URL, o.Path = "", ""
		}
		return o
	}
	switch o.Source {
	case "osism", "scs-release", "git", "catalogue": // paths inside what is published
	case "image", "software", "bom": // a path inside an artifact, unless it is the artifact itself
		if localPath(o.Path) {
			o.Path = fileName(o.Path)
		}
	default:
		o.Path = publicPath(o.Path)
	}
	return o
}

// publicPath keeps the paths of packages inside a host, and of all others the file name.
func publicPath(p string) string {
	for _, dir := range []string{"usr/", "lib/", "lib64/", "bin/", "sbin/", "var/lib/"} {
		if strings.HasPrefix(strings.TrimPrefix(p, "/"), dir) {
			return p
		}
	}
	if p == "" {
		return ""
	}
	return publicWord(p)
}

// publicSource reports whether the places that a kind of source names are files of a release, a configuration, an image
// or a document. Where a source watches running systems, the place itself (host, cluster, namespace, pod) is internal.
func publicSource(kind string) bool {
	switch kind {
	case "osism", "scs-release", "image", "sbom", "configuration", "kolla", "chart", "cluster-stack":
		return true
	}
	return false
}

// publicWhere keeps places in release manifests, configurations, images and documents, whose paths are cut already.
func publicWhere(source, where string) string {
	if isHostLabel(where) {
		return where
	}
	if !publicSource(source) {
		return hiddenWhere
	}
	return where
}

// fileNames cuts every path in a place to its file name.
func fileNames(where string) string {
	words := strings.Fields(where)
	for i, w := range words {
		words[i] = publicWord(w)
	}
	return strings.Join(words, " ")
}

func publicWord(w string) string {
	if strings.HasPrefix(w, "https://") && !internalURL(w) || !strings.ContainsAny(w, `/\`) {
		return w
	}
	w = strings.ReplaceAll(w, `\`, "/")
	for _, dir := range []string{"host_vars/", "group_vars/"} { // below it stand the names of hosts and groups
		if i := strings.Index("/"+w, "/"+dir); i >= 0 {
			return strings.TrimSuffix(dir, "/")
		}
	}
	return path.Base(w)
}

// publicSide hides the places of one half of a difference by the sources that named them; the side itself does not say
// which source a place is from, its origins do.
func publicSide(v *DriftSide) {
	if _, ok := hostLabel(v.Artifact); ok {
		v.Reference = ""
	}
	for i, where := range v.Where {
		source := ""
		if len(v.Origins) == len(v.Where) {
			source = v.Origins[i].Source
		}
		v.Where[i] = publicWhere(source, where)
	}
}

// publicDrift names a host by its label, also in the sentence about it, where a host may be called like a public word.
func (n internal) publicDrift(v *Drift) {
	host, ok := hostLabel(v.Artifact)
	if !ok {
		return
	}
	if v.Name != "" && !isHostLabel(v.Name) {
		only := internal{placeholder: map[string]string{}, longest: map[string]int{}}
		only.add(v.Name, host)
		name := lowerASCII(v.Name)
		only.longest[name[:wordEnd(name, 0)]] = len(name)
		v.Detail, v.Open = only.replace(v.Detail), only.replace(v.Open)
	}
	v.Name = host
}

// leftOut begins the reason of what the operator left out on purpose.
const leftOut = "left out by the stack file"

// publicName names a source: its kind, and its place only where that tells outsiders nothing.
func publicName(kind, place string) string {
	switch {
	case kind == "host" && isHostLabel(place):
		return place
	case kind == "host" && isHostLabel("host "+place), isHostLabel(place):
		return kind + " " + place
	case publicSource(kind):
		return kind + " " + fileNames(place)
	}
	return kind
}

// publicUnseen shows what was not seen without the names that only insiders know.
func (n internal) publicUnseen(v *Unseen) {
	if m := sourceOf.FindStringSubmatch(v.What); m != nil {
		v.What = m[1] + " " + publicName(m[2], m[3])
	}
	if strings.HasPrefix(v.Reason, leftOut) { // by a rule that may name customers
		v.Reason = leftOut
	}
	if strings.Contains(v.What, "does not know") { // names that only the operator's list knows
		v.Names = nil
	}
	if !namesHosts(*v) {
		return
	}
	for i, name := range v.Names {
		if isHostLabel(name) {
			continue
		}
		v.Names[i] = "host"
		if label := n.hosts[lowerASCII(name)]; label != "" {
			v.Names[i] = label
		}
	}
	slices.Sort(v.Names)
}
