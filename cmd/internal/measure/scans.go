package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"

	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/scan"
)

// scanJob scans layouts with Pegel's scanner, one after the other, and with -again once more. Each round is a phase; making
// the scanner is one too. It can be run by hand: go run ./cmd/internal/measure scan -profile FILE LAYOUT...
func scanJob(ctx context.Context, args []string) (phases []phase, err error) {
	flags := flag.NewFlagSet("scan", flag.ContinueOnError)
	store := flags.String("store", "", "directory of the layer store")
	profile := flags.String("profile", "", "`file` for the CPU profile")
	again := flags.Bool("again", false, "scan everything a second time in the same process")
	last := flags.Bool("last", false, "the last layout is a phase of its own")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, err
		}
		defer pprof.StopCPUProfile()
	}
	temp, err := os.MkdirTemp("", "pegel-measure-scan-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	var scanner *scan.Scanner
	made, err := timed("making the scanner", func() (err error) {
		scanner, err = scan.New(scan.Options{TempDir: temp, Store: *store, Depth: sbom.DepthEntries})
		return err
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, scanner.Close()) }()
	phases = append(phases, made)
	layouts, n := flags.Args(), flags.NArg()
	rounds := [][]string{layouts}
	if *last && n > 1 {
		rounds = [][]string{layouts[:n-1], layouts[n-1:]}
	}
	if *again {
		rounds = append(rounds, layouts)
	}
	for i, round := range rounds {
		p, err := timed(fmt.Sprintf("round %d", i+1), func() error { return scanAll(ctx, scanner, round) })
		if err != nil {
			return nil, err
		}
		phases = append(phases, p)
	}
	return phases, nil
}

func scanAll(ctx context.Context, s *scan.Scanner, layouts []string) error {
	for _, dir := range layouts {
		name := filepath.Base(dir)
		p, err := s.Scan(ctx, sbom.Target{Path: dir, Form: scan.FormOCIDir, Artifact: sbom.Artifact{ID: "image:" + name, Kind: sbom.KindImage, Name: name}})
		if err != nil {
			return err
		}
		if found, ok := p.Components.Get(); !ok || len(found) == 0 {
			return fmt.Errorf("no components were found in %q", name)
		}
	}
	return nil
}
