// Package source reads inventories: each kind of source has one file and one line in kinds below. Sources reach servers
// only through the connections that Options.Network opens, and never write to them. What they read is input by strangers:
// sizes, counts and depths are limited, names in it never become paths outside the folder given, and a broken part costs
// that part only. Environment variables, arguments and secrets of what they look at are never read into an inventory.
package source

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Options are what every source is given.
type Options struct {
	Keep    audit.Keep                         // stores what was read; nil keeps nothing
	Measure func(document []byte) sbom.Quality // of an SBOM by a builder; nil measures none
	At      time.Time                          // assessed_at, the moment of every origin
	Network Network                            // how servers are reached; the zero value reaches none
	TempDir string                             // for images that are pulled or exported; the system's if empty
	// Getenv reads the environment, for the standard places of credentials (DOCKER_CONFIG, HOME, SSH_AUTH_SOCK); nil: it is empty.
	Getenv func(string) string
	// PublishInput lets the input files themselves into the bundle. Without it only their digests are kept, because an
	// operator's files may hold what is nobody's business.
	PublishInput bool
}

// Network is how sources reach servers. Addresses are checked where the connection is made (package web), so that names
// and redirects cannot lead elsewhere.
type Network struct {
	// Dial opens a connection if the address may be reached; nil: the run is offline and no source asks anybody.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Local opens a connection to a Unix socket of this machine; nil: not allowed, e.g. offline.
	Local func(ctx context.Context, path string) (net.Conn, error)
	Proxy func(*http.Request) (*url.URL, error) // nil: no proxy
	Roots *x509.CertPool                        // certificate authorities; nil: those of the system
}

// errOffline is the reason of every source that would have to ask a server in an offline run.
var errOffline = errors.New("the run is offline")

// withheld is the reason that the bundle gives for input files it does not hold.
const withheld = "input file of the operator"

// kind is one kind of source: its key in stack.yaml, the keys of its mapping, and how to make one.
type kind struct {
	key    string
	fields fields
	decode func(values, Options) (sbom.Source, error)
}

// kinds lists every kind of source. A new one is a new file and a line here.
func kinds() []kind {
	return []kind{
		{"osism", fields{"release": required, "images": optional, "sbom": optional}, decodeOSISM},
		{"scs-release", fields{"file": required}, decodeSCSRelease},
		{"configuration", fields{"repository": required}, decodeConfiguration},
		{"kolla", fields{"globals": required, "inventory": optional}, decodeKolla},
		{"chart", fields{"path": required}, decodeChart},
		{"cluster-stack", fields{"release": required}, decodeClusterStack},
		{"containers", containersFields(), decodeContainers},
		{"kubernetes", kubeFields(), decodeKubernetes},
		{"helm", fields{"releases": required, "exclude": list}, decodeHelm},
		{"ceph", cephFields(), decodeCeph},
		{"host", fields{"root": optional, "dpkg": optional, "rpm": optional, "apk": optional, "os_release": optional, "kernel": optional, "name": optional}, decodeHost},
		{"inventory", fields{"file": list}, decodeInventory},
		{"image", fields{"ref": required, "tier": optional, "platform": optional, "mirror": optional, "insecure": flag}, decodeImage},
		{"registry", fields{"pull": required, "platform": optional, "mirrors": list, "insecure": list}, decodeRegistry},
		{"sbom", fields{"file": required, "tier": optional}, decodeBOM},
		{"crosscheck", crosscheckFields(), decodeCrosscheck},
	}
}

// Kinds returns the keys that an entry of sources may have.
func Kinds() []string {
	var out []string
	for _, k := range kinds() {
		out = append(out, k.key)
	}
	return out
}

// Decode makes the source that one entry of sources: in stack.yaml describes, e.g. "osism: {release: ./release/9.0.0}".
// Relative paths start at base, the folder of the stack file. Every error is wrong input by the author of the file and
// names line, column and what would be right. Nothing is read yet.
func Decode(node *yaml.Node, base string, opt Options) (sbom.Source, error) {
	if node == nil {
		return nil, errors.New("the entry is missing")
	}
	if node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		node = node.Content[0]
	}
	if node.Kind != yaml.MappingNode || len(node.Content) != 2 {
		return nil, at(node, "a source is a mapping with one key, one of %s", strings.Join(Kinds(), ", "))
	}
	key := node.Content[0]
	i := slices.IndexFunc(kinds(), func(k kind) bool { return k.key == key.Value })
	if i < 0 {
		return nil, at(key, "unknown source %q%s", key.Value, didYouMean(key.Value, Kinds()))
	}
	k := kinds()[i]
	v, err := readFields(node.Content[1], k.key, k.fields)
	if err != nil {
		return nil, err
	}
	v.base = base
	return k.decode(v, opt)
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// nothingRead is what a source returns that could read nothing at all: the error tells the first failure, and the
// inventory keeps those of other files or servers, so that each is named.
func nothingRead(failures []sbom.Failure, format string, args ...any) (sbom.Inventory, error) {
	return sbom.Inventory{Failures: failures[min(1, len(failures)):]}, fmt.Errorf(format, args...)
}

// keepInput hands the bytes of an input file to the bundle and returns their digest.
func keepInput(ctx context.Context, opt Options, name, mediaType string, data []byte, origin audit.Origin) (audit.Digest, error) {
	if opt.Keep == nil {
		return audit.DigestOf(data), nil
	}
	b := audit.Blob{Kind: "raw", Name: name, MediaType: mediaType, Source: origin.URL, Data: data, Origin: origin}
	if !opt.PublishInput {
		b.Withheld = withheld
	}
	return opt.Keep(ctx, b)
}

// shown returns a path as reports may show it: as it was written if it is relative, else its last part, because a path
// of this machine is nobody's business.
func shown(written string) string {
	if filepath.IsAbs(written) && filepath.Clean(written) != string(filepath.Separator) {
		return cmp.Or(strings.Trim(path.Base(filepath.ToSlash(written)), "/"), "root")
	}
	return written
}

// shownRef is shown for "oci:DIRECTORY" and "oci-archive:FILE".
func shownRef(ref string) string {
	form, name, ok := strings.Cut(ref, ":")
	if !ok {
		return ref
	}
	return form + ":" + shown(name)
}

// reason returns an error as text without the path of this machine that package os puts into it.
func reason(err error) string {
	if pe := (*pathError)(nil); errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

func sortInventory(inv sbom.Inventory) sbom.Inventory {
	slices.SortFunc(inv.Artifacts, func(a, b sbom.Artifact) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(inv.Failures, func(a, b sbom.Failure) int {
		return cmp.Or(cmp.Compare(a.Origin.Path, b.Origin.Path), cmp.Compare(a.Origin.Line, b.Origin.Line), cmp.Compare(a.Reason, b.Reason))
	})
	return inv
}
