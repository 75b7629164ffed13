package source

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of lists. 5,000 nodes of Kubernetes with their images have some 100 MB.
const (
	maxListFile  = 256 << 20
	maxListNames = 100_000
	maxListWords = 256 // groups of one name
)

// crosscheck are lists that were made for another purpose than this inventory: a host or service in them that nothing was
// seen of shows what the inventory lacks. They name no artifacts. Addresses, users, endpoints and whatever else they hold
// are not read.
type crosscheck struct {
	files []crosscheckFile
	opt   Options
}

// crosscheckFile is one list.
type crosscheckFile struct {
	crosscheckKind
	written string
	path    string // on this machine
}

// crosscheckKind is one kind of list: its key, what it is called, how it is made, and how it is read.
type crosscheckKind struct {
	key, list, made string
	read            func(*crosscheckReader, []byte) error
}

// crosscheckKinds lists every kind of list. A new one is a new line here.
func crosscheckKinds() []crosscheckKind {
	return []crosscheckKind{
		{"ansible", ansibleHosts, "an inventory file, or ansible-inventory --list", (*crosscheckReader).ansible},
		{"compute_services", "OpenStack compute services", "openstack compute service list -f json", (*crosscheckReader).openstackServices},
		{"network_agents", "OpenStack network agents", "openstack network agent list -f json", (*crosscheckReader).openstackServices},
		{"volume_services", "OpenStack volume services", "openstack volume service list -f json", (*crosscheckReader).openstackServices},
		{"catalog", "OpenStack service catalogue", "openstack catalog list -f json", (*crosscheckReader).catalogue},
		{"nodes", "Kubernetes nodes", "kubectl get nodes -o json", (*crosscheckReader).nodes},
		{"ceph_hosts", "Ceph hosts", "ceph orch host ls --format json", (*crosscheckReader).cephHosts},
		{"hosts", "list of hosts", "one name a line", (*crosscheckReader).lines},
	}
}

func crosscheckFields() fields {
	out := fields{}
	for _, k := range crosscheckKinds() {
		out[k.key] = optional
	}
	return out
}

func decodeCrosscheck(v values, opt Options) (sbom.Source, error) {
	c := crosscheck{opt: opt}
	for _, k := range crosscheckKinds() {
		if v.has(k.key) {
			c.files = append(c.files, crosscheckFile{crosscheckKind: k, written: v.text[k.key], path: v.path(v.text[k.key])})
		}
	}
	if len(c.files) == 0 {
		return nil, at(v.node, "crosscheck needs at least one of the keys %s", strings.Join(sortedKeys(crosscheckFields()), ", "))
	}
	return c, nil
}

// Name returns the kind and the files as the stack file gives them.
func (c crosscheck) Name() string {
	var names []string
	for _, f := range c.files {
		names = append(names, shown(f.written))
	}
	return "crosscheck " + strings.Join(names, ", ")
}

// Contacts returns the files that are read.
func (c crosscheck) Contacts() []audit.Contact {
	var out []audit.Contact
	for _, f := range c.files {
		out = append(out, audit.Contact{Host: "local", Address: f.written, Right: "read", Purpose: f.list + " to compare with (" + f.made + ")"})
	}
	return out
}

// Open returns ErrNoContents: lists hold names only.
func (c crosscheck) Open(context.Context, sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{}, sbom.ErrNoContents
}

// Inventory returns the names of all lists. A list or an entry that cannot be read is a failure; an error means that no
// list could be read.
func (c crosscheck) Inventory(ctx context.Context) (sbom.Inventory, error) {
	inv := sbom.Inventory{Schema: sbom.InventorySchema}
	for _, f := range c.files {
		if err := ctx.Err(); err != nil {
			return sbom.Inventory{}, err
		}
		r := crosscheckReader{file: f, source: c.Name(), names: map[[2]string]*crosscheckName{},
			origin: audit.Origin{Source: "crosscheck", Path: shown(f.written), At: c.opt.At}}
		if err := r.readFile(ctx, c.opt); err != nil {
			return sbom.Inventory{}, err
		}
		inv.Expected = append(inv.Expected, r.expected()...)
		inv.Failures = append(inv.Failures, r.failures...)
	}
	if len(inv.Expected) == 0 && len(inv.Failures) > 0 {
		return nothingRead(inv.Failures, "reading %s: %s", c.Name(), inv.Failures[0].Reason)
	}
	return sortInventory(sbom.Merge(inv)), nil
}

