package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/sbom"
)

// stackDocument is the name of the file that describes a whole stack.
const stackDocument = "stack.cdx.json"

// BOMForm says in which form SBOMs are written. The zero value is the full form in CycloneDX 1.7, one document for each
// artifact and, of a stack, one that points to these.
type BOMForm struct {
	Format      string // sbom.FormatCycloneDX, also if empty, or sbom.FormatSPDX
	SpecVersion string // sbom.CycloneDX17, also if empty, or sbom.CycloneDX16
	Public      bool   // leave out what only insiders know (sbom.PublicForm)
	Counts      bool   // in the public form: numbers of packages instead of packages
	Flat        bool   // one document with every package once, instead of one for each artifact
	Creator     string // organisation that makes the documents; empty: the operator of the stack, if there is one
	CreatorURL  string
}

// Contents are artifacts with what is in them, read and ready to be written as SBOMs.
type Contents struct {
	inventory sbom.Inventory
	packages  []sbom.Packages
	options   sbom.BOMOptions
	stack     *StackSubject // nil if only targets were named
}

// BOMDocument is one SBOM that is not yet written.
type BOMDocument struct {
	FileName string // unique in a run
	Write    func(w io.Writer) error
}

// ReadContents reads targets: either one stack file (its name ends in .yaml or .yml), or any number of OCI layout
// directories, archives and host:DIR. Of a stack, what could not be read is part of the documents; a target that cannot
// be read is a *UsageError.
func ReadContents(ctx context.Context, targets []string, opt Options) (*Contents, error) {
	for _, name := range targets {
		if isStackFile(name) {
			if len(targets) > 1 {
				return nil, usagef("name the stack file alone", "reading target %q: a stack is not written together with other targets", name)
			}
			return readStackContents(ctx, name, opt)
		}
	}
	g := &gatherer{opt: opt, at: opt.Now.UTC().Truncate(1e9)}
	if !opt.At.IsZero() {
		g.at = opt.At
	}
	options, err := g.bomOptions()
	if err != nil {
		return nil, err
	}
	out := &Contents{options: options}
	g.scanner = g.newScanner() // one for all targets
	defer g.scanner.close()
	var found []sbom.Inventory
	for i, name := range targets {
		opt.progress("scanning", i, len(targets))
		inv, pkgs, err := g.target(ctx, name)
		if err != nil {
			return nil, err
		}
		found = append(found, inv)
		out.add(pkgs)
	}
	opt.progress("scanning", len(targets), len(targets))
	out.packages = g.licences(ctx, out.packages, recording{}) // of the same package in another target
	out.inventory = sbom.Merge(found...)
	return out, nil
}

// add takes over packages; a target that was named twice counts once.
func (c *Contents) add(pkgs []sbom.Packages) {
	for _, p := range pkgs {
		if !slices.ContainsFunc(c.packages, func(x sbom.Packages) bool { return x.Artifact == p.Artifact }) {
			c.packages = append(c.packages, p)
		}
	}
}

