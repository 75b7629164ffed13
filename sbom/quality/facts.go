package quality

import (
	"fmt"
	"hash/maphash"
	"strings"
)

// field is one thing that a component may state.
type field uint8

const (
	fieldCreator field = iota
	fieldSupplier
	fieldName
	fieldVersion
	fieldFilename
	fieldExecutable
	fieldArchive
	fieldStructured
	fieldDistributionLicence
	fieldOriginalLicence
	fieldEffectiveLicence
	fieldLicence
	fieldLicenceForm
	fieldDeployableHash
	fieldDeployableURI
	fieldSourceURI
	fieldSourceHash
	fieldIdentifier
	fieldSecurityContact
	fieldHash
	fieldBOMLink
	fieldDependencies
	fieldCompleteness
	fieldReach
	fieldCount
)

// state says how a component states a field: absent, given in a valid form, or wrong for one of the reasons of the table
// below. The zero value is absent: what is not stated never counts as fulfilled.
type state uint8

const (
	absent state = iota
	given
	wrong // and the following: wrong + place in wrongs[field]
)

// wrongs are the reasons why a value does not count, by field; at most 14 each, because a state has four bits.
var wrongs = [fieldCount][]string{
	fieldCreator:             {"no valid e-mail address or URL", "stands in supplier, author or publisher, not in manufacturer"},
	fieldSupplier:            {"only an author or publisher is named", "the name is empty"},
	fieldName:                {"a word that says nothing"},
	fieldVersion:             {"a word that says nothing", "looks like a time and is no RFC 3339 date-time", "a file without version needs its time of change as RFC 3339 date-time"},
	fieldFilename:            {"a path, not a name", "stands more than once", "the value is empty"},
	fieldExecutable:          {"not \"executable\" or \"non-executable\"", "stands more than once"},
	fieldArchive:             {"not \"archive\" or \"no archive\"", "stands more than once"},
	fieldStructured:          {"not \"structured\" or \"unstructured\"", "stands more than once"},
	fieldDistributionLicence: {"no SPDX expression", "not said whether concluded or declared", "NONE or NOASSERTION", "LicenseRef that does not name its list"},
	fieldOriginalLicence:     {"no SPDX expression", "LicenseRef that does not name its list"},
	fieldEffectiveLicence:    {"no SPDX expression", "stands more than once"},
	fieldLicence:             {"a name, not an SPDX identifier", "said to be unknown"},
	fieldLicenceForm:         {"more than one expression, or expressions beside licences"},
	fieldDeployableHash:      {"not 128 hexadecimal digits", "only in hashes, not at the reference of type distribution", "no SHA-512 among the hashes"},
	fieldDeployableURI:       {"no URI"},
	fieldSourceURI:           {"no URL"},
	fieldSourceHash:          {"length or digits do not fit the algorithm"},
	fieldIdentifier:          {"purl cannot be read", "CPE cannot be read"},
	fieldSecurityContact:     {"no URL"},
	fieldHash:                {"length or digits do not fit the algorithm", "unknown algorithm"},
	fieldBOMLink:             {"neither a BOM-Link nor a URL"},
	fieldDependencies:        {"no identifier that an entry could name"},
	fieldCompleteness:        {"aggregate not one of the values of the format"},
}

// kind says which demands a component meets (BSI TR-03183-2 v2.1.0 sections 3.2.2 and 5.1).
type kind uint8

const (
	kindFile       kind = iota // a file, or not said to be anything else
	kindLogical                // no file of its own: said so, an operating system, a package of a distribution
	kindExternal               // outside the scope of delivery, only identified
	kindReferenced             // described in another document
	kindHeading                // puts components together; nothing is delivered under its name
	kindNone                   // no component of the product: sources, a file that speaks for its package
)

const none = ^uint32(0)

// component is what is kept of one component.
type component struct {
	states [2]uint64 // four bits a field
	node   uint32
	parent uint32 // component that it is nested in; none at the top
	label  uint32
	kind   kind
	root   bool
	file   bool // of type file
}

func (c *component) get(f field) state {
	return state(c.states[f/16] >> (4 * (f % 16)) & 15)
}

// set states a field. A valid statement is not lost to a wrong one beside it; see spoil.
func (c *component) set(f field, s state) {
	if have := c.get(f); have == given || have >= wrong && s != given {
		return
	}
	c.spoil(f, s)
}

// spoil states a field whatever was stated before.
func (c *component) spoil(f field, s state) {
	shift := 4 * (f % 16)
	c.states[f/16] = c.states[f/16]&^(15<<shift) | uint64(s)<<shift
}

// node is something that references name: a component, or only a text that something points to.
type node struct {
	component uint32 // none: nothing of that name is listed
	label     uint32
	flags     nodeFlags
}

type nodeFlags uint16

