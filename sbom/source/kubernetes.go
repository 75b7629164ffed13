package source

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of what is asked of one cluster.
const (
	kubeTimeout     = time.Minute // for one request, unless the entry says otherwise
	kubeMaxTimeout  = 10 * time.Minute
	kubeDeadline    = 20 // requests' time that one cluster may take in all
	kubeMaxContexts = 64
)

// kubeRight is the least right that a live read needs; docs/rights/kubernetes.yaml is the role.
const kubeRight = "list on pods, nodes, replicasets, jobs (cluster-wide), and on objects of cluster.x-k8s.io, " +
	"controlplane.cluster.x-k8s.io, clusterstack.x-k8s.io where present (docs/rights/kubernetes.yaml)"

// kubernetes is one or several clusters that a kubeconfig names, or one cluster whose objects were saved as files. Both
// ways go through the same reduction (kubernetes_read.go): what it drops, e.g. environment and arguments of containers,
// nothing here can see.
type kubernetes struct {
	kubeconfig string   // as written; empty if files are read
	contexts   []string // as written; empty: the current one
	pods       []string // files as written
	nodes      []string
	objects    []string
	cluster    string // what the operator calls the cluster
	rules      kubeRules
	timeout    time.Duration
	exec       bool // programs named by the kubeconfig may run
	insecure   bool // certificates need not be checked if the kubeconfig says so
	ca         string
	proxy      *url.URL
	path       func(string) string
	opt        Options
}

// kubeFields are the keys of an entry.
func kubeFields() fields {
	return fields{"kubeconfig": optional, "contexts": list, "pods": list, "nodes": list, "objects": list, "cluster": optional,
		"namespaces": list, "exclude": list, "selector": optional, "timeout": optional, "exec": flag, "insecure_tls": flag,
		"ca": optional, "proxy": optional}
}

func decodeKubernetes(v values, opt Options) (sbom.Source, error) {
	way, err := v.exactlyOne("kubernetes", "kubeconfig", "pods")
	if err != nil {
		return nil, err
	}
	other := []string{"contexts", "timeout", "exec", "insecure_tls", "ca", "proxy"}
	if way == "kubeconfig" {
		other = []string{"nodes", "objects"}
	}
	for _, key := range other {
		if v.has(key) {
			return nil, at(v.at[key], "%s of kubernetes does not go with %s", key, way)
		}
	}
	s := kubernetes{kubeconfig: v.text["kubeconfig"], contexts: v.lists["contexts"], pods: v.lists["pods"], nodes: v.lists["nodes"],
		objects: v.lists["objects"], cluster: v.text["cluster"], exec: v.flags["exec"], insecure: v.flags["insecure_tls"],
		ca: v.text["ca"], path: v.path, opt: opt}
	for _, check := range []func(values) error{s.checkNames, s.readRules, s.readConnection} {
		if err := check(v); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *kubernetes) checkNames(v values) error {
	if v.has("cluster") && !kubeName(s.cluster) {
		return at(v.at["cluster"], "cluster %q is not letters, digits, dots, dashes, colons and underscores", s.cluster)
	}
	if v.has("cluster") && len(s.contexts) > 1 {
		return at(v.at["cluster"], "cluster names one cluster, contexts has %d; write one entry for each", len(s.contexts))
	}
	if len(s.contexts) > kubeMaxContexts {
		return at(v.at["contexts"], "contexts has more than %d names", kubeMaxContexts)
	}
	for i, name := range s.contexts {
		if slices.Contains(s.contexts[:i], name) {
			return at(v.at["contexts"], "contexts names %q twice", name)
		}
	}
	return nil
}

// readRules reads what limits the view.
func (s *kubernetes) readRules(v values) error {
	s.rules = kubeRules{namespaces: v.lists["namespaces"], exclude: v.lists["exclude"]}
	for _, name := range s.rules.namespaces {
		if !kubeName(name) {
			return at(v.at["namespaces"], "namespace %q is not letters, digits, dots, dashes, colons and underscores", name)
		}
	}
	for _, pattern := range s.rules.exclude {
		if _, err := path.Match(pattern, ""); err != nil {
			return at(v.at["exclude"], "pattern %q cannot be read; write e.g. customer-*", pattern)
		}
	}
	key, value, equal := strings.Cut(v.text["selector"], "=")
	if v.has("selector") && (key == "" || strings.ContainsAny(v.text["selector"], " ,!()") || strings.Contains(value, "=")) {
		return at(v.at["selector"], "selector %q is neither a label nor label=value", v.text["selector"])
	}
	s.rules.label, s.rules.value, s.rules.equal = key, value, equal
	return nil
}

// readConnection reads how the servers are reached.
func (s *kubernetes) readConnection(v values) error {
	s.timeout = kubeTimeout
	if text, ok := v.text["timeout"]; ok {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 || d > kubeMaxTimeout {
			return at(v.at["timeout"], "timeout %q is no time of at most %s, e.g. 30s", text, kubeMaxTimeout)
		}
		s.timeout = d
	}
	if text, ok := v.text["proxy"]; ok {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.User != nil || !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme) {
			return at(v.at["proxy"], "proxy is no address such as http://proxy.example.org:3128 without credentials")
		}
		s.proxy = u
	}
	return nil
}

