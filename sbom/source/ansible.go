package source

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of Ansible inventories. The multinode inventory of Kolla Ansible has some 200 groups.
const (
	maxAnsibleFile   = 64 << 20  // ansible-inventory --list writes the variables of every host
	maxAnsibleHosts  = 100_000   // different names, after ranges are expanded
	maxAnsibleListed = 1_000_000 // names in groups
	maxAnsibleGroups = 10_000
	maxAnsibleAbove  = 256 // groups that hold a group
	maxAnsibleDepth  = 64  // groups within groups in YAML
	maxAnsibleName   = 255
	maxAnsibleRange  = 1024 // of a name with its ranges
	maxProblems      = 100  // of one file that are told one by one
)

// ansibleHosts is the kind of list that an inventory is.
const ansibleHosts = "Ansible inventory"

// listRemedy is what settles an inventory that cannot be read as a file.
const listRemedy = "save the output of ansible-inventory --list and name it: crosscheck: {ansible: FILE}"

// ansibleInventory is what inventories say about hosts: their names and groups. Variables, among which are passwords, are
// never read.
type ansibleInventory struct {
	hosts    map[string]audit.Origin // where a host is named first
	groups   map[string]*ansibleGroup
	wanted   []ansiblePlace // groups that a [group:children] section names
	problems []ansiblePlace
	listed   int
	full     bool // a limit was reached; said once
}

// ansibleGroup holds the names that stand in a group itself.
type ansibleGroup struct{ hosts, children map[string]bool }

// ansiblePlace is a text with the place it is about.
type ansiblePlace struct {
	text, settle string
	origin       audit.Origin
}

// readAnsible reads one inventory: INI, YAML, or what ansible-inventory --list writes. What cannot be read is a problem of
// the inventory; the rest of it stays.
func readAnsible(origin audit.Origin, data []byte) ansibleInventory {
	inv := newAnsible()
	text := bytes.TrimLeft(data, "\ufeff \t\r\n")
	switch {
	case vaulted(text):
		inv.problem(origin, 0, "", "the file is encrypted with Ansible Vault and was not read")
	case len(text) == 0:
		inv.problem(origin, 0, "", "the file is empty")
	case text[0] == '{':
		inv.readList(origin, data)
	case yamlInventory(origin.Path, text):
		inv.readYAML(origin, data)
	default:
		inv.readINI(origin, data)
	}
	return inv
}

func newAnsible() ansibleInventory {
	return ansibleInventory{hosts: map[string]audit.Origin{}, groups: map[string]*ansibleGroup{}}
}

// vaulted reports whether a text is encrypted with Ansible Vault.
func vaulted[T ~string | ~[]byte](text T) bool {
	return bytes.HasPrefix([]byte(text[:min(len(text), 32)]), []byte("$ANSIBLE_VAULT"))
}

// yamlInventory tells YAML from INI: by the name, else by the first line that says something: a document start, or a
// mapping key alone on its line. Ansible reads both from files without an ending.
func yamlInventory(name string, data []byte) bool {
	switch path.Ext(name) {
	case ".yml", ".yaml":
		return true
	case ".ini":
		return false
	}
	for line := range strings.Lines(string(data[:min(len(data), 64<<10)])) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		key, rest, found := strings.Cut(line, ":")
		rest = strings.TrimSpace(rest)
		return line == "---" || found && key == "plugin" || found && !strings.ContainsAny(key, "[] =") && (rest == "" || rest[0] == '#')
	}
	return false
}

func (inv *ansibleInventory) problem(origin audit.Origin, line int, settle, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	switch {
	case len(inv.problems) > maxProblems:
		return
	case len(inv.problems) == maxProblems:
		line, text = 0, fmt.Sprintf("more than %d places could not be read; the others are not told", maxProblems)
	case line > 0:
		text = fmt.Sprintf("line %d: %s", line, text)
	}
	origin.Line = line
	inv.problems = append(inv.problems, ansiblePlace{text: text, settle: settle, origin: origin})
}

// overflow says once that a limit was reached.
func (inv *ansibleInventory) overflow(origin audit.Origin, format string, args ...any) {
	if !inv.full {
		inv.problem(origin, origin.Line, "", format, args...)
	}
	inv.full = true
}

// group returns a group, made if it is new; nil if there are too many or the name is none.
func (inv *ansibleInventory) group(origin audit.Origin, name string) *ansibleGroup {
	if g, ok := inv.groups[name]; ok {
		return g
	}
	if !ansibleName(name) {
		inv.problem(origin, origin.Line, "", "a group name that is not letters, digits, dots, dashes and underscores")
		return nil
	}
	if len(inv.groups) >= maxAnsibleGroups {
		inv.overflow(origin, "more than %d groups; the others were not read", maxAnsibleGroups)
		return nil
	}
	g := &ansibleGroup{hosts: map[string]bool{}, children: map[string]bool{}}
	inv.groups[name] = g
	return g
}

