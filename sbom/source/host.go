package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// maxOSRelease bounds os-release; a real one has half a kilobyte.
const maxOSRelease = 64 << 10

// dpkgStatus is where Debian and Ubuntu keep the list of installed packages.
const dpkgStatus = "var/lib/dpkg/status"

// host is a root directory: of this machine, or of another one that is mounted or copied here. Symbolic links inside it
// are followed inside it only.
type host struct {
	root string // as written
	dir  string // on this machine
	name string
	opt  Options
}

func decodeHost(v values, opt Options) (sbom.Source, error) {
	name := cmp.Or(v.text["name"], "host")
	if len(name) > 255 || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return nil, at(v.at["name"], "name %q is not letters, digits, dots, dashes and underscores", name)
	}
	return host{root: v.text["root"], dir: v.path(v.text["root"]), name: name, opt: opt}, nil
}

// Name returns the kind and the directory as the stack file gives it.
func (h host) Name() string { return "host " + shown(h.root) }

// Contacts returns the one directory that is read.
func (h host) Contacts() []audit.Contact {
	return []audit.Contact{{Host: "local", Address: h.root, Right: "read", Purpose: "operating system and packages of a host"}}
}

// Inventory returns one artifact. Without a dpkg database it is listed all the same, with a failure: its packages stay
// unknown.
func (h host) Inventory(ctx context.Context) (sbom.Inventory, error) {
	root, err := os.OpenRoot(h.dir)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading host %q: %s; name the root directory of the host, e.g. /", shown(h.root), reason(err))
	}
	defer root.Close()
	inv := sbom.Inventory{Schema: sbom.InventorySchema}
	origin := audit.Origin{Source: "host", At: h.opt.At}
	fail := func(path, settle, why string) {
		o := origin
		o.Path = path
		inv.Failures = append(inv.Failures, sbom.Failure{Source: "host " + h.name, Reason: path + ": " + why, Settle: settle, Origin: o})
	}
	a := sbom.Artifact{ID: "host:" + h.name, Kind: sbom.KindHost, Name: h.name, TierHint: []string{"base"}, HintRule: "source host"}
	name, data, err := osRelease(root)
	if err != nil {
		fail("etc/os-release", "", reason(err))
	} else {
		origin.Path = name
		if origin.Digest, err = keepInput(ctx, h.opt, name, "text/plain", data, origin); err != nil {
			return sbom.Inventory{}, fmt.Errorf("keeping %q as evidence: %w", name, err)
		}
		a.Edition, a.Version = parseOSRelease(data)
		a.Platform = strings.TrimSpace(a.Edition + " " + a.Version)
	}
	a.Sightings = []sbom.Sighting{{Source: "host", Where: h.name, State: sbom.StateRunning, Hosts: []string{h.name}, Replicas: 1, Origin: origin}}
	if info, err := root.Stat(dpkgStatus); err != nil {
		why := reason(err)
		if errors.Is(err, fs.ErrNotExist) {
			why = "it is not there; packages are read from dpkg only"
		}
		fail(dpkgStatus, "give an SBOM of the host: sbom: {file: host.cdx.json}", why)
	} else if !info.Mode().IsRegular() {
		fail(dpkgStatus, "", "it is no regular file")
	}
	inv.Artifacts = []sbom.Artifact{a}
	return sortInventory(inv), nil
}

// Open returns the root directory.
func (h host) Open(_ context.Context, a sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{Artifact: a, Path: h.dir, Form: "root"}, nil
}

// osRelease reads os-release from the first of its two places (os-release(5)). The one in /etc is mostly a link to the
// other, which may be absolute and then leads out of the root, so that the second is asked.
func osRelease(root *os.Root) (name string, data []byte, err error) {
	for _, name = range []string{"etc/os-release", "usr/lib/os-release"} {
		if data, err = readIn(root, name, maxOSRelease); err == nil {
			return name, data, nil
		}
	}
	return name, nil, err
}

// parseOSRelease returns ID and VERSION_ID (os-release(5)): lines of KEY=value, the value perhaps in quotes.
func parseOSRelease(data []byte) (id, version string) {
	for line := range strings.Lines(string(data)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		if len(value) >= 2 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
			value = value[1 : len(value)-1]
		}
		if len(value) > 64 || strings.Trim(strings.ToLower(value), "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" {
			continue
		}
		switch key {
		case "ID":
			id = value
		case "VERSION_ID":
			version = value
		}
	}
	return id, version
}
