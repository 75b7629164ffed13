// Command validate measures what the scores of upstream projects are worth: it scores projects as they were before
// something happened to them that nobody here decided (archived, retired, relicensed; or promoted, kept), and says how well
// each aspect tells the two apart, how sure that is, where it is wrong, and whether simple numbers do as well. It is for
// developers and not shipped: "make validate CLONES=DIR" runs it.
//
// What comes in are validation/outcomes.yaml, validation/split.yaml and local clones. What goes out are
// validation/results.json and the tables in docs/validity.md. It contacts nobody.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], time.Now(), os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "validate:", err)
		os.Exit(1)
	}
}

// run evaluates the clones and writes the results and the document.
func run(ctx context.Context, args []string, now time.Time, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("validate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	clones := flags.String("clones", "", "`directory` with clones; none makes the document from the results of the last run")
	outcomesFile := flags.String("outcomes", "validation/outcomes.yaml", "`file` of outcomes")
	splitFile := flags.String("split", "validation/split.yaml", "`file` that says which project is in which half")
	resultsFile := flags.String("results", "validation/results.json", "`file` for what each project scored")
	out := flags.String("out", "", "`file` with the markers between which the tables are written; none writes to standard output")
	list := flags.Bool("list", false, "only list the commands that make the clones")
	jobs := flags.Int("jobs", runtime.NumCPU(), "projects read at once")
	if err := flags.Parse(args); err != nil {
		return err
	}
	o, err := readOutcomes(*outcomesFile)
	if err != nil {
		return err
	}
	s, err := readSplit(*splitFile, o)
	if err != nil {
		return err
	}
	if *list {
		_, err := io.WriteString(stdout, cloneCommands(o.Outcomes))
		return err
	}
	r, err := evaluateOrRead(ctx, o, s, *clones, *resultsFile, now, *jobs, stderr)
	if err != nil {
		return err
	}
	tables := document(o, s, r)
	if *out == "" {
		_, err := io.WriteString(stdout, tables)
		return err
	}
	return writeBetweenMarkers(*out, tables)
}

// evaluateOrRead reads the clones, or without them the results of the last run. It says which clones are missing.
func evaluateOrRead(ctx context.Context, o outcomes, s split, clones, resultsFile string, now time.Time, jobs int, stderr io.Writer) (results, error) {
	if clones == "" {
		return readResults(resultsFile, o, s)
	}
	if info, err := os.Stat(clones); err != nil || !info.IsDir() {
		return results{}, fmt.Errorf("%q is no directory of clones; make one with these commands:\n%s", clones, cloneCommands(o.Outcomes))
	}
	r, err := evaluate(ctx, o, s, clones, now, jobs, stderr)
	if err != nil {
		return r, err
	}
	missing := r.missing(o)
	if len(missing) > 0 {
		fmt.Fprintf(stderr, "%d of %d projects have no clone in the directory; these commands, run there, make them:\n%s",
			len(missing), len(o.Outcomes), cloneCommands(missing))
	}
	if len(missing) == len(o.Outcomes) {
		return r, errors.New("no clone was found, so nothing was measured and nothing was written")
	}
	return r, r.write(resultsFile)
}
