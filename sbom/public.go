package sbom

import (
	"fmt"
	"slices"
	"strings"
)

// Public returns the inventory without names that are nobody's business outside: hosts become host-1, host-2, ... in the
// order of their IDs, and registries that are not known to be public are cut from references. Digests stay. The map goes
// from each old ID to the new one, for packages and findings that name it.
func Public(inv Inventory) (Inventory, map[string]string) {
	out := inv
	out.Artifacts = make([]Artifact, 0, len(inv.Artifacts))
	ids := make(map[string]string, len(inv.Artifacts))
	used := map[string]bool{}
	hosts := 0
	sorted := slices.Clone(inv.Artifacts)
	slices.SortFunc(sorted, func(a, b Artifact) int { return strings.Compare(a.ID, b.ID) })
	for _, a := range sorted {
		a = clone(a)
		old := a.ID
		if a.Kind == KindHost {
			hosts++
			a.Name = fmt.Sprintf("host-%d", hosts)
			a.ID, a.Reference = "host:"+a.Name, ""
			for i := range a.Sightings {
				a.Sightings[i].Where = a.Name
				a.Sightings[i].Origin.Path = ""
			}
		} else {
			a.ID = strings.Replace(a.ID, a.Reference, publicReference(a.Reference), 1)
			a.Reference = publicReference(a.Reference)
			for i, alias := range a.Aliases {
				a.Aliases[i] = publicReference(alias)
			}
			a.Aliases = sortedUnion(nil, a.Aliases)
		}
		for n, id := 2, a.ID; used[a.ID]; n++ {
			a.ID = fmt.Sprintf("%s#%d", id, n) // two mirrors of one path
		}
		used[a.ID], ids[old] = true, a.ID
		out.Artifacts = append(out.Artifacts, a)
	}
	slices.SortFunc(out.Artifacts, func(a, b Artifact) int { return strings.Compare(a.ID, b.ID) })
	return out, ids
}

// publicReference cuts the registry from a reference unless everybody knows it.
func publicReference(reference string) string {
	r, err := ParseReference(reference)
	if err != nil || r.Registry == "" || isPublicRegistry(r.Registry) {
		return reference
	}
	r.Registry = ""
	return r.String()
}

// isPublicRegistry knows the registries that anybody can pull from. A name that merely looks public may still be the
// operator's own, so everything else counts as internal.
func isPublicRegistry(registry string) bool {
	host, _, _ := strings.Cut(registry, ":")
	switch host {
	case "docker.io", "index.docker.io", "quay.io", "ghcr.io", "gcr.io", "registry.k8s.io", "k8s.gcr.io", "mcr.microsoft.com",
		"public.ecr.aws", "registry.gitlab.com", "registry.access.redhat.com", "registry.redhat.io", "registry.opensuse.org",
		"registry.suse.com", "registry.osism.tech", "registry.osism.cloud", "osism.harbor.regio.digital", "registry.scs.community":
		return true
	}
	return false
}
