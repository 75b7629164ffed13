package upstream

import (
	"regexp"
	"slices"
	"strings"
)

// maxName is the longest reference or name that is looked at; the OCI distribution API allows 255 characters of path.
const maxName = 1024

// hostPattern admits names, IPv4 and bracketed IPv6 addresses, with an optional port.
var hostPattern = regexp.MustCompile(`^([a-z0-9]+([._-]+[a-z0-9]+)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?$`)

var segmentPattern = regexp.MustCompile(`^[a-z0-9]+([._-]+[a-z0-9]+)*$`)

// repository is an image reference without tag and digest.
type repository struct {
	host string   // lower case; empty if the reference names none, which is Docker Hub by convention
	path []string // at least one segment
}

// String writes the repository as a reference without tag and digest.
func (r repository) String() string {
	if r.host == "" {
		return strings.Join(r.path, "/")
	}
	return r.host + "/" + strings.Join(r.path, "/")
}

// parseRepository splits an image reference. ok is false for what cannot be one, such as an unrendered template.
func parseRepository(ref string) (r repository, ok bool) {
	ref = strings.TrimSpace(ref)
	if ref == "" || len(ref) > maxName {
		return repository{}, false
	}
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		ref = ref[:i]
	}
	path := strings.Split(ref, "/")
	if len(path) > 1 && isHost(path[0]) {
		r.host, path = strings.ToLower(path[0]), path[1:]
		if !hostPattern.MatchString(r.host) {
			return repository{}, false
		}
	}
	for _, segment := range path {
		if !segmentPattern.MatchString(segment) {
			return repository{}, false
		}
	}
	r.path = path
	return r, true
}

// kollaNamespace is the one namespace with a dot, which would else be taken for a host.
const kollaNamespace = "openstack.kolla"

// isHost tells the first segment of a reference from a namespace, as container engines do.
func isHost(segment string) bool {
	return segment != kollaNamespace && (strings.ContainsAny(segment, ".:") || segment == "localhost")
}

// dockerHub reports whether the reference is on Docker Hub.
func (r repository) dockerHub() bool {
	return slices.Contains([]string{"", "docker.io", "index.docker.io", "registry-1.docker.io"}, r.host)
}

// imageEntry is an image name of the catalogue.
type imageEntry struct {
	repository
	component int
	inside    bool    // the tag names the version of something else
	edition   Edition // the edition the image ships; the zero value if none is known
	official  bool    // written library/<name>: an official image of Docker Hub
}

func newImageEntry(name string) (imageEntry, bool) {
	r, ok := parseRepository(name)
	if !ok || r.String() != name {
		return imageEntry{}, false
	}
	e := imageEntry{repository: r}
	if len(r.path) == 2 && r.path[0] == "library" {
		e.path, e.official = r.path[1:], true
	}
	return e, true
}

// mirrorNames are path segments that operators give to copies of public registries. A prefix made only of these, or of
// host names, does not weaken a match.
var mirrorNames = [...]string{"cache", "dockerhub", "docker-hub", "gcr", "ghcr", "google_containers", "hub", "k8s", "kubernetes", "mirror", "mirrors",
	"proxy", "proxy-cache", "quay"}

func isMirrorPrefix(prefix []string) bool {
	for _, segment := range prefix {
		if !slices.Contains(mirrorNames[:], segment) && !isHost(segment) {
			return false
		}
	}
	return true
}

var openstackRelease = regexp.MustCompile(`^20[0-9]{2}\.[12]$`)

// cutBuildNamespace cuts the namespace of kolla or OSISM images from the right end of a path: openstack.kolla, osism,
// kolla, kolla/release or kolla/release/<openstack>.
func cutBuildNamespace(path []string) (prefix []string, namespace string, ok bool) {
	n := len(path)
	switch {
	case n >= 3 && path[n-3] == "kolla" && path[n-2] == "release" && openstackRelease.MatchString(path[n-1]):
		return path[:n-3], "kolla/release/" + path[n-1], true
	case n >= 2 && path[n-2] == "kolla" && path[n-1] == "release":
		return path[:n-2], "kolla/release", true
	case n >= 1 && (path[n-1] == "kolla" || path[n-1] == "osism" || path[n-1] == kollaNamespace):
		return path[:n-1], path[n-1], true
	}
	return nil, "", false
}

// fits compares a reference with an entry from the right. rank orders entries: more matching segments are more specific.
func (e imageEntry) fits(r repository) (m Match, rank int) {
	n := len(r.path) - len(e.path)
	if n < 0 || !slices.Equal(r.path[n:], e.path) {
		return Match{}, 0
	}
	prefix := r.path[:n]
	switch {
	case len(e.path) > 1:
		return e.fitsNamespaced(prefix), len(e.path)
	case e.host != "":
		return e.fitsHome(r, prefix), 1
	}
	return e.fitsBare(r, prefix), 1
}

// fitsNamespaced judges an entry such as hashicorp/vault found under a prefix.
func (e imageEntry) fitsNamespaced(prefix []string) Match {
	name := strings.Join(e.path, "/")
	if isMirrorPrefix(prefix) {
		return Match{Confidence: High, Detail: "path " + name}
	}
	return Match{Confidence: Medium, Detail: "path " + name + " under the unknown prefix " + strings.Join(prefix, "/")}
}

// fitsHome judges an entry that stands at the root of its own registry, such as registry.k8s.io/pause.
func (e imageEntry) fitsHome(r repository, prefix []string) Match {
	name := e.path[0]
	switch {
	case r.host == e.host && len(prefix) == 0, len(prefix) == 1 && prefix[0] == e.host:
		return Match{Confidence: High, Detail: e.host + "/" + name}
	case isMirrorPrefix(prefix):
		return Match{Confidence: Medium, Detail: "name " + name + " of " + e.host + ", taken for a mirror"}
	}
	return foreign(name, prefix)
}

// fitsBare judges an entry without namespace: an official image of Docker Hub, or an image built by kolla or OSISM.
func (e imageEntry) fitsBare(r repository, prefix []string) Match {
	name := e.path[0]
	if before, namespace, ok := cutBuildNamespace(prefix); ok && !e.official {
		if isMirrorPrefix(before) {
			return Match{Confidence: High, Detail: "name " + name + " in " + namespace}
		}
		return Match{Confidence: Medium, Detail: "name " + name + " in " + namespace + " under the unknown prefix " + strings.Join(before, "/")}
	}
	library := len(prefix) > 0 && prefix[len(prefix)-1] == "library"
	if library {
		prefix = prefix[:len(prefix)-1]
	}
	switch {
	case e.official && isMirrorPrefix(prefix) && (library || r.dockerHub() || len(prefix) > 0):
		return Match{Confidence: High, Detail: "official image " + name + " of Docker Hub"}
	case isMirrorPrefix(prefix):
		return Match{Confidence: Medium, Detail: "name " + name + " without a namespace"}
	}
	return foreign(name, prefix)
}

// foreign is the match of a name in a namespace that the catalogue does not know.
func foreign(name string, prefix []string) Match {
	return Match{Confidence: Low, Detail: "only the name " + name + " agrees; the namespace " + strings.Join(prefix, "/") + " is not known and may hold something else"}
}
