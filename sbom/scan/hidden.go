package scan

import (
	"archive/tar"
	"encoding/hex"
	"path"
	"slices"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// dpkgStatus is the database of dpkg.
const dpkgStatus = "/var/lib/dpkg/status"

// hiddenDocs finds copyright files that a later layer removed. The last build step of some images empties /usr/share/doc,
// and the layers below still have the files. A file counts for a package only if dpkg listed the same version when the file
// was taken away: what was there before says nothing about what was installed since.
type hiddenDocs struct {
	view     *view
	versions map[int]map[debKey]bool // packages that dpkg listed below a layer
}

// find returns the copyright file of a package as it was before a layer took it away.
func (h *hiddenDocs) find(d *deb) *hiddenNode {
	if d == nil || d.root != "/" || h.view.tree.hidden == nil {
		return nil
	}
	name := d.name
	for range 3 { // the directory may be a link to that of a sister package
		found := h.views(path.Join("/usr/share/doc", name, "copyright"))
		for _, n := range slices.Backward(found) {
			if n.isRegular() && h.listed(n.by)[d.debKey] {
				return &n
			}
		}
		links := h.views(path.Join("/usr/share/doc", name))
		if len(links) == 0 || links[len(links)-1].entry.typ != tar.TypeSymlink {
			return nil
		}
		name = path.Base(linkTarget(links[len(links)-1].node))
	}
	return nil
}

// views returns what was at a path before it was taken away, and what is there still, the highest layer last.
func (h *hiddenDocs) views(name string) []hiddenNode {
	h.view.trace.path(name)
	out := slices.Clone(h.view.tree.hidden[name])
	if n := h.view.tree.find(name, false); n != nil && n.entry != nil && !n.isDir() {
		out = append(out, hiddenNode{n, len(h.view.tree.layers)})
	}
	return out
}

// listed returns the packages that dpkg listed before layer `by`.
func (h *hiddenDocs) listed(by int) map[debKey]bool {
	if known, ok := h.versions[by]; ok {
		return known
	}
	all := map[debKey]bool{}
	for _, n := range h.views(dpkgStatus) {
		if n.layer >= by || n.by < by || !n.isRegular() {
			continue
		}
		if r, err := h.view.contents(n.node); err == nil {
			debs, err := readStatus(r)
			if err == nil {
				for _, d := range debs {
					all[d.debKey] = true
				}
			}
			_ = r.Close()
		}
	}
	if h.versions == nil {
		h.versions = map[int]map[debKey]bool{}
	}
	h.versions[by] = all
	return all
}

// hiddenLicences returns the claims of the copyright file of a package that a later layer removed.
func (m mapping) hiddenLicences(c *component, h *hiddenDocs) []sbom.LicenceClaim {
	n := h.find(c.deb)
	if n == nil {
		return nil
	}
	claims, source := m.copyrights.of(m.view, n.node)
	c.upstream(n.path, source)
	for i := range claims {
		claims[i].Provenance = sbom.FromHidden
		claims[i].Origin = audit.Origin{
			Source: "layer " + string(m.view.tree.layers[n.layer].diffID), Path: n.path, Digest: audit.Digest("sha256:" + hex.EncodeToString(n.entry.sha256[:])),
		}
	}
	return claims
}