// host adds a host to a group; a nil group only names it. The machine that runs Ansible itself is left out: localhost says
// nothing about which one that is.
func (inv *ansibleInventory) host(origin audit.Origin, g *ansibleGroup, name string) bool {
	if inv.listed++; inv.listed > maxAnsibleListed { // names that are none count too: ranges make any number of them
		inv.overflow(origin, "more than %d hosts in groups; the others were not read", maxAnsibleListed)
		return false
	}
	if !ansibleName(name) {
		inv.problem(origin, origin.Line, "", "a host name that is neither letters, digits, dots, dashes and underscores nor an IPv6 address")
		return true
	}
	if name == "localhost" || name == "127.0.0.1" || name == "::1" {
		return true
	}
	_, known := inv.hosts[name]
	if !known && len(inv.hosts) >= maxAnsibleHosts {
		inv.overflow(origin, "more than %d hosts; the others were not read", maxAnsibleHosts)
		return false
	}
	if !known {
		inv.hosts[name] = origin
	}
	if g != nil {
		g.hosts[name] = true
	}
	return true
}

// ansibleName accepts what hosts and groups are called, among them IPv6 addresses.
func ansibleName(name string) bool {
	if strings.Contains(name, ":") {
		addr, err := netip.ParseAddr(name)
		return err == nil && addr.Zone() == ""
	}
	return name != "" && len(name) <= maxAnsibleName && !strings.ContainsFunc(name, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(".-_", c))
	})
}

// readINI reads [group], [group:children] and skips [group:vars]. Of the line of a host only the first word is looked at.
func (inv *ansibleInventory) readINI(origin audit.Origin, data []byte) {
	section, kind := "ungrouped", "hosts"
	for line := range strings.Lines(string(data)) {
		origin.Line++
		line = strings.Trim(line, "\ufeff \t\r\n")
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if name, k, ok := iniSection(line); ok {
			section, kind = name, k
			inv.startSection(origin, section, kind)
			continue
		}
		switch kind {
		case "hosts":
			inv.hostLine(origin, section, firstWord(line))
		case "children":
			inv.childLine(origin, section, firstWord(line))
		}
	}
}

// iniSection reads "[name]" and "[name:kind]", perhaps with a comment behind it.
func iniSection(line string) (name, kind string, ok bool) {
	end := strings.IndexByte(line, ']')
	if line[0] != '[' || end < 0 {
		return "", "", false
	}
	if rest := strings.TrimSpace(line[end+1:]); rest != "" && rest[0] != '#' && rest[0] != ';' {
		return "", "", false
	}
	name, kind, _ = strings.Cut(line[1:end], ":")
	return name, cmp.Or(kind, "hosts"), true
}

func (inv *ansibleInventory) startSection(origin audit.Origin, section, kind string) {
	switch kind {
	case "hosts", "children":
		inv.group(origin, section)
	case "vars":
	default:
		inv.problem(origin, origin.Line, "", "a section that is none of [group], [group:children] and [group:vars]")
	}
}

// firstWord returns what a line begins with, up to a space or comment; empty if there is nothing but white space.
func firstWord(line string) string {
	line, _, _ = strings.Cut(line, "#")
	if words := strings.Fields(line); len(words) > 0 {
		return words[0]
	}
	return ""
}

// hostLine adds the hosts of one line of an INI inventory or one key of a YAML one. The word is not shown if it is none:
// a misplaced variable may be a password.
func (inv *ansibleInventory) hostLine(origin audit.Origin, section, word string) {
	if word == "" {
		return
	}
	if len(word) > maxAnsibleRange {
		inv.problem(origin, origin.Line, "", "a host name of more than %d bytes", maxAnsibleRange)
		return
	}
	g := inv.group(origin, section)
	err := expandHosts(word, maxAnsibleHosts, func(name string) bool { return inv.host(origin, g, withoutPort(name)) })
	if err != nil {
		inv.problem(origin, origin.Line, "", "%s", err)
	}
}

func (inv *ansibleInventory) childLine(origin audit.Origin, section, word string) {
	if word == "" {
		return
	}
	if !ansibleName(word) {
		inv.problem(origin, origin.Line, "", "a group name that is not letters, digits, dots, dashes and underscores")
		return
	}
	if g := inv.group(origin, section); g != nil && len(inv.wanted) < maxAnsibleListed {
		g.children[word] = true
		inv.wanted = append(inv.wanted, ansiblePlace{text: word, settle: section, origin: origin})
	}
}

