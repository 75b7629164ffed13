// Package quality says how well an SBOM, made by anybody, states what guidelines demand: per field, how many components
// state it in a valid form. In comes one document as a stream (CycloneDX 1.4 to 1.7, SPDX 2.2, 2.3 and 3.0 in JSON); out
// comes a value. It asks nobody, keeps no names of people, judges no licence and no vulnerability, and holds in memory a
// short record of each component, never the document. The same document gives the same value.
package quality

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Schema of the JSON form.
const Schema = "pegel/sbom-check/v1"

// Options say how to check. The zero value checks all profiles and names ten components a row.
type Options struct {
	// Profiles are ids of profiles (ProfileIDs); empty: all.
	Profiles []string
	// Strict accepts no logical components: each component needs the fields of files (BSI TR-03183-2, section 3.2.2 read narrowly).
	Strict bool
	// Names is how many components without a field are named in each row; 0 means ten, negative all, up to 50,000.
	Names int
}

// Document is what a document says about itself.
type Document struct {
	Format       string   `json:"format"`       // CycloneDX or SPDX
	SpecVersion  string   `json:"spec_version"` // e.g. 1.6
	SerialNumber string   `json:"serial_number,omitempty"`
	Root         string   `json:"root,omitempty"`  // name and version of what it describes
	Tools        []string `json:"tools,omitempty"` // as it names them
	Context      []string `json:"context,omitempty"`
	Components   int      `json:"components"` // the root included
	Logical      int      `json:"logical"`    // of these: no files of their own
	Identified   int      `json:"identified"` // of these: outside the scope of delivery, or described in another document
	Dependencies int      `json:"dependencies"`
}

// Report is what the check of one document against one profile gave.
type Report struct {
	Profile string `json:"profile"`
	Title   string `json:"title"`
	Strict  bool   `json:"strict"`
	// Fulfilled: every required field of every component is stated in a valid form, and no additional field is stated wrongly.
	Fulfilled bool `json:"fulfilled"`
	// Complete is how many components state all their required fields; StrictComplete counts with the fields of files for
	// logical components too.
	Complete       int   `json:"complete"`
	StrictComplete int   `json:"strict_complete"`
	Rows           []Row `json:"rows"`
}

// Row is one rule with what was counted. A rule about the document as a whole counts one.
type Row struct {
	Rule
	Applies   int `json:"applies"`   // components that the rule is about
	Fulfilled int `json:"fulfilled"` // of these: state it in a valid form
	Wrong     int `json:"wrong"`     // of these: state it in a form that is not valid
	// The same where logical components count as files.
	StrictApplies   int       `json:"strict_applies"`
	StrictFulfilled int       `json:"strict_fulfilled"`
	Missing         []Missing `json:"missing,omitempty"` // the first components that do not fulfil it, in the order of the document
}

// Missing is one component that does not fulfil a rule, or a fault of the document.
type Missing struct {
	Component string `json:"component,omitempty"` // name@version, cut at 120 bytes; empty: the document
	Ref       string `json:"ref,omitempty"`       // as the document refers to it, cut at 120 bytes, where that says more
	Why       string `json:"why"`
}

// Check reads one document to its end and returns one report for each profile, in the order of ProfileIDs. Errors are for
// documents that cannot be read: no JSON, another format or version, beyond a limit, broken off; and for unknown profiles.
func Check(r io.Reader, opt Options) (Document, []Report, error) {
	profiles, err := chosen(opt.Profiles)
	if err != nil {
		return Document{}, nil, err
	}
	f, err := read(r, defaults)
	if err != nil {
		return Document{}, nil, fmt.Errorf("reading SBOM: %w", err)
	}
	reports := make([]Report, 0, len(profiles))
	for _, p := range profiles {
		reports = append(reports, f.report(p, opt))
	}
	return f.doc, reports, nil
}