// crosscheckReader collects the names of one list.
type crosscheckReader struct {
	file     crosscheckFile
	source   string
	origin   audit.Origin // of the file
	names    map[[2]string]*crosscheckName
	failures []sbom.Failure
	full     bool
}

// crosscheckName is one name, however often the list has it.
type crosscheckName struct {
	line   int
	groups map[string]bool
	times  int            // how often the list names it
	states map[string]int // how often in which state other than the usual one
}

func (r *crosscheckReader) fail(line int, settle, format string, args ...any) {
	origin, text := r.origin, fmt.Sprintf(format, args...)
	switch {
	case len(r.failures) > maxProblems:
		return
	case len(r.failures) == maxProblems:
		line, text = 0, fmt.Sprintf("more than %d places could not be read; the others are not told", maxProblems)
	case line > 0:
		text = fmt.Sprintf("line %d: %s", line, text)
	}
	origin.Line = line
	r.failures = append(r.failures, sbom.Failure{Source: r.source, Reason: origin.Path + ": " + text, Settle: settle, Origin: origin})
}

func (r *crosscheckReader) readFile(ctx context.Context, opt Options) error {
	settle := "write the list again: " + r.file.made
	if namedSecret(r.file.written) {
		r.fail(0, settle, "it is named like a file of secrets, which is not opened")
		return nil
	}
	data, err := readFile(r.file.path, maxListFile)
	if err != nil {
		r.fail(0, settle, "%s", reason(err))
		return nil
	}
	r.origin.Digest = audit.DigestOf(data)
	switch {
	case vaulted(data):
		r.fail(0, settle, "the file is encrypted with Ansible Vault and was not read")
		return nil
	case len(bytes.TrimSpace(data)) == 0:
		r.fail(0, settle, "the file is empty")
		return nil
	}
	if err := r.file.read(r, data); err != nil {
		r.fail(0, settle, "%s", err)
	}
	if len(r.names) == 0 && len(r.failures) == 0 {
		r.fail(0, settle, "it names nothing")
	}
	return keepIntent(ctx, opt, r.origin, r.reduced())
}

// crosscheckEntry is what is kept of a name as evidence.
type crosscheckEntry struct {
	Kind   string   `json:"kind"`
	Name   string   `json:"name"`
	Groups []string `json:"groups,omitempty"`
	Line   int      `json:"line,omitempty"`
}

func (r *crosscheckReader) reduced() []crosscheckEntry {
	out := []crosscheckEntry{}
	for _, e := range r.expected() {
		out = append(out, crosscheckEntry{e.Kind, e.Name, e.Groups, e.Origin.Line})
	}
	return out
}

func (r *crosscheckReader) expected() []sbom.Expected {
	var out []sbom.Expected
	for key, n := range r.names {
		origin := r.origin
		origin.Line = n.line
		out = append(out, sbom.Expected{Kind: key[0], Name: key[1], Groups: n.list(), List: r.file.list, Where: placeOf(origin), Origin: origin})
	}
	slices.SortFunc(out, func(a, b sbom.Expected) int { return strings.Compare(a.Kind+a.Name, b.Kind+b.Name) })
	return out
}

// list returns the groups. A state that only some of the entries have is said to be partial.
func (n crosscheckName) list() []string {
	var out []string
	for group := range n.groups {
		out = append(out, group)
	}
	for state, times := range n.states {
		if times < n.times {
			state += fmt.Sprintf(" (%d of %d)", times, n.times)
		}
		out = append(out, state)
	}
	slices.Sort(out)
	return out
}

// add names a host or service once more. A state is a word such as "state down"; it is no group. Names and groups that are
// no words are refused and not shown.
func (r *crosscheckReader) add(kind, name string, line int, groups, states []string) {
	if !ansibleName(name) {
		r.fail(line, "", "a name that is neither letters, digits, dots, dashes and underscores nor an IPv6 address")
		return
	}
	key := [2]string{kind, name}
	n, ok := r.names[key]
	if !ok && len(r.names) >= maxListNames {
		if !r.full {
			r.fail(line, "", "more than %d names; the others were not read", maxListNames)
		}
		r.full = true
		return
	}
	if !ok {
		n = &crosscheckName{line: line, groups: map[string]bool{}, states: map[string]int{}}
		r.names[key] = n
	}
	n.times++
	for _, group := range groups {
		if listWord(group) && len(n.groups) < maxListWords {
			n.groups[group] = true
		}
	}
	for _, state := range states {
		if listWord(state) && len(n.states) < maxListWords {
			n.states[state]++
		}
	}
}

