package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/scan"
)

// parallelScans bounds memory: one scan needs 150 to 250 MB (reference figures of the syft library).
const parallelScans = 2

// packages opens every artifact that a source has contents of and reads the packages in it. The result has one entry for
// each artifact that was opened, in the order of the inventory; a failure is a fact of that entry.
func (g *gatherer) packages(ctx context.Context, inv sbom.Inventory) []sbom.Packages {
	targets := make([]*sbom.Target, len(inv.Artifacts))
	failures := make([]error, len(inv.Artifacts))
	wanted := 0
	for i, a := range inv.Artifacts {
		targets[i], failures[i] = g.open(ctx, a)
		if targets[i] != nil {
			wanted++
		}
	}
	results := make([]*sbom.Packages, len(inv.Artifacts))
	for i, err := range failures {
		if err != nil && targets[i] == nil {
			p := unreadable(inv.Artifacts[i], err)
			results[i] = &p
		}
	}
	if wanted > 0 {
		g.scanAll(ctx, targets, results, wanted)
	}
	var out []sbom.Packages
	for _, p := range results {
		if p != nil {
			out = append(out, *p)
		}
	}
	return out
}

// open asks the sources that showed the artifact for its contents; the first that has them serves.
func (g *gatherer) open(ctx context.Context, a sbom.Artifact) (*sbom.Target, error) {
	var failed error
	var asked []sbom.Source
	asked = append(asked, g.shownBy[a.ID]...)
	for _, ref := range append([]string{a.Reference}, a.Aliases...) {
		asked = append(asked, g.shownBy["image:"+ref]...)
	}
	var document *sbom.Target
	for _, s := range asked {
		t, err := s.Open(ctx, a)
		switch {
		case err == nil && t.Form != formDocument:
			return &t, nil
		case err == nil && document == nil:
			document = &t
		case err != nil && !errors.Is(err, sbom.ErrNoContents):
			failed = fmt.Errorf("%s: %w", s.Name(), err)
		}
	}
	return document, failed
}

// formDocument is a target that is somebody's statement; contents come before it.
const formDocument = "sbom"

func (g *gatherer) scanAll(ctx context.Context, targets []*sbom.Target, results []*sbom.Packages, wanted int) {
	scanner, err := scan.New(scan.Options{TempDir: g.opt.TempDir})
	if err == nil {
		defer scanner.Close()
	}
	var group errgroup.Group
	group.SetLimit(parallelScans)
	done := make(chan struct{}, wanted)
	for i, t := range targets {
		if t == nil {
			continue
		}
		group.Go(func() error {
			defer func() { done <- struct{}{}; g.opt.progress("scanning", len(done), wanted) }()
			p, scanErr := sbom.Packages{}, err
			if scanErr == nil {
				p, scanErr = readTarget(ctx, scanner, *t)
			}
			if scanErr != nil {
				p = unreadable(t.Artifact, scanErr)
			}
			results[i] = &p
			return nil
		})
	}
	_ = group.Wait() // errors are kept as facts of each artifact
}

// readTarget reads one target: a document by our own reader, everything else by the scanner.
func readTarget(ctx context.Context, scanner *scan.Scanner, t sbom.Target) (sbom.Packages, error) {
	if t.Form == formDocument {
		data, err := readBounded(t.Path, sbom.MaxBOMFile)
		if err != nil {
			return sbom.Packages{}, err
		}
		p, _, err := sbom.ReadDocument(data)
		if err != nil {
			return sbom.Packages{}, err
		}
		p.Artifact, p.Declared = t.Artifact.ID, true
		return p, nil
	}
	return scanner.Scan(ctx, t)
}

func unreadable(a sbom.Artifact, err error) sbom.Packages {
	failed := audit.Failed[[]sbom.Component](err.Error())
	failed.Settle = "give contents that can be read for " + a.Name
	return sbom.Packages{Schema: sbom.PackagesSchema, Artifact: a.ID, Components: failed}
}

// Document is one SBOM.
type Document struct {
	FileName string // unique in a run, made from the artifact's name and digest
	Artifact string // id; empty for the document of the whole stack
	Data     []byte
}

