// Command measure measures what scans of container images cost: by Pegel, by the syft library on its own image source and
// by the tools on PATH, in multiples of a floor that is measured in the same run. It is for developers and not shipped:
// "make measure" runs it on the large testbed.
//
// What comes in is a directory of OCI image layouts; what goes out are the tables in docs/benchmarks.md and the documents
// that each tool wrote. Each measurement is a process of its own, so that CPU time and memory are those of one thing. Other
// tools get a proxy that answers nothing, so that they work from the images alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

// run is a measuring process if the first argument names one, else the program that starts them.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		if job, ok := jobs[args[0]]; ok {
			return reportJob(ctx, job, args[1:])
		}
	}
	var s session
	flags := flag.NewFlagSet("measure", flag.ContinueOnError)
	images := flags.String("images", ".testbed/large/images", "`directory` of OCI image layouts")
	flags.StringVar(&s.keep, "keep", "", "`directory` for the documents that the tools write; none keeps nothing")
	flags.StringVar(&s.only, "only", "", "measure only rows whose names hold this `text`, and write no document")
	out := flags.String("out", "docs/benchmarks.md", "`file` with the markers between which the tables are written")
	if err := flags.Parse(args); err != nil {
		return err
	}
	layouts, err := filepath.Glob(filepath.Join(*images, "*", "index.json"))
	if err != nil || len(layouts) == 0 {
		return fmt.Errorf("%q holds no OCI image layout: run make testbed-large", *images)
	}
	for _, l := range layouts {
		dir, err := filepath.Abs(filepath.Dir(l))
		if err != nil {
			return err
		}
		s.images = append(s.images, dir)
	}
	slices.Sort(s.images)
	if s.work, err = os.MkdirTemp("", "pegel-measure-"); err != nil {
		return err
	}
	defer os.RemoveAll(s.work)
	// what a measuring process leaves when it is killed lies below, and is removed with it
	if err := os.Setenv("TMPDIR", s.work); err != nil {
		return err
	}
	if err := s.measure(ctx); err != nil {
		return err
	}
	checked, err := s.checkDocuments()
	if err != nil {
		return err
	}
	licences, err := s.licences(time.Now())
	if err != nil {
		return err
	}
	text := s.document(ctx) + licences + documentsTable(checked)
	if s.only != "" {
		fmt.Print(text)
		return nil
	}
	return replaceBetweenMarkers(*out, text)
}

// Markers of the generated part of a document.
const (
	beginMark = "<!-- measured: begin -->"
	endMark   = "<!-- measured: end -->"
)

// replaceBetweenMarkers writes the text between the markers of the file, which appears whole or not at all.
func replaceBetweenMarkers(name, text string) error {
	raw, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(raw), beginMark)
	_, after, ended := strings.Cut(rest, endMark)
	if !found || !ended {
		return fmt.Errorf("%q lacks the lines %q and %q", name, beginMark, endMark)
	}
	temp, err := os.CreateTemp(filepath.Dir(name), ".measured-")
	if err != nil {
		return err
	}
	_, err = temp.WriteString(before + beginMark + "\n" + text + endMark + after)
	err = errors.Join(err, temp.Chmod(0o644), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}