// read collects the facts of a document.
func read(r io.Reader, l limits) (*facts, error) {
	s := newScanner(r)
	first, err := s.peek()
	if err != nil {
		if errors.Is(err, errTooEarly) {
			err = errors.New("the document is empty")
		}
		return nil, err
	}
	if first == 0xef {
		for _, want := range []byte{0xef, 0xbb, 0xbf} { // the mark that some editors put first
			if c, err := s.next(); err != nil || c != want {
				return nil, errors.New("the document is not UTF-8")
			}
		}
		if first, err = s.peek(); err != nil {
			return nil, err
		}
	}
	switch first {
	case '{':
	case '<':
		return nil, errors.New("this is XML; convert it to JSON, e.g. with cyclonedx-cli convert")
	case 'S':
		return nil, errors.New("this looks like SPDX tag-value; convert it to SPDX JSON")
	default:
		return nil, errors.New("this is no JSON object; give CycloneDX 1.4 to 1.7 or SPDX 2.2, 2.3 or 3.0 in JSON")
	}
	d := newDispatcher(s, l)
	if err := s.object(d.member); err != nil {
		return nil, err
	}
	if err := s.finish(); err != nil {
		return nil, err
	}
	if d.f.beyond != nil {
		return nil, d.f.beyond
	}
	if err := d.identify(); err != nil {
		return nil, err
	}
	d.f.settle()
	d.f.count()
	return d.f, nil
}

// dispatcher tells the formats apart by their keys, which may stand in any order. No two formats share a key that is read.
type dispatcher struct {
	*scanner
	f         *facts
	cdx       cyclonedx
	spdx2     spdx2
	spdx3     *spdx3
	bomFormat string
	seen2     bool
}

func newDispatcher(s *scanner, l limits) *dispatcher {
	f := newFacts(l)
	c := cyclonedx{s, f}
	return &dispatcher{scanner: s, f: f, cdx: c, spdx2: spdx2{c}, spdx3: &spdx3{cyclonedx: c, toolNames: map[uint32]string{}}}
}

func (d *dispatcher) member(key []byte) error {
	switch string(key) {
	case "bomFormat":
		return d.text(func(v []byte) { d.bomFormat = string(clip(v, 40)) })
	case "spdxVersion":
		d.seen2 = true
	case "@graph":
		return d.spdx3.graph()
	}
	if known, err := d.cdx.member(key); known || err != nil {
		return err
	}
	if known, err := d.spdx2.member(key); known || err != nil {
		return err
	}
	return d.skip()
}

// identify decides which format it was, and completes what that format leaves to the end.
func (d *dispatcher) identify() error {
	version := d.f.doc.SpecVersion
	switch seen := one(d.bomFormat != "") + one(d.seen2) + one(d.spdx3.seen); {
	case seen > 1:
		return errors.New("this claims to be of two formats at once")
	case d.bomFormat == "CycloneDX":
		d.f.doc.Format = "CycloneDX"
		if !slices.Contains([]string{"1.4", "1.5", "1.6", "1.7"}, version) {
			return fmt.Errorf("specVersion is %q, want 1.4, 1.5, 1.6 or 1.7", version)
		}
		return nil
	case d.seen2:
		d.f.doc.Format = "SPDX"
		if !knownSPDX2(version) {
			return fmt.Errorf("spdxVersion is %q, want SPDX-2.2 or SPDX-2.3", version)
		}
		return nil
	case d.spdx3.seen:
		d.f.doc.Format = "SPDX"
		if !strings.HasPrefix(version, "3.") {
			return fmt.Errorf("specVersion is %q, want a version 3 of SPDX in an element CreationInfo", version)
		}
		d.spdx3.resolve()
		return nil
	}
	return errors.New("this is neither CycloneDX nor SPDX; give CycloneDX 1.4 to 1.7 or SPDX 2.2, 2.3 or 3.0 in JSON")
}

// refuseExternal judges like a file the product itself, where it says that it is outside the scope of delivery.
func (f *facts) refuseExternal() {
	for _, chunk := range f.components.chunks {
		for i := range chunk {
			if chunk[i].kind == kindExternal && chunk[i].root {
				chunk[i].kind = kindFile
			}
		}
	}
}

// count sums up what the document lists.
func (f *facts) count() {
	f.refuseExternal()
	f.doc.Dependencies = f.edges.n
	for _, chunk := range f.components.chunks {
		for i := range chunk {
			f.doc.Components += one(chunk[i].kind != kindNone)
			switch chunk[i].kind {
			case kindLogical:
				f.doc.Logical++
			case kindExternal, kindReferenced, kindHeading:
				f.doc.Identified++
			}
		}
	}
}