// documents writes one CycloneDX document for each artifact whose packages are known, and one for the stack. Packages that
// contradict themselves are returned as unreadable, with the reason.
func (g *gatherer) documents(inv sbom.Inventory, pkgs []sbom.Packages) ([]Document, []sbom.Packages, error) {
	opt := sbom.BOMOptions{At: g.at, ToolVersion: g.opt.Version, Licences: licensing, Internal: true}
	pkgs = slices.Clone(pkgs)
	docs, links := artifactDocuments(inv, pkgs, opt)
	stack, err := sbom.StackBOM(inv, links, sbom.StackOptions{
		BOMOptions: opt, Name: g.stack.Subject.Name, Operator: g.stack.Subject.Operator.Name,
	})
	if err != nil {
		return nil, nil, err
	}
	return append(docs, Document{FileName: "stack.cdx.json", Data: stack.Data}), pkgs, nil
}

// artifactDocuments writes the document of each artifact; one that cannot be written turns its entry of pkgs into a failure.
func artifactDocuments(inv sbom.Inventory, pkgs []sbom.Packages, opt sbom.BOMOptions) ([]Document, map[string]sbom.BOMRef) {
	artifacts := map[string]sbom.Artifact{}
	for _, a := range inv.Artifacts {
		artifacts[a.ID] = a
	}
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

// licensing is what Pegel stands for, from the claims that were found.
func licensing(c sbom.Component) sbom.Licensing {
	expression, class := licenceOf(c)
	return sbom.Licensing{Declared: expression, Concluded: expression, Class: string(class)}
}

// licenceOf judges the claims about a package: the copyright file first, then metadata, then the rest; claims of the same
// rank are all taken to hold. The class is unknown if there is no claim that can be read.
func licenceOf(c sbom.Component) (string, licence.Class) {
	ranks := []string{"copyright-file", "metadata", "sbom", "catalogue", "archive-area"}
	for _, rank := range ranks {
		var parts []string
		for _, claim := range c.Licences {
			if claim.Provenance == rank {
				parts = append(parts, claim.Value)
			}
		}
		if len(parts) == 0 {
			continue
		}
		expression := licence.Join(parts)
		return expression, licence.ClassOf(expression)
	}
	return "", licence.Unknown
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

// SBOM writes one CycloneDX document for each target: an OCI layout directory, an OCI archive, or host:DIR.
func SBOM(ctx context.Context, targets []string, opt Options) ([]Document, error) {
	g := &gatherer{opt: opt, at: opt.Now.UTC().Truncate(1e9)}
	if !opt.At.IsZero() {
		g.at = opt.At
	}
	var docs []Document
	for i, name := range targets {
		opt.progress("scanning", i, len(targets))
		d, err := g.target(ctx, name)
		if err != nil {
			return nil, err
		}
		docs = append(docs, d...)
	}
	opt.progress("scanning", len(targets), len(targets))
	return docs, nil
}

func (g *gatherer) target(ctx context.Context, name string) ([]Document, error) {
	src, err := targetSource(name, g)
	if err != nil {
		return nil, err
	}
	g.shownBy = map[string][]sbom.Source{}
	inv, err := src.Inventory(ctx)
	if err != nil {
		return nil, usagef("a target is an OCI layout directory, an OCI archive, or host:DIR", "reading target %q: %w", name, err)
	}
	for _, a := range inv.Artifacts {
		g.shownBy[a.ID] = []sbom.Source{src}
	}
	for _, f := range inv.Failures {
		return nil, usagef(f.Settle, "reading target %q: %s", name, f.Reason)
	}
	pkgs := g.packages(ctx, inv)
	docs, _ := artifactDocuments(sbom.Merge(inv), pkgs, sbom.BOMOptions{At: g.at, ToolVersion: g.opt.Version, Licences: licensing, Internal: true})
	for _, p := range pkgs {
		if p.Components.Failure != "" {
			return nil, usagef("give a readable image or root directory", "scanning target %q: %s", name, p.Components.Failure)
		}
	}
	return docs, nil
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
