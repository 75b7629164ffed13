package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// session is one run of all measurements.
type session struct {
	images []string // layouts, sorted
	work   string   // temporary directory of the run
	keep   string   // where documents of the tools are kept; empty: nowhere
	only   string   // part of the names of the rows that are wanted; empty: all
	rows   []row
	memory []row // of synthetic stacks
	notes  []string
}

// row is one line of a table.
type row struct {
	What   string
	Images int
	usage
	Failed []string // images that the tool could not read
}

// Rows that other rows are compared with.
const (
	floor512  = "floor: unpack, walk, SHA-512 of every file"
	floorBoth = "floor with SHA-256 too"
)

// Images of the testbed by which a single new image is measured: all layers of the first are layers of others; the second
// adds two small files to another one.
const (
	knownImage   = "openstack-base"
	changedImage = "keystone-ssh"
)

func (s *session) wants(what string) bool { return strings.Contains(what, s.only) }

func (s *session) add(what string, images int, u usage, failed ...string) {
	fmt.Fprintf(os.Stderr, "measure: %-60s %7.2f CPU-s %5d MB\n", what, u.CPU, u.Peak>>20)
	s.rows = append(s.rows, row{What: what, Images: images, usage: u, Failed: failed})
}

// measure takes all measurements. A tool that is not on PATH is a note; a tool that fails is a row that says so.
func (s *session) measure(ctx context.Context) error {
	for _, m := range []func(context.Context) error{s.floors, s.pegel, s.single, s.library, s.tools, s.synthetic} {
		if err := m(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *session) floors(ctx context.Context) error {
	for _, f := range []struct{ what, hashes string }{{floor512, "sha512"}, {floorBoth, "both"}} {
		u, _, err := start(ctx, "floor", append([]string{f.hashes}, s.images...)...)
		if err != nil {
			return err
		}
		s.add(f.what, len(s.images), u)
	}
	return nil
}

// pegel scans everything with an empty store, again in the same process, and again in a new process on the same store.
func (s *session) pegel(ctx context.Context) error {
	if !s.wants("Pegel's scanner") {
		return nil
	}
	store := filepath.Join(s.work, "store")
	u, phases, err := start(ctx, "scan", append([]string{"-store", store, "-again"}, s.images...)...)
	if err != nil {
		return err
	}
	again := phases[len(phases)-1].usage
	first := usage{CPU: u.CPU - again.CPU, Wall: u.Wall - again.Wall, Peak: phases[len(phases)-2].Peak}
	s.add("Pegel's scanner, empty store", len(s.images), first)
	s.add("Pegel's scanner, the same again in the same process", len(s.images), again)
	if u, _, err = start(ctx, "scan", append([]string{"-store", store}, s.images...)...); err != nil {
		return err
	}
	s.add("Pegel's scanner, the same again in a new process", len(s.images), u)
	return nil
}

// single scans one image that comes to the others: in a new process on a store that knows them, and in the process that
// scanned them.
func (s *session) single(ctx context.Context) error {
	for _, one := range []struct{ what, name string }{
		{"Pegel's scanner, one more image, all its layers known", knownImage},
		{"Pegel's scanner, one more image that adds two small files", changedImage},
	} {
		if !s.wants(one.what) {
			continue
		}
		var others, chosen []string
		for _, dir := range s.images {
			if filepath.Base(dir) == one.name {
				chosen = append(chosen, dir)
			} else {
				others = append(others, dir)
			}
		}
		if len(chosen) == 0 {
			s.notes = append(s.notes, fmt.Sprintf("the images have no %q: %s was not measured", one.name, one.what))
			continue
		}
		store := filepath.Join(s.work, "store-"+one.name)
		if _, _, err := start(ctx, "scan", append([]string{"-store", store}, others...)...); err != nil {
			return err
		}
		u, phases, err := start(ctx, "scan", "-store", store, chosen[0])
		if err != nil {
			return err
		}
		s.add(one.what+", in a new process", 1, u)
		if _, phases, err = start(ctx, "scan", append(append([]string{"-last"}, others...), chosen[0])...); err != nil {
			return err
		}
		s.add(one.what+", in the process that scanned the others", 1, phases[len(phases)-1].usage)
	}
	return nil
}

// library measures the syft library on its own image source, in the test binary of the one package that may import it.
func (s *session) library(ctx context.Context) error {
	what := "syft library, its own image source, default configuration"
	if !s.wants(what) {
		return nil
	}
	binary := filepath.Join(s.work, "scan.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, "github.com/pegel-audit/pegel/sbom/scan")
	if _, err := execute(build); err != nil {
		return fmt.Errorf("building the benchmark of the syft library: %w", err)
	}
	c := exec.CommandContext(ctx, binary, "-test.run", "^$", "-test.bench", "^BenchmarkSyftOnItsOwnImageSource$", "-test.benchtime", "1x")
	c.Env = append(offline(s.work), "PEGEL_MEASURE_IMAGES="+strings.Join(s.images, string(os.PathListSeparator)))
	u, err := execute(c)
	if err != nil {
		return fmt.Errorf("running the benchmark of the syft library: %w", err)
	}
	s.add(what, len(s.images), u)
	return nil
}

func (s *session) synthetic(ctx context.Context) error {
	for _, count := range []int{20, 100, 200} {
		what := fmt.Sprintf("synthetic stack of %d images", count)
		if !s.wants(what) {
			continue
		}
		_, phases, err := start(ctx, "synthetic", fmt.Sprint(count))
		if err != nil {
			return err
		}
		scanned := phases[len(phases)-1].usage
		fmt.Fprintf(os.Stderr, "measure: %-60s %7.2f CPU-s %5d MB\n", what, scanned.CPU, scanned.Peak>>20)
		s.memory = append(s.memory, row{What: what, Images: count, usage: scanned})
	}
	return nil
}