// listWord accepts a short text of letters, digits and what types, roles and states are written with.
func listWord(text string) bool {
	return text != "" && len(text) <= 128 && !strings.ContainsFunc(text, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(" .-_/:", c))
	})
}

// ansible reads an Ansible inventory.
func (r *crosscheckReader) ansible(data []byte) error {
	inv := readAnsible(r.origin, data)
	inv.undeclared()
	for _, p := range inv.problems {
		r.failures = append(r.failures, sbom.Failure{Source: r.source, Reason: p.origin.Path + ": " + p.text, Settle: p.settle, Origin: p.origin})
	}
	for _, e := range inv.expected() {
		r.add(e.Kind, e.Name, e.Origin.Line, e.Groups, nil)
	}
	return nil
}

// entries reads a JSON list; each gets one element. What is complete before a fault is kept.
func (r *crosscheckReader) entries(data []byte, each func(line int, raw json.RawMessage) error) error {
	w := jsonWalk{dec: json.NewDecoder(bytes.NewReader(data)), data: data}
	err := w.list(func(line int) error { return r.entry(w.dec, line, each) })
	if err == nil {
		err = w.end()
	}
	if err != nil {
		return fmt.Errorf("line %d: %w", w.line(), err)
	}
	return nil
}

func (r *crosscheckReader) entry(dec *json.Decoder, line int, each func(line int, raw json.RawMessage) error) error {
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return err
	}
	if err := each(line, raw); wrongType(err) {
		r.fail(line, "", "an entry is not as %s writes it", r.file.made)
	} else if err != nil {
		return err
	}
	return nil
}

// openstackService is an entry of the lists of compute services, volume services and network agents. Old clients write
// Alive and State of agents as words and signs, new ones as true and false.
type openstackService struct {
	Binary string
	Host   string
	Status string
	State  stateWord
	Alive  stateWord
}

// stateWord is a text or a truth value.
type stateWord string

// UnmarshalJSON reads a text, true or false; null is empty.
func (s *stateWord) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case "true", "false":
		*s = stateWord(data)
		return nil
	}
	return json.Unmarshal(data, (*string)(s))
}