// Name returns the kind and what is read as the stack file gives it.
func (s kubernetes) Name() string {
	if s.kubeconfig != "" {
		return "kubernetes " + shown(s.kubeconfig)
	}
	return "kubernetes " + shown(s.pods[0])
}

// Contacts returns the servers that the kubeconfig names, or the files that are read.
func (s kubernetes) Contacts() []audit.Contact {
	if s.kubeconfig != "" {
		return s.liveContacts()
	}
	var out []audit.Contact
	for _, name := range slices.Concat(s.pods, s.nodes, s.objects) {
		out = append(out, audit.Contact{Host: "local", Address: name, Right: "read", Purpose: "saved objects of a Kubernetes cluster"})
	}
	return out
}

// Open returns ErrNoContents: an API server knows of images but does not hold them.
func (s kubernetes) Open(context.Context, sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{}, sbom.ErrNoContents
}

// Inventory reads every cluster. One that cannot be read becomes a failure; if none can, that is the error.
func (s kubernetes) Inventory(ctx context.Context) (sbom.Inventory, error) {
	clusters, err := s.read(ctx)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading kubernetes %q: %w", strings.TrimPrefix(s.Name(), "kubernetes "), err)
	}
	var parts []sbom.Inventory
	read := false
	for _, c := range clusters {
		read = read || c.answered
		inv, err := c.inventory(ctx)
		if err != nil {
			return sbom.Inventory{}, err
		}
		parts = append(parts, inv)
	}
	inv := sortInventory(sbom.Merge(parts...))
	if err := ctx.Err(); err != nil {
		return sbom.Inventory{}, err
	}
	if !read {
		return nothingRead(inv.Failures, "reading kubernetes %q: %s", strings.TrimPrefix(s.Name(), "kubernetes "), kubeReason(inv))
	}
	return inv, nil
}

func kubeReason(inv sbom.Inventory) string {
	if len(inv.Failures) == 0 {
		return "nothing could be read"
	}
	f := inv.Failures[0]
	if f.Settle == "" {
		return f.Reason
	}
	return f.Reason + "; " + f.Settle
}

func (s kubernetes) read(ctx context.Context) ([]*kubeCluster, error) {
	if s.kubeconfig != "" {
		return s.readLive(ctx)
	}
	return []*kubeCluster{s.readFiles(ctx)}, nil
}

// kubeRules say what is left out: only these namespaces, none that match these patterns, no object with this label.
type kubeRules struct {
	namespaces []string
	exclude    []string
	label      string
	value      string
	equal      bool // the label must have the value; else it must only be there
}

// any reports whether anything is left out at all.
func (r kubeRules) any() bool { return len(r.namespaces) > 0 || len(r.exclude) > 0 || r.label != "" }

// omits returns the rule that leaves an object out, or nothing. Objects without a namespace are never left out.
func (r kubeRules) omits(o *kubeObject) (why string, namespace bool) {
	name := o.Metadata.Namespace
	if name == "" {
		return "", false
	}
	if len(r.namespaces) > 0 && !slices.Contains(r.namespaces, name) {
		return "namespaces that the entry does not list", true
	}
	for _, pattern := range r.exclude {
		if ok, err := path.Match(pattern, name); ok && err == nil {
			return "namespaces that match " + pattern, true
		}
	}
	if value, ok := o.Metadata.Labels[r.label]; ok && r.label != "" && (!r.equal || value == r.value) {
		return "label " + r.label, false
	}
	return "", false
}

