package reports

import (
	"cmp"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// This file finds the names of hosts, namespaces and workloads in a report, and what stands for them.

// machine is one host of a report with the names that it goes by.
type machine struct {
	key   string // by which machines are numbered: the name in lower case
	id    string // of its artifact, if it has one
	names []string
}

// machines lists every host that a report names, as artifact, in sightings or as missing, sorted. A short name and a full
// one mean the same machine where only one full name begins so and the short one is no artifact of its own.
func machines(r Report) []*machine {
	var out []*machine
	byName := map[string]*machine{}
	put := func(m *machine) {
		out = append(out, m)
		for _, name := range m.names {
			if _, taken := byName[lowerASCII(name)]; !taken && name != "" {
				byName[lowerASCII(name)] = m
			}
		}
	}
	for _, a := range r.Artifacts {
		if a.Kind == "host" {
			put(&machine{key: lowerASCII(a.Name), id: a.ID, names: []string{a.Name, strings.TrimPrefix(a.ID, "host:"), a.Reference}})
		}
	}
	mentioned := hostsMentioned(r)
	for _, name := range mentioned { // full names before the short ones that may mean them
		if byName[name] == nil && shortName(name) != name {
			if m := byName[shortName(name)]; m != nil && sole(name, mentioned, byName) {
				m.names = append(m.names, name)
				byName[name] = m
				continue
			}
			put(&machine{key: name, names: []string{name}})
		}
	}
	byShort := map[string][]*machine{}
	for _, m := range out {
		if short := shortName(m.key); short != m.key {
			byShort[short] = append(byShort[short], m)
		}
	}
	for _, name := range mentioned {
		if byName[name] != nil {
			continue
		}
		if same := byShort[name]; len(same) == 1 {
			same[0].names = append(same[0].names, name)
			byName[name] = same[0]
			continue
		}
		put(&machine{key: name, names: []string{name}})
	}
	slices.SortStableFunc(out, func(a, b *machine) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.id, b.id)) })
	return out
}

// sole reports whether no other full name begins with the same short one.
func sole(full string, mentioned []string, byName map[string]*machine) bool {
	same := func(name string) bool {
		return name != full && shortName(name) != name && shortName(name) == shortName(full)
	}
	if slices.ContainsFunc(mentioned, same) {
		return false
	}
	for name := range byName {
		if same(name) {
			return false
		}
	}
	return true
}

// hostsMentioned are the hosts that sightings, lists of missing hosts and waivers name, in lower case, sorted, each once.
func hostsMentioned(r Report) []string {
	set := map[string]bool{}
	for _, a := range r.Artifacts {
		for _, s := range a.Sightings {
			for _, name := range s.Hosts {
				set[lowerASCII(name)] = true
			}
		}
	}
	for _, u := range r.NotSeen {
		if namesHosts(u) {
			for _, name := range u.Names {
				set[lowerASCII(name)] = true
			}
		}
	}
	for _, w := range r.Waivers { // it may be about something that is no longer there
		if name, ok := strings.CutPrefix(w.Subject, "host:"); ok && !strings.HasPrefix(name, "host ") {
			set[lowerASCII(name)] = true
		}
	}
	delete(set, "")
	return slices.Sorted(maps.Keys(set))
}

// namesHosts reports whether the names of something unseen are hosts.
func namesHosts(u Unseen) bool {
	return slices.ContainsFunc(strings.Fields(lowerASCII(u.What)), func(w string) bool { return w == "host" || w == "hosts" })
}

// shortName is a host name without its domain; an address has none.
func shortName(name string) string {
	if _, err := netip.ParseAddr(name); err == nil {
		return name
	}
	short, _, _ := strings.Cut(name, ".")
	return short
}

// addHosts numbers the hosts. A host whose name is also a public word (a project, an image) is replaced only where it
// stands as a host, since the word alone tells nobody that there is such a host.
func (n internal) addHosts(r Report, words map[string]bool) {
	list := machines(r)
	for i, m := range list {
		label := numbered("host", i, len(list))
		if m.id != "" {
			n.add(m.id, "host:"+label)
		}
		for _, name := range m.names {
			if _, known := n.hosts[lowerASCII(name)]; !known && name != "" {
				n.hosts[lowerASCII(name)] = label
			}
			n.addWord(name, label, words)
		}
	}
	for i, m := range list {
		for _, name := range m.names {
			short := shortName(name)
			if strings.Trim(short, "0123456789") != "" {
				n.addWord(short, numbered("host", i, len(list)), words)
			}
			if _, domain, _ := strings.Cut(name, "."); short != name && strings.Contains(domain, ".") {
				n.add(domain, "internal domain")
			}
		}
	}
}