// states returns what is not as usual. A disabled service is not given new work and still runs.
func (s openstackService) states() []string {
	var out []string
	switch state := strings.ToLower(string(s.State)); state {
	case "down":
		out = append(out, "state down")
	case "false":
		out = append(out, "state disabled")
	}
	switch strings.ToLower(string(s.Alive)) {
	case "false", "xxx":
		out = append(out, "state down")
	}
	if status := strings.ToLower(s.Status); status == "disabled" {
		out = append(out, "status disabled")
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// openstackServices reads hosts with the services on them, and the services.
func (r *crosscheckReader) openstackServices(data []byte) error {
	return r.entries(data, func(line int, raw json.RawMessage) error {
		var s openstackService
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		if s.Binary == "" {
			r.fail(line, "", "an entry names no Binary")
			return nil
		}
		states := s.states()
		r.add(sbom.ExpectedService, s.Binary, line, nil, states)
		groups := []string{s.Binary}
		for _, state := range states {
			groups = append(groups, s.Binary+" "+state)
		}
		if host := serviceHost(s.Host); host != "" {
			r.add(sbom.ExpectedHost, host, line, groups, nil)
		}
		return nil
	})
}

// serviceHost returns the machine of a service. Cinder writes host@backend#pool, and a name such as rbd:volumes where a
// cluster of machines shares one; that names no machine.
func serviceHost(text string) string {
	host, _, _ := strings.Cut(text, "@")
	host, _, _ = strings.Cut(host, "#")
	if name, _, ok := strings.Cut(host, ":"); ok && !strings.Contains(host, "::") && strings.Trim(name, "0123456789abcdefABCDEF") != "" {
		return ""
	}
	return host
}

// catalogue reads the services of OpenStack with their types.
func (r *crosscheckReader) catalogue(data []byte) error {
	return r.entries(data, func(line int, raw json.RawMessage) error {
		var s struct{ Name, Type string }
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		r.add(sbom.ExpectedService, s.Name, line, []string{s.Type}, nil)
		return nil
	})
}

// kubeNode is what is read of a node of Kubernetes.
type kubeNode struct {
	Metadata struct {
		Name   string             `json:"name"`
		Labels map[string]nothing `json:"labels"`
	} `json:"metadata"`
	Spec struct {
		Unschedulable bool `json:"unschedulable"`
	} `json:"spec"`
	Status struct {
		Conditions []struct {
			Type   string `json:"type"`
			Status string `json:"status"`
		} `json:"conditions"`
	} `json:"status"`
}

// nothing takes a value and forgets it.
type nothing struct{}

// UnmarshalJSON reads nothing.
func (*nothing) UnmarshalJSON([]byte) error { return nil }

// nodes reads the output of kubectl get nodes, as JSON or with -o name.
func (r *crosscheckReader) nodes(data []byte) error {
	if !bytes.HasPrefix(bytes.TrimLeft(data, "\ufeff \t\r\n"), []byte("{")) {
		return r.named(data, "node/")
	}
	w := jsonWalk{dec: json.NewDecoder(bytes.NewReader(data)), data: data}
	single := map[string]json.RawMessage{}
	listed := false
	err := w.object(func(key string, line int) error {
		if key == "items" {
			listed = true
			return w.list(func(line int) error { return r.entry(w.dec, line, r.node) })
		}
		var raw json.RawMessage
		err := w.dec.Decode(&raw)
		if key == "kind" || key == "metadata" || key == "spec" || key == "status" {
			single[key] = raw
		}
		return err
	})
	if err == nil {
		err = w.end()
	}
	if err != nil {
		return fmt.Errorf("line %d: %w", w.line(), err)
	}
	if !listed && string(single["kind"]) != `"Node"` {
		return fmt.Errorf("this is no list of nodes")
	}
	if !listed {
		whole, err := json.Marshal(single)
		if err != nil {
			return err
		}
		return r.entry(json.NewDecoder(bytes.NewReader(whole)), 1, r.node)
	}
	return nil
}

func (r *crosscheckReader) node(line int, raw json.RawMessage) error {
	var n kubeNode
	if err := json.Unmarshal(raw, &n); err != nil {
		return err
	}
	var groups, states []string
	for label := range n.Metadata.Labels {
		if role, ok := strings.CutPrefix(label, "node-role.kubernetes.io/"); ok {
			groups = append(groups, role)
		}
	}
	if n.Spec.Unschedulable {
		states = append(states, "unschedulable")
	}
	for _, c := range n.Status.Conditions {
		if c.Type == "Ready" && c.Status != "True" {
			states = append(states, "not ready")
		}
	}
	slices.Sort(groups)
	r.add(sbom.ExpectedHost, n.Metadata.Name, line, groups, states)
	return nil
}

// cephHosts reads the hosts of a Ceph cluster with their labels.
func (r *crosscheckReader) cephHosts(data []byte) error {
	return r.entries(data, func(line int, raw json.RawMessage) error {
		var h struct {
			Hostname string   `json:"hostname"`
			Labels   []string `json:"labels"`
			Status   string   `json:"status"`
		}
		if err := json.Unmarshal(raw, &h); err != nil {
			return err
		}
		var states []string
		if h.Status != "" {
			states = []string{"status " + strings.ToLower(h.Status)}
		}
		r.add(sbom.ExpectedHost, h.Hostname, line, h.Labels, states)
		return nil
	})
}

// lines reads a plain list of hosts.
func (r *crosscheckReader) lines(data []byte) error { return r.named(data, "") }

// named reads one name a line; what follows # is a comment.
func (r *crosscheckReader) named(data []byte, prefix string) error {
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		text, _, _ = strings.Cut(strings.Trim(text, "\ufeff \t\r\n"), "#")
		if text = strings.TrimSpace(text); text != "" {
			r.add(sbom.ExpectedHost, strings.TrimPrefix(text, prefix), line, nil, nil)
		}
	}
	return nil
}