// withoutPort takes ":22" off a name with one colon; more colons are an IPv6 address.
func withoutPort(name string) string {
	host, port, ok := strings.Cut(name, ":")
	if ok && port != "" && strings.Trim(port, "0123456789") == "" {
		return host
	}
	return name
}

// expandHosts calls yield with every name that a pattern stands for: node[01:03], db[a:c], n[1:9:2].example.
func expandHosts(pattern string, limit int, yield func(string) bool) error {
	before, rest, ok := strings.Cut(pattern, "[")
	if !ok {
		yield(pattern)
		return nil
	}
	inside, after, ok := strings.Cut(rest, "]")
	if !ok {
		return fmt.Errorf("a range without its closing bracket")
	}
	steps, err := hostRange(inside, limit)
	if err != nil {
		return err
	}
	more := true
	for step := range steps {
		err = expandHosts(before+step+after, limit, func(name string) bool { more = more && yield(name); return more })
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// hostRange returns what begin:end or begin:end:step counts through: numbers, padded as begin is, or letters. Each is made
// when it is asked for, so that a range behind the limit costs nothing.
func hostRange(text string, limit int) (iter.Seq[string], error) {
	parts := strings.Split(text, ":")
	if len(parts) != 2 && len(parts) != 3 {
		return nil, fmt.Errorf("a range that is not begin:end or begin:end:step")
	}
	begin, end, step := cmp.Or(parts[0], "0"), parts[1], 1
	if len(parts) == 3 {
		n, err := strconv.Atoi(parts[2])
		if err != nil || n < 1 {
			return nil, fmt.Errorf("a range with a step that is no number from 1")
		}
		step = n
	}
	from, to, format, err := rangeEnds(begin, end)
	if err != nil {
		return nil, err
	}
	if (to-from)/step >= limit {
		return nil, fmt.Errorf("a range of more than %d hosts", limit)
	}
	return func(yield func(string) bool) {
		for n := from; n <= to && n >= from; n += step {
			if !yield(fmt.Sprintf(format, n)) || n > to-step {
				return
			}
		}
	}, nil
}

// rangeEnds reads both ends of a range and how a step between them is written.
func rangeEnds(begin, end string) (from, to int, format string, err error) {
	letter := func(s string) bool { return len(s) == 1 && (s[0]|0x20) >= 'a' && (s[0]|0x20) <= 'z' }
	switch {
	case letter(begin) && letter(end):
		from, to, format = int(begin[0]), int(end[0]), "%c"
		if begin[0]&0x20 != end[0]&0x20 {
			return 0, 0, "", fmt.Errorf("a range from lower-case to upper-case letters")
		}
	default:
		var e1, e2 error
		from, e1 = strconv.Atoi(begin)
		to, e2 = strconv.Atoi(end)
		if e1 != nil || e2 != nil || from < 0 || len(begin) > 18 || len(end) > 18 || strings.ContainsAny(begin+end, "+-") {
			return 0, 0, "", fmt.Errorf("a range whose ends are neither numbers nor letters")
		}
		format = "%d"
		if len(begin) > 1 && begin[0] == '0' {
			if len(begin) != len(end) {
				return 0, 0, "", fmt.Errorf("a range whose ends have leading zeros and differ in length")
			}
			format = fmt.Sprintf("%%0%dd", len(begin))
		}
	}
	if from > to {
		return 0, 0, "", fmt.Errorf("a range that begins after its end")
	}
	return from, to, format, nil
}

// readYAML reads groups with the keys hosts and children; vars and what stands below a host are not looked at.
func (inv *ansibleInventory) readYAML(origin audit.Origin, data []byte) {
	top, err := ansibleYAML(data)
	if err != nil {
		inv.problem(origin, 0, "", "%s", err)
		return
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		if key := top.Content[i]; key.Value == "plugin" && top.Content[i+1].Kind == yaml.ScalarNode {
			inv.problem(origin, key.Line, listRemedy, "this is the configuration of an inventory plugin, which is not run")
			return
		}
	}
	inv.yamlGroups(origin, top, 0)
}

// ansibleYAML reads one document that is a mapping. The messages of the YAML reader are not passed on: they may quote a
// value, and values may be passwords.
func ansibleYAML(data []byte) (*yaml.Node, error) {
	top, err := parseYAML(data)
	if err == nil {
		return top, nil
	}
	text := err.Error()
	if line, _, ok := strings.Cut(text, ":"); ok && strings.HasPrefix(line, "line ") && len(line) < 20 && !strings.HasSuffix(text, "no mapping of keys to values") {
		return nil, fmt.Errorf("%s: this is no YAML", line)
	}
	for _, safe := range []string{"the file is empty", "something follows the first YAML document", "line 1: the file is no mapping of keys to values"} {
		if text == safe {
			return nil, err
		}
	}
	return nil, fmt.Errorf("this is no YAML")
}

func (inv *ansibleInventory) yamlGroups(origin audit.Origin, node *yaml.Node, depth int) (names []string) {
	origin.Line = node.Line
	switch {
	case node.Tag == "!!null":
		return nil
	case node.Kind == yaml.ScalarNode && ansibleName(node.Value):
		inv.group(origin, node.Value)
		return []string{node.Value}
	case node.Kind != yaml.MappingNode:
		inv.problem(origin, node.Line, "", "groups that are no mapping; aliases and lists are not read")
		return nil
	case depth > maxAnsibleDepth:
		inv.problem(origin, node.Line, "", "groups within groups more than %d deep", maxAnsibleDepth)
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		origin.Line = key.Line
		if g := inv.group(origin, key.Value); g != nil {
			names = append(names, key.Value)
			inv.yamlGroup(origin, key.Value, g, node.Content[i+1], depth)
		}
	}
	return names
}

func (inv *ansibleInventory) yamlGroup(origin audit.Origin, name string, g *ansibleGroup, node *yaml.Node, depth int) {
	if node.Tag == "!!null" {
		return
	}
	if node.Kind != yaml.MappingNode {
		inv.problem(origin, node.Line, "", "a group that is no mapping with hosts, children and vars")
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch key.Value {
		case "hosts":
			inv.yamlHosts(origin, name, value)
		case "children":
			for _, child := range inv.yamlGroups(origin, value, depth+1) {
				g.children[child] = true
			}
		case "vars":
		default:
			inv.problem(origin, key.Line, "", "a group has only the keys hosts, children and vars")
		}
	}
}

func (inv *ansibleInventory) yamlHosts(origin audit.Origin, group string, node *yaml.Node) {
	switch {
	case node.Tag == "!!null":
	case node.Kind == yaml.ScalarNode:
		origin.Line = node.Line
		inv.hostLine(origin, group, node.Value)
	case node.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			origin.Line = node.Content[i].Line
			inv.hostLine(origin, group, node.Content[i].Value)
		}
	default:
		inv.problem(origin, node.Line, "", "hosts that are no mapping; aliases and lists are not read")
	}
}

// readList reads what ansible-inventory --list writes: an object of groups, and _meta with the variables of all hosts, of
// which only the names are taken.
func (inv *ansibleInventory) readList(origin audit.Origin, data []byte) {
	w := jsonWalk{dec: json.NewDecoder(bytes.NewReader(data)), data: data}
	err := w.object(func(key string, line int) error {
		origin.Line = line
		if key == "_meta" {
			return inv.listMeta(origin, w.dec)
		}
		return inv.listGroup(origin, key, w.dec)
	})
	if err != nil {
		inv.problem(origin, w.line(), "write the output of ansible-inventory --list again", "%s", err)
	}
}

func (inv *ansibleInventory) listMeta(origin audit.Origin, dec *json.Decoder) error {
	var meta struct {
		HostVars map[string]struct{} `json:"hostvars"`
	}
	if err := dec.Decode(&meta); err != nil {
		return inv.listError(origin, "_meta", err)
	}
	for _, name := range sortedKeys(meta.HostVars) {
		if !inv.host(origin, nil, name) {
			break
		}
	}
	return nil
}

func (inv *ansibleInventory) listGroup(origin audit.Origin, name string, dec *json.Decoder) error {
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return err
	}
	var body struct{ Hosts, Children []string }
	var err error
	if raw[0] == '[' { // the form of old scripts
		err = json.Unmarshal(raw, &body.Hosts)
	} else {
		err = json.Unmarshal(raw, &body)
	}
	g := inv.group(origin, name)
	if err != nil || g == nil {
		return inv.listError(origin, name, err)
	}
	for _, host := range body.Hosts {
		if !inv.host(origin, g, host) {
			break
		}
	}
	for _, child := range body.Children {
		if ansibleName(child) && len(g.children) < maxAnsibleGroups {
			g.children[child] = true
		}
	}
	return nil
}

