package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/scan"
)

// parallelScans bounds memory: one scan needs 150 to 250 MB (reference figures of the syft library).
const parallelScans = 2

// packages opens every artifact that a source has contents of and reads the packages in it. Artifacts are opened one by
// one as they are read, because what a source fetches takes space. The result has one entry for each artifact that was
// opened, in the order of the inventory; a failure is a fact of that entry.
func (g *gatherer) packages(ctx context.Context, inv sbom.Inventory) []sbom.Packages {
	results := make([]*sbom.Packages, len(inv.Artifacts))
	done := make(chan struct{}, len(inv.Artifacts))
	scanner := g.scanner
	if scanner == nil {
		scanner = g.newScanner()
		defer scanner.close()
	}
	var group errgroup.Group
	group.SetLimit(parallelScans)
	for i, a := range inv.Artifacts {
		group.Go(func() error {
			results[i] = g.read(ctx, a, scanner)
			done <- struct{}{}
			g.opt.progress("reading contents", len(done), len(inv.Artifacts))
			return nil
		})
	}
	_ = group.Wait() // errors are kept as facts of each artifact
	var out []sbom.Packages
	for _, p := range results {
		if p != nil {
			out = append(out, *p)
		}
	}
	return out
}

// read opens one artifact and reads it; nil if no source has its contents.
func (g *gatherer) read(ctx context.Context, a sbom.Artifact, scanner *lazyScanner) *sbom.Packages {
	if a.Excluded != "" || ctx.Err() != nil {
		return nil
	}
	target, err := g.open(ctx, a)
	if err != nil {
		p := unreadable(a, err)
		return &p
	}
	if target == nil {
		return nil
	}
	p, err := readTarget(ctx, scanner, *target)
	if target.Form == formDocument && err == nil {
		g.foreign.add(measureFile(a.ID, target.Path))
	}
	if target.Done != nil {
		err = errors.Join(err, target.Done())
	}
	if err != nil {
		p = unreadable(a, err)
	}
	p.Artifact = a.ID
	p.Declared = p.Declared || a.ByName // that these contents are what runs is said by the name alone
	return &p
}

// open asks the sources for the contents of an artifact: those that showed it under any of its names, then those that
// list nothing of their own. The first that has contents serves; a document that somebody else made is the last resort.
func (g *gatherer) open(ctx context.Context, a sbom.Artifact) (*sbom.Target, error) {
	var failed error
	var document *sbom.Target
	from := 0
	shown := a
	shown.ID = g.shownAs(a)
	for _, i := range g.asked(a) {
		s := g.sources[i]
		t, err := s.Open(ctx, shown)
		t.Artifact.ID = a.ID
		switch {
		case err == nil && t.Form != formDocument:
			if document != nil && document.Done != nil {
				_ = document.Done() // nothing was made for a file that is only read
			}
			g.contents.note(a.ID, g.sourceRegion(i))
			return &t, nil
		case err == nil && document == nil:
			document, from = &t, i
		case err != nil && !errors.Is(err, sbom.ErrNoContents):
			failed = fmt.Errorf("%s: %w", s.Name(), err)
		}
	}
	if document != nil {
		g.contents.note(a.ID, g.sourceRegion(from))
		return document, nil
	}
	return nil, failed
}

// asked lists the sources that may have the contents of an artifact, by their place, each once.
func (g *gatherer) asked(a sbom.Artifact) []int {
	keys := []string{g.shownAs(a), "image:" + string(a.Config)}
	for _, d := range a.Digests {
		keys = append(keys, "image:"+string(d))
	}
	for _, ref := range append([]string{a.Reference}, a.Aliases...) {
		keys = append(keys, "image:"+ref)
	}
	var places []int
	for _, key := range keys {
		places = append(places, g.shownBy[key]...)
	}
	var out []int
	asked := map[int]bool{}
	for _, i := range append(places, g.silent...) {
		if !asked[i] && g.mayShow(i, a) {
			asked[i] = true
			out = append(out, i)
		}
	}
	return out
}

// Forms of targets that need no scan: a document by somebody else, which contents come before, and packages that the
// source itself knows.
const (
	formDocument = "sbom"
	formPackages = "packages"
)

// lazyScanner makes the scanner when the first image needs it: building its licence classifier takes a second.
type lazyScanner struct {
	tempDir string
	store   string // where layers are kept from one run to the next; empty: nowhere
	depth   string // sbom.DepthEntries or sbom.DepthAll; empty: no files
	once    sync.Once
	scanner *scan.Scanner
	err     error
}

func (g *gatherer) newScanner() *lazyScanner {
	return &lazyScanner{tempDir: g.opt.TempDir, store: layerStore(g.opt.CacheDir), depth: g.opt.Files}
}

// layerStore is where in the cache layers of images are kept, so that the next run reads only what is new.
func layerStore(cacheDir string) string {
	if cacheDir == "" {
		return ""
	}
	return filepath.Join(cacheDir, "layers")
}

func (l *lazyScanner) get() (*scan.Scanner, error) {
	l.once.Do(func() {
		opt := scan.Options{TempDir: l.tempDir, Depth: l.depth}
		if l.store != "" {
			kept := opt
			kept.Store = l.store
			if l.scanner, l.err = scan.New(kept); l.err == nil {
				return // else the store cannot be written to, which costs time and nothing else
			}
		}
		l.scanner, l.err = scan.New(opt)
	})
	return l.scanner, l.err
}