// kubeCluster collects what was read of one cluster.
type kubeCluster struct {
	source   kubernetes
	name     string // as sightings name it: "cluster prod", or the file
	about    string // as failures name it
	answered bool   // something was read
	lists    []*kubeList
	owners   bool // lists of replicasets were read
	seen     map[string]bool
	dropped  map[kubeDrop]map[string]bool // what the rules left out: names of it, which go nowhere
	counted  map[kubeDrop]int
	hidden   []kubeStored // images in the stores of nodes that may be those of what the rules left out
	failures []sbom.Failure
	muted    int // failures beyond the limit
}

// kubeDrop is one kind of thing and the rule that left it out.
type kubeDrop struct{ what, why string }

// kubeList is what was read from one file, or from all pages of one answer.
type kubeList struct {
	name   string // of the evidence
	origin audit.Origin
	items  []*kubeObject
}

func newKubeCluster(s kubernetes, name, about string) *kubeCluster {
	return &kubeCluster{source: s, name: name, about: about, seen: map[string]bool{}, dropped: map[kubeDrop]map[string]bool{},
		counted: map[kubeDrop]int{}}
}

// kubeMaxFailures bounds the failures of one cluster; the rest is counted.
const kubeMaxFailures = 100

func (c *kubeCluster) fail(origin audit.Origin, settle, format string, args ...any) {
	if len(c.failures) >= kubeMaxFailures {
		c.muted++
		return
	}
	origin.Source, origin.At = "kubernetes", c.source.opt.At
	c.failures = append(c.failures, sbom.Failure{Source: c.about, Reason: fmt.Sprintf(format, args...), Settle: settle, Origin: origin})
}

// omit counts an object that a rule leaves out. Replicasets and jobs are not counted: they are only asked for owners.
func (c *kubeCluster) omit(o *kubeObject, why string, namespace bool) {
	what := "objects"
	switch o.Kind {
	case "Pod":
		what = "pods"
	case "ReplicaSet", "Job":
		return
	}
	c.counted[kubeDrop{what, why}]++
	if namespace {
		c.drop(kubeDrop{"namespaces", why}, o.Metadata.Namespace)
	}
}

func (c *kubeCluster) drop(d kubeDrop, name string) {
	if c.dropped[d] == nil {
		c.dropped[d] = map[string]bool{}
	}
	c.dropped[d][name] = true
}

func (c *kubeCluster) omissions() []sbom.Omission {
	var out []sbom.Omission
	for d, n := range c.counted {
		out = append(out, sbom.Omission{Source: c.about, What: d.what, Why: d.why, Count: n})
	}
	for d, names := range c.dropped {
		out = append(out, sbom.Omission{Source: c.about, What: d.what, Why: d.why, Count: len(names)})
	}
	slices.SortFunc(out, func(a, b sbom.Omission) int { return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why)) })
	return out
}

// inventory turns what was read into artifacts, then keeps the reduced lists as evidence.
func (c *kubeCluster) inventory(ctx context.Context) (sbom.Inventory, error) {
	v := newKubeView(c)
	for _, l := range c.lists {
		for _, o := range l.items {
			if o.Kind == "Pod" {
				v.pod(l, o)
			}
		}
	}
	for _, l := range c.lists {
		for _, o := range l.items {
			switch o.Kind {
			case "Pod", "ReplicaSet", "Job":
			case "Node":
				v.node(l, o)
			default:
				v.object(l, o)
			}
		}
	}
	v.finish()
	for _, l := range c.lists {
		if err := c.keep(ctx, v, l); err != nil {
			return sbom.Inventory{}, err
		}
	}
	inv := sbom.Inventory{Schema: sbom.InventorySchema, Artifacts: v.artifacts(), Expected: v.expected, Omitted: c.omissions()}
	if c.muted > 0 {
		c.failures = append(c.failures, sbom.Failure{Source: c.about, Reason: fmt.Sprintf("%d more failures are not listed", c.muted)})
	}
	inv.Failures = c.failures
	return inv, nil
}