// addNamespaces numbers the namespaces. In prose only those are looked for whose name tells something.
func (n internal) addNamespaces(r Report, words map[string]bool) {
	set := map[string]bool{}
	for _, a := range r.Artifacts {
		for _, s := range a.Sightings {
			if s.Namespace != "" {
				set[lowerASCII(s.Namespace)] = true
			}
		}
	}
	for i, name := range slices.Sorted(maps.Keys(set)) {
		n.namespaces[name] = numbered("namespace", i, len(set))
		n.addWord(name, n.namespaces[name], words)
	}
}

// plainWords are words that a namespace or a workload may be called by chance, and that tell nobody anything: those of the
// program's own sentences, of the criteria, and names that every cluster has.
func plainWords(r Report) map[string]bool {
	words := map[string]bool{}
	take := func(text string) {
		words[lowerASCII(text)] = true
		for _, w := range strings.FieldsFunc(lowerASCII(text), func(c rune) bool { return c < 0x80 && !wordByte(byte(c)) }) {
			words[w] = true
		}
	}
	take(ownWords)
	for _, name := range strings.Fields(usualNamespaces) {
		words[name] = true
	}
	for _, f := range r.Findings {
		take(f.Title)
		take(f.Remedy)
		take(f.Rationale)
	}
	for _, c := range r.Components {
		take(c.Project)
		take(c.Area)
	}
	for _, p := range r.Projects {
		for _, i := range p.Indicators {
			take(i.Title)
		}
	}
	for _, a := range r.Artifacts {
		for _, s := range a.Sightings {
			take(s.Source)
		}
	}
	for ref := range named(r) { // the parts of public references
		if host := registryOf(ref); !localPath(ref) && (host == "" || PublicRegistry(host)) {
			for _, part := range strings.FieldsFunc(ref, func(c rune) bool { return strings.ContainsRune("/:@", c) }) {
				words[lowerASCII(part)] = true
			}
		}
	}
	return words
}

// usualNamespaces are namespaces of products that anybody can install, and names that tell nothing.
const usualNamespaces = `default kube-system kube-public kube-node-lease kubernetes-dashboard openstack openstack-operators ceph rook rook-ceph kolla kolla-ansible
cert-manager monitoring logging observability ingress ingress-nginx ingress-system traefik metallb metallb-system calico-system
calico-apiserver tigera-operator cilium flux-system argocd argo-cd gatekeeper-system kyverno velero longhorn-system harbor
keycloak capi-system capo-system capi-operator-system capi-kubeadm-bootstrap-system capi-kubeadm-control-plane-system cso-system
orc-system cluster cluster-system mgmt management prometheus grafana loki vault istio-system knative-serving local-path-storage
k3s k8s.io moby docker podman containerd local yaook infra system network storage compute security backup database api app apps data web dev test testing prod
production stage staging public private internal`

// ownWords are the words of the program's own sentences about sources, drift and coverage.
const ownWords = `a an and as at but by can for from had has have in is it its no not of on one only or other so than that the
them then they this to was were when where which with all also another answer any artifact artifacts because before being both
branch build built certain chart cloud cluster collect compare compared component components configuration container containers
contents count could day declared declares difference differs digest digests disabled domain enabled ended every fact fetch file
files found give host hosts image images in instead intent internal key known latest layer licence line list lists look looked
made maintained maintenance manifest many missing more name named names namespace namespaces network newest nobody node nodes
nothing number object objects offers older open operator out package packages part path pinned place placed places pod pods
policy project projects public read reading reason refused registry release released reports rule run running runs same scan seen
series server service services shall side sides something source sources stack state stopped store tag tags tier told tool unknown
until upstream version versions whatever whether without workload workloads`

// addWorkloads hides the names of workloads and containers, which may be those of customers.
func (n internal) addWorkloads(r Report, words map[string]bool) {
	for _, a := range r.Artifacts {
		for _, s := range a.Sightings {
			name := s.Workload
			if _, after, ok := strings.Cut(name, "/"); ok {
				name = after
			}
			if isWorkloadKind(name) || words[strings.ReplaceAll(lowerASCII(name), "_", "-")] {
				continue
			}
			n.addWord(name, "internal workload", words)
		}
	}
}