const (
	nodeEntry       nodeFlags = 1 << iota // an entry says what it depends on
	nodeComplete                          // its completeness is stated
	nodeAggregate                         // ... with a value that is none
	nodeAgent                             // SPDX 3: a creator with e-mail address or URL
	nodeAgentName                         // SPDX 3: a creator, of whatever address
	nodeExpression                        // SPDX 3: a valid expression
	nodeNoAssertion                       // SPDX 3: an expression that says nothing
	nodeRefNoList                         // SPDX 3: a LicenseRef that does not name its list
	nodeText                              // SPDX 3: a licence that is no expression
	nodeSource                            // SPDX 3: sources that can be found
	nodeHasPart                           // a file stands below it, or what another document describes
	nodeMeta                              // names something other than a component, e.g. a service
)

type edge struct{ from, to uint32 }

// chunked is a list that grows without copying, so that memory never doubles.
type chunked[T any] struct {
	chunks [][]T
	n      int
}

const chunkSize = 1 << 14

func (c *chunked[T]) add(v T) uint32 {
	if c.n%chunkSize == 0 {
		c.chunks = append(c.chunks, make([]T, 0, chunkSize))
	}
	last := len(c.chunks) - 1
	c.chunks[last] = append(c.chunks[last], v)
	c.n++
	return uint32(c.n - 1)
}

func (c *chunked[T]) at(i uint32) *T { return &c.chunks[i/chunkSize][i%chunkSize] }

// labels keeps short texts side by side: one byte of length and the text.
type labels struct {
	chunks [][]byte
}

const (
	labelChunk = 1 << 20
	maxLabel   = 120 // bytes; a longer name is cut
)

func (l *labels) add(text []byte) uint32 {
	text = clip(text, maxLabel)
	last := len(l.chunks) - 1
	if last < 0 || len(l.chunks[last])+1+len(text) > labelChunk {
		l.chunks = append(l.chunks, make([]byte, 0, labelChunk))
		last++
	}
	at := last*labelChunk + len(l.chunks[last])
	l.chunks[last] = append(append(l.chunks[last], byte(len(text))), text...)
	return uint32(at)
}

func (l *labels) text(at uint32) string {
	chunk := l.chunks[at/labelChunk][at%labelChunk:]
	return strings.ToValidUTF8(string(chunk[1:1+int(chunk[0])]), "") // a letter may have been cut
}

// limits bound what is kept of a document.
type limits struct {
	components int
	edges      int
	nodes      int // things that are named by references
	labels     int // bytes of all names, in steps of labelChunk
}

// defaults are the limits of Check: two references for each component, and for each component with its reference 120 bytes
// of names, together less than 600 MB.
var defaults = limits{components: MaxComponents, edges: MaxEdges, nodes: 2 * MaxComponents, labels: 240 << 20}

// facts are what one document states, in a form that grows by about 100 bytes a component.
type facts struct {
	limits     limits
	doc        Document
	components chunked[component]
	nodes      chunked[node]
	edges      chunked[edge]
	labels     labels
	byRef      map[uint64]uint32
	seed       maphash.Seed
	root       uint32 // component; none
	described  []uint32
	licences   map[string]licenceVerdict

	beyond error // a limit that was reached

	// of the document
	creator, timestamp, serial, author, tool, context state
	whyTimestamp                                      string
	vulnerabilities                                   int
	doubleRefs, doubleEntries, doubleEdges, nulls     noted
	dangling                                          noted
}

// noted counts faults and keeps the first few of them.
type noted struct {
	count int
	first []string
}

func (n *noted) add(text string, limit int) {
	n.count++
	if len(n.first) < limit {
		n.first = append(n.first, text)
	}
}

func newFacts(l limits) *facts {
	return &facts{limits: l, byRef: map[uint64]uint32{}, seed: maphash.MakeSeed(), root: none, licences: map[string]licenceVerdict{}}
}

// intern returns the node of a reference. Two references share a node only if they are equal, but for a chance of one in
// 10^6 with as many references as are allowed; nobody can prepare such a pair, because the seed is drawn for each run.
func (f *facts) intern(ref []byte) uint32 {
	h := maphash.Bytes(f.seed, ref)
	if n, ok := f.byRef[h]; ok {
		return n
	}
	if f.nodes.n >= f.limits.nodes {
		f.full()
		return 0
	}
	n := f.nodes.add(node{component: none, label: f.label(ref)})
	f.byRef[h] = n
	return n
}

// full notes that a limit was reached. What follows is read and not kept, and read returns the error.
func (f *facts) full() {
	if f.beyond == nil {
		f.beyond = fmt.Errorf("more than %d references or %d bytes of names; check its parts one by one", f.limits.nodes, f.limits.labels)
	}
}

// label keeps the text by which people know something.
func (f *facts) label(text []byte) uint32 {
	if len(f.labels.chunks) > f.limits.labels/labelChunk {
		f.full()
		return 0
	}
	return f.labels.add(text)
}