// listError makes a wrong type a problem of that group only; other errors end the reading.
func (inv *ansibleInventory) listError(origin audit.Origin, name string, err error) error {
	if err == nil {
		return nil
	}
	if wrongType(err) {
		inv.problem(origin, origin.Line, listRemedy, "%q is no group as ansible-inventory --list writes it", clipped(name))
		return nil
	}
	return err
}

// merge adds what another file of the same inventory says.
func (inv *ansibleInventory) merge(other ansibleInventory) {
	for _, name := range sortedKeys(other.hosts) {
		inv.host(other.hosts[name], nil, name)
	}
	for _, name := range sortedKeys(other.groups) {
		g := inv.group(audit.Origin{}, name)
		if g == nil {
			continue
		}
		maps.Copy(g.hosts, other.groups[name].hosts)
		maps.Copy(g.children, other.groups[name].children)
	}
	inv.wanted = append(inv.wanted, other.wanted...)
	inv.problems = append(inv.problems, other.problems...)
}

// undeclared makes every group that a [group:children] section names and no file declares a problem: its hosts are not
// known.
func (inv *ansibleInventory) undeclared() {
	in := map[string][]string{}
	var first []ansiblePlace
	for _, w := range inv.wanted {
		if _, ok := inv.groups[w.text]; ok {
			continue
		}
		if in[w.text] == nil {
			first = append(first, w)
		}
		in[w.text] = append(in[w.text], w.settle)
	}
	for _, w := range first {
		groups := in[w.text]
		slices.Sort(groups)
		inv.problem(w.origin, w.origin.Line, "add the file of the inventory that holds the group",
			"the group %s, which %s, is not there: its hosts are not known", w.text, stands(slices.Compact(groups)))
	}
}

