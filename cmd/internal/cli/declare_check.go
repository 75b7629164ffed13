package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/declaration"
	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/cmd/internal/visit"
)

func declareCheckCommand(w World) *cobra.Command {
	var moment, allowed string
	var acceptances []string
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Say whether declarations can be read, hold, and were accepted; pages are not looked at",
		Long: "Say of each declaration in FILE until when it counts, whether its files are there unchanged, its digest, which a reviewer\n" +
			"accepts, and what reviewers say. Pages are not looked at: pegel audit does that.\n\n" +
			"An acceptance FILE is signed by its reviewer: ssh-keygen -Y sign -n " + declaration.Namespace + " -f KEY FILE writes FILE.sig.\n\n" +
			"Exit code 1: a declaration expired, its evidence is not what was declared, or a reviewer disputes it.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := pipeline.ParseDay(moment)
			if err != nil {
				return &pipeline.UsageError{Err: fmt.Errorf("flag --at: %w", err)}
			}
			if at.IsZero() {
				if at, err = clock(w); err != nil {
					return err
				}
			}
			data, err := readRegular(args[0], 1<<20)
			if err != nil {
				return &pipeline.UsageError{Err: fmt.Errorf("reading declarations %q: %w", args[0], err)}
			}
			f, err := declaration.Parse(data, args[0])
			if err != nil {
				return &pipeline.UsageError{Err: err, Hint: "docs/declarations.md has the form"}
			}
			reviewers, err := readAcceptances(acceptances, allowed, at)
			if err != nil {
				return err
			}
			looks := visit.Declared(cmd.Context(), f, visit.DeclaredOptions{Dir: filepath.Dir(args[0]), At: at})
			return writeDeclared(w, f, judgeFiles(f, at, declaration.LookedAt(looks)), reviewers, at)
		},
	}
	cmd.Flags().StringVar(&moment, "at", "", "judge this `DAY` (default: now)")
	cmd.Flags().StringArrayVar(&acceptances, "acceptance", nil, "`FILE` of a reviewer, whose signature is FILE.sig (repeatable)")
	cmd.Flags().StringVar(&allowed, "allowed-signers", "", "`FILE` of the reviewers' keys, as ssh-keygen has them")
	return cmd
}

// judgeFiles judges with pages taken for unchanged, since only files were looked at.
func judgeFiles(f declaration.File, at time.Time, looked declaration.Looked) []declaration.Result {
	return declaration.Judge(f, at, func(e declaration.Evidence) (audit.Seen, bool) {
		if e.URL != "" {
			return audit.Seen{URL: e.URL, Digest: e.Digest}, true
		}
		return looked(e)
	})
}

func readAcceptances(files []string, allowed string, at time.Time) ([]declaration.Acceptance, error) {
	fail := func(name string, err error) ([]declaration.Acceptance, error) {
		return nil, &pipeline.UsageError{Err: fmt.Errorf("reading %q: %w", name, err)}
	}
	var signers []byte
	if allowed != "" {
		var err error
		if signers, err = readRegular(allowed, 1<<20); err != nil {
			return fail(allowed, err)
		}
	}
	var out []declaration.Acceptance
	for _, name := range files {
		data, err := readRegular(name, 1<<20)
		if err != nil {
			return fail(name, err)
		}
		var sig []byte
		if _, err := os.Stat(name + ".sig"); !errors.Is(err, os.ErrNotExist) {
			if sig, err = readRegular(name+".sig", 64<<10); err != nil {
				return fail(name+".sig", err)
			}
		}
		a, err := declaration.ParseAcceptance(data, sig, signers, name, at)
		if err != nil {
			return nil, &pipeline.UsageError{Err: err, Hint: "docs/declarations.md has the form"}
		}
		out = append(out, a)
	}
	return out, nil
}

func writeDeclared(w World, f declaration.File, results []declaration.Result, reviewers []declaration.Acceptance, at time.Time) error {
	note := ""
	if slices.ContainsFunc(f.At(at), func(e declaration.Evidence) bool { return e.URL != "" }) {
		note = "; pages were not looked at"
	}
	fmt.Fprintf(w.Stdout, "%s (%s), judged on %s%s\n", printable(f.Who), printable(f.Role), at.Format(time.DateOnly), note)
	found := false
	for _, r := range declaration.Reviewed(results, reviewers, at) {
		word := r.Outcome.String()
		if r.Tentative() {
			word = "TENTATIVE"
		}
		found = found || r.Outcome != audit.PASS
		fmt.Fprintf(w.Stdout, "%-9s %s: %s\n          %s\n", word, r.ID, printable(r.Reason), r.Digest)
		for _, n := range r.Review.Notes {
			fmt.Fprintf(w.Stdout, "          %s\n", printable(n))
		}
	}
	if found {
		return status(exitNotEligible)
	}
	return nil
}