// newComponent makes room for a component, so that those nested in it can name it before it was read.
func (f *facts) newComponent(parent uint32) (uint32, error) {
	if f.components.n >= f.limits.components {
		return none, fmt.Errorf("more than %d components; check its parts one by one", f.limits.components)
	}
	return f.components.add(component{node: none, parent: parent}), nil
}

// link notes that one thing depends on, or holds, another.
func (f *facts) link(from, to uint32) error {
	if f.edges.n >= f.limits.edges {
		return fmt.Errorf("more than %d dependencies; check its parts one by one", f.limits.edges)
	}
	f.edges.add(edge{from, to})
	return nil
}

// name gives a component its node and the text by which people know it.
func (f *facts) name(id uint32, ref []byte, label []byte) {
	c := f.components.at(id)
	c.label = f.label(label)
	if len(ref) == 0 {
		c.node = f.nodes.add(node{component: id, label: c.label})
		return
	}
	c.node = f.intern(ref)
	n := f.nodes.at(c.node)
	if n.component != none {
		f.doubleRefs.add(f.labels.text(n.label), keepFaults)
		return
	}
	n.component = id
}

// keepFaults is how many faults in references are named.
const keepFaults = 10

// settle draws the conclusions that need the whole document: edges that lead nowhere, what can be reached from the root,
// and which component has an entry.
func (f *facts) settle() {
	for _, n := range f.described {
		if c := f.nodes.at(n).component; c != none && f.root == none {
			f.root = c
			f.doc.Root = f.labels.text(f.components.at(c).label)
		}
	}
	next := f.successors()
	reached := f.reach(next)
	for i := range uint32(f.components.n) {
		c := f.components.at(i)
		n := f.nodes.at(c.node)
		if n.flags&nodeEntry != 0 {
			c.set(fieldDependencies, given)
		}
		switch {
		case n.flags&nodeComplete != 0:
			c.set(fieldCompleteness, given)
		case n.flags&nodeAggregate != 0:
			c.set(fieldCompleteness, wrong)
		}
		if reached[c.node] {
			c.set(fieldReach, given)
		}
	}
	f.eachLink(func(from, to uint32) {
		if to := f.nodes.at(to).component; to != none && (f.components.at(to).kind == kindFile || f.components.at(to).kind == kindReferenced) {
			f.nodes.at(from).flags |= nodeHasPart
		}
	})
	f.dangle()
}

// dangle notes references to what is not listed. References into other documents are no fault if they have their form.
func (f *facts) dangle() {
	for _, chunk := range f.nodes.chunks {
		for _, n := range chunk {
			if n.component != none || n.flags&nodeMeta != 0 {
				continue
			}
			if ref := f.labels.text(n.label); !bomLink.MatchString(ref) {
				f.dangling.add(ref, keepFaults)
			}
		}
	}
}

// adjacency holds the successors of node n in to[start[n]:start[n+1]].
type adjacency struct{ start, to []uint32 }

// successors sorts the edges by where they begin; a component also leads to those nested in it. Double edges are counted.
func (f *facts) successors() adjacency {
	a := adjacency{start: make([]uint32, f.nodes.n+1)}
	f.eachLink(func(from, _ uint32) { a.start[from+1]++ })
	for i := 1; i < len(a.start); i++ {
		a.start[i] += a.start[i-1]
	}
	a.to = make([]uint32, a.start[len(a.start)-1])
	fill := make([]uint32, f.nodes.n)
	f.eachLink(func(from, to uint32) {
		a.to[a.start[from]+fill[from]] = to
		fill[from]++
	})
	return a
}

func (f *facts) eachLink(do func(from, to uint32)) {
	for _, chunk := range f.edges.chunks {
		for _, e := range chunk {
			do(e.from, e.to)
		}
	}
	for _, chunk := range f.components.chunks {
		for i := range chunk {
			if p := chunk[i].parent; p != none {
				do(f.components.at(p).node, chunk[i].node)
			}
		}
	}
}

// reach returns which nodes can be reached from the root, the root included.
func (f *facts) reach(next adjacency) []bool {
	reached := make([]bool, f.nodes.n)
	if f.root == none {
		return reached
	}
	stack := append([]uint32{f.components.at(f.root).node}, f.described...)
	for _, n := range stack {
		reached[n] = true
	}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, to := range next.to[next.start[n]:next.start[n+1]] {
			if !reached[to] {
				reached[to] = true
				stack = append(stack, to)
			}
		}
	}
	return reached
}

// rootEdges is how many edges leave the root, nesting not counted.
func (f *facts) rootEdges() int {
	if f.root == none {
		return 0
	}
	root, count := f.components.at(f.root).node, 0
	for _, chunk := range f.edges.chunks {
		for _, e := range chunk {
			if e.from == root && e.to != root {
				count++
			}
		}
	}
	return count
}