func (l *lazyScanner) close() {
	if l.scanner != nil {
		_ = l.scanner.Close() // what it left is swept by the next run
	}
}

// readTarget reads one target: a document by our own reader, packages as they are, everything else by the scanner.
func readTarget(ctx context.Context, scanner *lazyScanner, t sbom.Target) (sbom.Packages, error) {
	switch t.Form {
	case formPackages:
		p := *t.Packages
		p.Artifact = t.Artifact.ID
		return p, nil
	case formDocument:
		data, err := readBounded(t.Path, sbom.MaxBOMFile)
		if err != nil {
			return sbom.Packages{}, err
		}
		p, _, err := sbom.ReadDocument(data)
		if err != nil {
			return sbom.Packages{}, err
		}
		p.Artifact, p.Declared = t.Artifact.ID, true
		claimedByOthers(p)
		return p, nil
	}
	s, err := scanner.get()
	if err != nil {
		return sbom.Packages{}, err
	}
	return s.Scan(ctx, t)
}

// claimedByOthers makes every licence in a document by others a claim of that document, whatever it says about where it was
// read: nobody has seen that.
func claimedByOthers(p sbom.Packages) {
	components, _ := p.Components.Get()
	for i := range components {
		for j := range components[i].Licences {
			claim := &components[i].Licences[j]
			claim.Provenance, claim.Path, claim.Origin = sbom.FromSBOM, "", audit.Origin{}
		}
	}
}

func unreadable(a sbom.Artifact, err error) sbom.Packages {
	failed := audit.Failed[[]sbom.Component](err.Error())
	failed.Settle = "give contents that can be read for " + a.Name
	return sbom.Packages{Schema: sbom.PackagesSchema, Artifact: a.ID, Components: failed}
}

// Document is one SBOM of the bundle.
type Document struct {
	FileName string // unique in a run, made from the artifact's name and digest
	Artifact string // id; empty for the document of the whole stack
	Data     []byte
}

// documents writes one CycloneDX document for each artifact whose packages are known, and one for the stack. Packages that
// contradict themselves are returned as unreadable, with the reason.
func (g *gatherer) documents(inv sbom.Inventory, pkgs []sbom.Packages) ([]Document, []sbom.Packages, error) {
	opt, err := g.bomOptions()
	if err != nil {
		return nil, nil, err
	}
	pkgs = slices.Clone(pkgs)
	docs, links := artifactDocuments(inv, pkgs, opt)
	stack, err := sbom.StackBOM(inv, links, sbom.StackOptions{
		BOMOptions: opt, Name: g.stack.Subject.Name, Operator: g.stack.Subject.Operator.Name,
	})
	if err != nil {
		return nil, nil, err
	}
	return append(docs, Document{FileName: stackDocument, Data: stack.Data}), pkgs, nil
}

// bomOptions are those of the full form, with the operator of the stack as the one who makes the documents.
func (g *gatherer) bomOptions() (sbom.BOMOptions, error) {
	judge, err := sbom.CuratedJudge(g.at)
	if err != nil {
		return sbom.BOMOptions{}, err
	}
	opt := sbom.BOMOptions{
		At: g.at, ToolVersion: g.opt.Version, Licences: judge.Of, Internal: true, Creator: g.stack.Subject.Operator.Name,
	}
	if domains := g.stack.Subject.Operator.Domains; len(domains) > 0 {
		opt.CreatorURL = "https://" + domains[0] + "/"
	}
	return opt, nil
}

// artifactDocuments writes the document of each artifact; one that cannot be written turns its entry of pkgs into a failure.
func artifactDocuments(inv sbom.Inventory, pkgs []sbom.Packages, opt sbom.BOMOptions) ([]Document, map[string]sbom.BOMRef) {
	artifacts := byID(inv)
	var docs []Document
	links := map[string]sbom.BOMRef{}
	for i, p := range pkgs {
		a := artifacts[p.Artifact]
		if _, known := p.Components.Get(); !known {
			continue
		}
		doc, err := sbom.ImageBOM(a, p, opt)
		if err != nil {
			pkgs[i] = unreadable(a, err)
			continue
		}
		docs = append(docs, Document{FileName: documentName(a), Artifact: a.ID, Data: doc.Data})
		links[a.ID] = doc.Ref()
	}
	return docs, links
}

func byID(inv sbom.Inventory) map[string]sbom.Artifact {
	artifacts := map[string]sbom.Artifact{}
	for _, a := range inv.Artifacts {
		artifacts[a.ID] = a
	}
	return artifacts
}

// documentName is a file name that is the same in every run and safe on every machine.
func documentName(a sbom.Artifact) string {
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, a.Name)
	safe = strings.TrimLeft(safe, ".")
	short := audit.DigestOf([]byte(a.ID)).Hex()[:12]
	return fmt.Sprintf("%s-%s.cdx.json", safe[:min(len(safe), 80)], short)
}

// kindOfTarget tells a directory from an archive by looking at it.
func kindOfTarget(name string) (string, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", usagef("a target is an OCI layout directory, an OCI archive, or host:DIR", "reading target %q: no such file or directory", name)
	case err != nil:
		return "", usagef("", "reading target %q: %w", name, err)
	case !info.IsDir():
		return "oci-archive", nil
	}
	if _, err := os.Stat(filepath.Join(name, "oci-layout")); err != nil {
		return "", usagef("for the root directory of a host write host:"+name, "reading target %q: it is a directory without an oci-layout file", name)
	}
	return "oci", nil
}