// stands says in which groups something stands, of many only the first.
func stands(groups []string) string {
	if len(groups) > 5 {
		return fmt.Sprintf("stands in %s and %d more", strings.Join(groups[:5], ", "), len(groups)-5)
	}
	return "stands in " + strings.Join(groups, ", ")
}

// expected returns the hosts with all groups they stand in, also through other groups. The groups all and ungrouped,
// which say nothing, are left out.
func (inv *ansibleInventory) expected() []sbom.Expected {
	above := inv.above()
	groups := map[string][]string{}
	for _, name := range sortedKeys(inv.groups) {
		for host := range inv.groups[name].hosts {
			groups[host] = append(groups[host], above[name]...)
		}
	}
	var out []sbom.Expected
	for _, name := range sortedKeys(inv.hosts) {
		origin := inv.hosts[name]
		in := groups[name]
		slices.Sort(in)
		out = append(out, sbom.Expected{Kind: sbom.ExpectedHost, Name: name, Groups: slices.Compact(in), List: ansibleHosts,
			Where: placeOf(origin), Origin: origin})
	}
	return out
}

// placeOf writes file and line of an origin.
func placeOf(origin audit.Origin) string {
	if origin.Line == 0 {
		return origin.Path
	}
	return fmt.Sprintf("%s: line %d", origin.Path, origin.Line)
}

// above returns for every group itself and the groups that hold it, however deep; a ring of groups does no harm.
func (inv *ansibleInventory) above() map[string][]string {
	parents := map[string][]string{}
	for _, name := range sortedKeys(inv.groups) {
		for child := range inv.groups[name].children {
			parents[child] = append(parents[child], name)
		}
	}
	out := map[string][]string{}
	for name, g := range inv.groups {
		if len(g.hosts) > 0 {
			out[name] = climb(name, parents)
		}
	}
	return out
}

func climb(name string, parents map[string][]string) []string {
	seen := map[string]bool{name: true}
	queue := []string{name}
	for i := 0; i < len(queue) && len(queue) < maxAnsibleAbove; i++ {
		for _, parent := range parents[queue[i]] {
			if !seen[parent] {
				seen[parent] = true
				queue = append(queue, parent)
			}
		}
	}
	return slices.DeleteFunc(queue, func(s string) bool { return s == "all" || s == "ungrouped" })
}

// ansibleReduced is what is kept of an inventory as evidence: hosts and groups, no variables.
type ansibleReduced struct {
	Hosts  []string                        `json:"hosts"`
	Groups map[string]ansibleReducedMember `json:"groups"`
}

type ansibleReducedMember struct {
	Hosts    []string `json:"hosts,omitempty"`
	Children []string `json:"children,omitempty"`
}

func (inv *ansibleInventory) reduced() ansibleReduced {
	out := ansibleReduced{Hosts: sortedKeys(inv.hosts), Groups: map[string]ansibleReducedMember{}}
	for name, g := range inv.groups {
		out.Groups[name] = ansibleReducedMember{Hosts: sortedKeys(g.hosts), Children: sortedKeys(g.children)}
	}
	return out
}