// Unread names what no document lists because it could not be read, with the reason, sorted.
func (c *Contents) Unread() []string {
	names := byID(c.inventory)
	var out []string
	for _, f := range c.inventory.Failures {
		out = append(out, f.Source+": "+f.Reason)
	}
	for _, p := range c.packages {
		if p.Components.Failure != "" {
			out = append(out, cmp.Or(names[p.Artifact].Name, p.Artifact)+": "+p.Components.Failure)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func isStackFile(name string) bool {
	ext := filepath.Ext(name)
	info, err := os.Stat(name)
	return (ext == ".yaml" || ext == ".yml") && (err != nil || info.Mode().IsRegular())
}

func readStackContents(ctx context.Context, name string, opt Options) (*Contents, error) {
	stack, err := ReadStack(name)
	if err != nil {
		return nil, err
	}
	g, err := prepare(stack, opt)
	if err != nil {
		return nil, err
	}
	options, err := g.bomOptions()
	if err != nil {
		return nil, err
	}
	recorded, err := g.recorded(ctx)
	if err != nil {
		return nil, err
	}
	inv := g.inventory(ctx)
	out := &Contents{inventory: inv, options: options, stack: &stack.Subject}
	out.packages = g.licences(ctx, g.packages(ctx, inv), recorded)
	return out, ctx.Err()
}

// target reads one target that is no stack.
func (g *gatherer) target(ctx context.Context, name string) (sbom.Inventory, []sbom.Packages, error) {
	fail := func(err error) (sbom.Inventory, []sbom.Packages, error) { return sbom.Inventory{}, nil, err }
	src, err := targetSource(name, g)
	if err != nil {
		return fail(err)
	}
	inv, err := src.Inventory(ctx)
	if err != nil {
		return fail(usagef("a target is an OCI layout directory, an OCI archive, host:DIR or a stack file", "reading target %q: %w", name, err))
	}
	g.sources = []sbom.Source{src}
	g.remember([]sbom.Inventory{inv})
	for _, f := range inv.Failures {
		return fail(usagef(f.Settle, "reading target %q: %s", name, f.Reason))
	}
	pkgs := g.packages(ctx, inv)
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	for _, p := range pkgs {
		if p.Components.Failure != "" {
			return fail(usagef("give a readable image or root directory", "scanning target %q: %s", name, p.Components.Failure))
		}
	}
	return inv, pkgs, nil
}

// Documents returns what is to be written in one form, the document of the stack last. Nothing is written yet; each
// document may be written once, in this order or any other.
func (c *Contents) Documents(form BOMForm) ([]BOMDocument, error) {
	if form.Counts && !form.Public {
		return nil, usagef("add the public form", "numbers of packages instead of packages belong to the public form")
	}
	if form.Counts && form.Flat {
		return nil, usagef("choose one", "a flat document lists packages, numbers of packages hide them")
	}
	if form.Format == sbom.FormatSPDX && form.Flat {
		return nil, usagef("leave out --flatten, or write cyclonedx-json", "SPDX documents are not written flat")
	}
	w := bomWriter{inventory: c.inventory, packages: c.packages, links: map[string]sbom.BOMRef{}, options: c.options}
	w.spdx = form.Format == sbom.FormatSPDX
	w.stack = sbom.StackOptions{Name: "targets"}
	if c.stack != nil {
		w.stack.Name, w.stack.Operator = c.stack.Name, c.stack.Operator.Name
	}
	if form.Creator != "" || form.CreatorURL != "" {
		w.options.Creator, w.options.CreatorURL = form.Creator, form.CreatorURL
	}
	w.options.SpecVersion, w.options.Counts, w.options.Internal = form.SpecVersion, form.Counts, !form.Public
	if form.Public {
		public := sbom.PublicForm{Registry: reports.PublicRegistry, Address: reports.PublicAddress}
		w.inventory, w.packages = public.Of(c.inventory, c.packages)
	}
	if form.Counts {
		w.stack.PackageCounts = sbom.CountPackages(w.packages)
	}
	w.stack.BOMOptions = w.options
	return w.documents(form.Flat, c.stack != nil), nil
}

// bomWriter writes the documents of one form.
type bomWriter struct {
	inventory sbom.Inventory
	packages  []sbom.Packages
	options   sbom.BOMOptions
	stack     sbom.StackOptions
	links     map[string]sbom.BOMRef // of documents that were written, by artifact
	spdx      bool                   // write SPDX instead of CycloneDX
}

// name is the name of a file in the format that is written.
func (w *bomWriter) name(cyclonedx string) string {
	if w.spdx {
		return strings.TrimSuffix(cyclonedx, ".cdx.json") + ".spdx.json"
	}
	return cyclonedx
}

func (w *bomWriter) documents(flat, stack bool) []BOMDocument {
	if flat {
		return []BOMDocument{{FileName: stackDocument, Write: func(out io.Writer) error {
			_, err := sbom.WriteFlatBOM(out, w.inventory, w.packages, w.stack)
			return err
		}}}
	}
	artifacts := byID(w.inventory)
	var docs []BOMDocument
	var described []sbom.Packages
	for _, p := range w.packages {
		if _, known := p.Components.Get(); !known {
			continue // the document of the stack names it as unknown
		}
		described = append(described, p)
		docs = append(docs, BOMDocument{FileName: w.name(documentName(artifacts[p.Artifact])), Write: func(out io.Writer) error {
			return w.artifact(out, artifacts[p.Artifact], p)
		}})
	}
	if !stack {
		return docs
	}
	return append(docs, BOMDocument{FileName: w.name(stackDocument), Write: func(out io.Writer) error {
		for _, p := range described {
			if _, written := w.links[p.Artifact]; !written { // its document is what the link names, written here or not
				if err := w.artifact(io.Discard, artifacts[p.Artifact], p); err != nil {
					return err
				}
			}
		}
		write := sbom.WriteStackBOM
		if w.spdx {
			write = sbom.WriteStackSPDX
		}
		_, err := write(out, w.inventory, w.links, w.stack)
		return err
	}})
}

func (w *bomWriter) artifact(out io.Writer, a sbom.Artifact, p sbom.Packages) error {
	write := sbom.WriteImageBOM
	if w.spdx {
		write = sbom.WriteImageSPDX
	}
	written, err := write(out, a, p, w.options)
	if err != nil {
		return err
	}
	w.links[a.ID] = written.BOMRef
	return nil
}

// CheckCreator refuses what BSI TR-03183-2 section 5.2.1 would not take as the creator of an SBOM, and addresses of persons.
func CheckCreator(name, address string) error {
	if strings.Contains(name, "@") {
		return usagef("name an organisation", "flag --creator: %q holds an e-mail address", name)
	}
	if address == "" {
		return nil
	}
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
		return usagef("for example https://example.org/", "flag --creator-url: %q is no web address", address)
	}
	if name == "" {
		return usagef("add --creator NAME", "flag --creator-url: %w", errors.New("it needs the name of the organisation"))
	}
	return nil
}

// CheckFiles refuses what is no depth of files.
func CheckFiles(depth string) error {
	switch depth {
	case "", sbom.DepthEntries, sbom.DepthAll:
		return nil
	}
	return usagef("entries (programs and archives) or all (every executable file)", "flag --bsi-files: %w", fmt.Errorf("%q is neither entries nor all", depth))
}