var workloadKinds = [...]string{"CronJob", "DaemonSet", "Deployment", "Job", "Node", "Pod", "ReplicaSet", "StatefulSet", "container", "workload"}

func isWorkloadKind(s string) bool { return slices.Contains(workloadKinds[:], s) }

// workloadKind is what a public report says of "Deployment/billing": its kind.
func workloadKind(workload string) string {
	kind, _, _ := strings.Cut(workload, "/")
	if workload == "" || isWorkloadKind(kind) {
		return kind
	}
	return "workload"
}

// sourceOf matches how the program names a source among what was not seen: "source host ctl01", "12 pods of kubernetes east".
var sourceOf = regexp.MustCompile(`^(source|\d+ [a-z]+ of) ([a-z][a-z-]*) (.+)$`)

// unseenSource returns kind and address of the source that a line about something unseen names.
func unseenSource(what string) (kind, place string, ok bool) {
	m := sourceOf.FindStringSubmatch(what)
	if m == nil {
		return "", "", false
	}
	return m[2], m[3], true
}

// addPlaces hides the addresses of sources that could not be read or left something out, and the names of clusters.
func (n internal) addPlaces(r Report, words map[string]bool) {
	for _, u := range r.NotSeen {
		kind, place, ok := unseenSource(u.What)
		if !ok || publicSource(kind) || isHostLabel(place) || isHostLabel("host "+place) {
			continue
		}
		for _, w := range strings.FieldsFunc(place, func(c rune) bool { return strings.ContainsRune(" ()\"',;", c) }) {
			n.addWord(w, "internal place", words)
			stem, _, _ := strings.Cut(fileName(w), ".")
			for _, name := range []string{fileName(w), stem} { // "ctl-07.json" may be a host, "pods.json" is none
				if strings.ContainsAny(name, "0123456789-") {
					n.addWord(name, "internal place", words)
				}
			}
		}
	}
	for _, a := range r.Artifacts {
		for _, s := range a.Sightings {
			if cluster, _, ok := strings.Cut(s.Where, ", "); ok && s.Source == "kubernetes" {
				n.addWord(cluster, "internal place", words)
			}
		}
	}
}

var (
	// doubled finds a label after the word that it begins with: "in namespace namespace 1".
	doubled = regexp.MustCompile(`\b(host|node|namespace) ["'“]?(host|namespace) (\d+)["'”]?`)
	// inNamespace finds a namespace that is named as one, whatever it is called.
	inNamespace = regexp.MustCompile(`\b(in|of|from|to|for) (the )?namespace (["'“]?)([A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]|[A-Za-z])(["'”]?)`)
	// called finds things that are named as such by a word that is no English one: it holds a digit, a dash or the like.
	called = regexp.MustCompile(`\b(the )?(namespace|node|pod|host) (["'“]?)([A-Za-z][A-Za-z0-9]*[._0-9-][A-Za-z0-9._-]*[A-Za-z0-9]|[A-Za-z]+[0-9])(["'”]?)`)
)

// inContext takes out names that are unknown to the report and stand where only a name can stand. What stands for one may
// follow the word before it ("node pod x-1"), so that it goes on until nothing changes; each step leaves fewer such words.
func (n internal) inContext(s string) string {
	for {
		next := n.inContextOnce(s)
		if next == s {
			return s
		}
		s = next
	}
}

func (n internal) inContextOnce(s string) string {
	s = doubled.ReplaceAllString(s, "$2 $3")
	s = inNamespace.ReplaceAllStringFunc(s, func(found string) string {
		m := inNamespace.FindStringSubmatch(found)
		if strings.Trim(m[4], "0123456789") == "" { // a label
			return found
		}
		return m[1] + " " + cmp.Or(n.namespaces[lowerASCII(m[4])], "a namespace")
	})
	return called.ReplaceAllStringFunc(s, func(found string) string {
		m := called.FindStringSubmatch(found)
		name := lowerASCII(m[4])
		if m[2] == "namespace" && n.namespaces[name] != "" {
			return n.namespaces[name]
		}
		if n.hosts[name] != "" && (m[2] == "host" || m[2] == "node") {
			return n.hosts[name]
		}
		return "a " + m[2]
	})
}