// keep stores the reduced list as evidence. Replicasets and jobs stay only as far as they own a pod that is listed, so
// that what rules leave out leaves no trace.
func (c *kubeCluster) keep(ctx context.Context, v *kubeView, l *kubeList) error {
	if c.source.opt.Keep == nil {
		return nil
	}
	reduced := struct {
		APIVersion string        `json:"apiVersion"`
		Kind       string        `json:"kind"`
		Items      []*kubeObject `json:"items"`
	}{"v1", "List", []*kubeObject{}}
	for _, o := range l.items {
		if o.Kind != "ReplicaSet" && o.Kind != "Job" || v.owning[o] {
			reduced.Items = append(reduced.Items, o)
		}
	}
	slices.SortFunc(reduced.Items, func(a, b *kubeObject) int { return cmp.Compare(a.key(), b.key()) })
	data, err := json.Marshal(reduced)
	if err == nil {
		_, err = keepInput(ctx, c.source.opt, l.name, "application/json", data, l.origin)
	}
	if err != nil {
		return fmt.Errorf("keeping %q as evidence: %w", l.name, err)
	}
	return nil
}

// readFiles reads the files of one cluster.
func (s kubernetes) readFiles(ctx context.Context) *kubeCluster {
	name := shown(s.pods[0])
	if s.cluster != "" {
		name = "cluster " + s.cluster
	}
	c := newKubeCluster(s, name, s.Name())
	for _, group := range []struct {
		files []string
		kind  string
		all   string
	}{{s.pods, "Pod", "kubectl get pods -A -o json"}, {s.nodes, "Node", "kubectl get nodes -o json"},
		{s.objects, "", "kubectl get replicasets,jobs -A -o json"}} {
		for _, written := range group.files {
			for _, file := range s.expand(written) {
				if ctx.Err() != nil {
					return c
				}
				c.readFile(file, group.kind, group.all)
			}
		}
	}
	return c
}

// expand returns the files that a pattern stands for, named as the pattern is written. One that matches nothing stays, so
// that it becomes the failure of a file that is not there.
func (s kubernetes) expand(written string) []string {
	if !strings.ContainsAny(written, "*?[") {
		return []string{written}
	}
	found, err := filepath.Glob(s.path(written))
	if err != nil || len(found) == 0 {
		return []string{written}
	}
	if !filepath.IsAbs(written) {
		for i, name := range found {
			if rel, err := filepath.Rel(s.path("."), name); err == nil {
				found[i] = filepath.ToSlash(rel)
			}
		}
	}
	slices.Sort(found)
	return found
}

func (c *kubeCluster) readFile(file, kind, command string) {
	l := &kubeList{name: shown(file), origin: audit.Origin{Source: "kubernetes", Path: shown(file), At: c.source.opt.At}}
	f, err := openKubeFile(c.source.path(file))
	if err != nil {
		c.fail(l.origin, "save it with "+command, "%s: %s", l.name, reason(err))
		return
	}
	defer f.Close()
	body := newKubeBody(f)
	err = body.list(kind, func(o *kubeObject, err error) { c.take(l, body.items, o, err) })
	place := body.place()
	if drain := body.drain(); drain != nil && err == nil {
		err = drain
	}
	l.origin.Digest = body.digest()
	for i := range c.failures {
		if c.failures[i].Origin.Path == l.origin.Path {
			c.failures[i].Origin.Digest = l.origin.Digest
		}
	}
	if err != nil {
		settle := "save it again with " + command
		if body.items > 0 {
			c.fail(l.origin, settle, "%s: %s: %s; what stands before is used", l.name, place, reason(err))
		} else {
			c.fail(l.origin, settle, "%s: %s", l.name, reason(err))
		}
	}
	if err == nil || body.items > 0 {
		c.answered = true
		c.lists = append(c.lists, l)
	}
}

// take puts one object into a list, unless it is of no interest, was read before, or is left out by a rule.
func (c *kubeCluster) take(l *kubeList, item int, o *kubeObject, err error) {
	if !o.known() {
		return
	}
	if err == nil {
		err = o.check()
	}
	if err != nil {
		c.fail(l.origin, "", "%s: item %d: %s", l.name, item, err)
		return
	}
	if o.Kind == "ReplicaSet" {
		c.owners = true
	}
	if c.seen[o.key()] {
		return
	}
	c.seen[o.key()] = true
	if why, namespace := c.source.rules.omits(o); why != "" {
		c.omit(o, why, namespace)
		return
	}
	if o.Kind == "Node" && c.source.rules.any() {
		c.hidden, o.Status.Images = append(c.hidden, o.Status.Images...), nil
	}
	o.reduce()
	l.items = append(l.items, o)
}
