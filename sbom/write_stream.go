package sbom

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"iter"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// document is a CycloneDX document on its way to a stream. The lists of head stay empty: components, dependencies and
// compositions are made and written one by one, twice, first for the serial number and then for the file.
type document struct {
	head         *cdx.BOM
	components   iter.Seq[cdx.Component]
	dependencies iter.Seq[cdx.Dependency]
	compositions []cdx.Composition
	// late, if given, adds what the serial number must not depend on, such as hashes of files that hold a timestamp.
	late func(*cdx.Component)
}

// write gives the document its serial number, which is the UUIDv5 of the document without timestamp and serial number,
// and writes it to w.
func (d document) write(w io.Writer, opt BOMOptions) (Written, error) {
	if opt.SpecVersion == CycloneDX16 {
		d = d.lowered()
	} else if opt.SpecVersion != "" && opt.SpecVersion != CycloneDX17 {
		return Written{}, fmt.Errorf("encoding CycloneDX: version %q cannot be written, want %s or %s", opt.SpecVersion, CycloneDX17, CycloneDX16)
	}
	name := nameHash()
	if _, err := d.encode(name, false); err != nil {
		return Written{}, err
	}
	d.head.SerialNumber = serialNumber(name)
	if !opt.At.IsZero() {
		d.head.Metadata.Timestamp = opt.At.UTC().Format(time.RFC3339)
	}
	if d.late != nil {
		plain := d.components
		d.components = func(yield func(cdx.Component) bool) {
			for c := range plain {
				d.late(&c)
				if !yield(c) {
					return
				}
			}
		}
	}
	sums := newSums()
	count, err := d.encode(io.MultiWriter(w, sums), true)
	if err != nil {
		return Written{}, err
	}
	return Written{BOMRef: sums.ref(d.head.SerialNumber), Components: count}, nil
}

// encode writes the JSON object and returns how many components it holds, nested ones included.
func (d document) encode(w io.Writer, pretty bool) (int, error) {
	e := newElements(w, pretty)
	e.head(d.head)
	count := 0
	for c := range d.components {
		count += countComponents(c)
		if e.element("components", c); e.err != nil {
			break
		}
	}
	for x := range d.dependencies {
		if e.element("dependencies", x); e.err != nil {
			break
		}
	}
	for _, x := range d.compositions {
		e.element("compositions", x)
	}
	if err := e.end(); err != nil {
		return 0, fmt.Errorf("encoding CycloneDX: %w", err)
	}
	return count, nil
}

func countComponents(c cdx.Component) int {
	n := 1
	if c.Components != nil {
		for _, below := range *c.Components {
			n += countComponents(below)
		}
	}
	return n
}

// elements writes one JSON object whose last keys hold lists, element by element: no more than one element is in memory.
type elements struct {
	out    *bufio.Writer
	buffer bytes.Buffer
	pretty bool
	list   string // key of the open list; empty: none is open
	err    error
}

func newElements(w io.Writer, pretty bool) *elements {
	return &elements{out: bufio.NewWriterSize(w, 64<<10), pretty: pretty}
}

func (e *elements) head(v any) {
	e.encode(v, "")
	e.put(strings.TrimRight(strings.TrimSuffix(e.buffer.String(), "}"), "\n"))
}

// element appends to the list under a key; keys must come in order.
func (e *elements) element(key string, v any) {
	switch {
	case e.list == key:
		e.put(",\n")
	case e.list != "":
		e.closeList()
		fallthrough
	default:
		e.put(",\n  \"" + key + "\": [\n")
		e.list = key
	}
	e.encode(v, "    ")
	if e.pretty {
		e.put("    ")
	}
	if e.err == nil {
		_, e.err = e.out.Write(e.buffer.Bytes())
	}
}

func (e *elements) closeList() {
	e.put("\n  ]")
	e.list = ""
}

func (e *elements) end() error {
	if e.list != "" {
		e.closeList()
	}
	e.put("\n}\n")
	if e.err == nil {
		e.err = e.out.Flush()
	}
	return e.err
}

// encode fills the buffer with the JSON of one value, without a line feed at its end.
func (e *elements) encode(v any, prefix string) {
	if e.err != nil {
		return
	}
	e.buffer.Reset()
	enc := json.NewEncoder(&e.buffer)
	enc.SetEscapeHTML(false)
	if e.pretty {
		enc.SetIndent(prefix, "  ")
	}
	e.err = enc.Encode(v)
	e.buffer.Truncate(len(bytes.TrimRight(e.buffer.Bytes(), "\n")))
}

func (e *elements) put(s string) {
	if e.err == nil {
		_, e.err = e.out.WriteString(s)
	}
}

// sums are the two digests by which one document names another.
type sums struct{ short, long hash.Hash }

func newSums() sums { return sums{sha256.New(), sha512.New()} }

func (s sums) Write(p []byte) (int, error) {
	s.short.Write(p)
	return s.long.Write(p)
}

func (s sums) ref(serialNumber string) BOMRef {
	return BOMRef{SerialNumber: serialNumber, Version: 1, SHA256: hex.EncodeToString(s.short.Sum(nil)), SHA512: hex.EncodeToString(s.long.Sum(nil))}
}

// newBOM returns the head of a document: everything but serial number, timestamp and lists.
func newBOM(root *cdx.Component, phase cdx.LifecyclePhase, scanner string, opt BOMOptions) *cdx.BOM {
	bom := cdx.NewBOM()
	pegel := cdx.Component{Type: cdx.ComponentTypeApplication, Name: "pegel", Version: clip(opt.ToolVersion)}
	if scanner != "" {
		pegel.Properties = properties(propertyScanner, scanner)
	}
	distribution, form, hidden := cdx.TLPClassificationClear, "public", ""
	if opt.Internal {
		distribution, form = cdx.TLPClassificationAmber, "full"
	}
	if opt.Counts {
		hidden = "packages, but for their number"
	}
	bom.Metadata = &cdx.Metadata{
		Lifecycles:              &[]cdx.Lifecycle{{Phase: phase}},
		Tools:                   &cdx.ToolsChoice{Components: &[]cdx.Component{pegel}},
		Component:               root,
		DistributionConstraints: &cdx.DistributionConstraints{TLP: distribution},
		Properties:              properties(propertyForm, form, propertyHidden, hidden),
	}
	if maker := entityOf(opt.Creator, opt.CreatorURL); maker != nil {
		bom.Metadata.Manufacturer = maker
		if opt.Creator != "" {
			bom.Metadata.Authors = &[]cdx.OrganizationalContact{{Name: opt.Creator}}
		}
	}
	return bom
}

// entityOf returns an entity with name and address, or nil if neither is known.
func entityOf(name, address string) *cdx.OrganizationalEntity {
	if !webAddress(address) {
		address = ""
	}
	if name == "" && address == "" {
		return nil
	}
	entity := &cdx.OrganizationalEntity{Name: name}
	if address != "" {
		entity.URL = &[]string{address}
	}
	return entity
}
