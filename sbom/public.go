package sbom

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// baseLabel names the image that an image was built from.
const baseLabel = "org.opencontainers.image.base.name"

// Public returns the inventory without names that are nobody's business outside: hosts become host-1, host-2, ... in the
// order of their IDs, and registries that are not known to be public are cut from references, in failures too. Digests
// stay. The map goes from each old ID to the new one, for packages and findings that name it. The inventory given is not
// changed.
func Public(inv Inventory) (Inventory, map[string]string) {
	out := inv
	out.Artifacts = make([]Artifact, 0, len(inv.Artifacts))
	ids := make(map[string]string, len(inv.Artifacts))
	used := map[string]bool{}
	var words []renamed
	hosts, names := 0, map[string]string{}
	sorted := slices.Clone(inv.Artifacts)
	slices.SortFunc(sorted, func(a, b Artifact) int { return strings.Compare(a.ID, b.ID) })
	for _, old := range sorted {
		a := clone(old)
		if a.Kind == KindHost {
			hosts++
			a = publicHost(a, fmt.Sprintf("host-%d", hosts))
			names[old.Name] = a.Name
			words = append(words, renamed{"host " + old.Name, "host " + a.Name, true})
		} else if a = publicImage(a); a.Reference != old.Reference {
			words = append(words, renamed{old.Reference, a.Reference, false})
		}
		for n, id := 2, a.ID; used[a.ID]; n++ {
			a.ID = fmt.Sprintf("%s#%d", id, n) // two mirrors of one path
		}
		used[a.ID], ids[old.ID] = true, a.ID
		out.Artifacts = append(out.Artifacts, a)
	}
	slices.SortFunc(out.Artifacts, func(a, b Artifact) int { return strings.Compare(a.ID, b.ID) })
	out.Failures = publicFailures(inv.Failures, words)
	out.Repositories = publicRepositories(inv.Repositories, names)
	out.Packages = nil // whoever publishes packages gives them with the new IDs
	return out, ids
}

func publicHost(a Artifact, name string) Artifact {
	a.Name, a.ID, a.Reference = name, "host:"+name, ""
	for i := range a.Sightings {
		a.Sightings[i].Where = name
		a.Sightings[i].Origin.Path = ""
	}
	return a
}

func publicImage(a Artifact) Artifact {
	if public := publicReference(a.Reference); public != a.Reference {
		a.ID = strings.Replace(a.ID, a.Reference, public, 1)
		a.Reference = public
	}
	for i, alias := range a.Aliases {
		a.Aliases[i] = publicReference(alias)
	}
	a.Aliases = sortedUnion(nil, a.Aliases)
	if base := a.Labels[baseLabel]; base != "" {
		a.Labels[baseLabel] = publicReference(base)
	}
	return a
}

// renamed is a name that became another one; whole says that it counts only as the whole text.
type renamed struct {
	from, to string
	whole    bool
}

// publicFailures replaces old names by new ones, longer names first.
func publicFailures(failures []Failure, words []renamed) []Failure {
	slices.SortFunc(words, func(a, b renamed) int {
		return cmp.Or(cmp.Compare(len(b.from), len(a.from)), cmp.Compare(a.from, b.from))
	})
	out := slices.Clone(failures)
	for i := range out {
		for _, w := range words {
			switch {
			case w.whole && out[i].Source == w.from:
				out[i].Source = w.to
			case !w.whole:
				out[i].Reason = strings.ReplaceAll(out[i].Reason, w.from, w.to)
			}
		}
	}
	return out
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
