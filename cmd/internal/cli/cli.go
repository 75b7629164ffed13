// Package cli is Pegel's command line: it reads flags and files, calls the pipeline and writes what it returns. One file
// a command. Results go to standard output, everything else to standard error.
package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
)

// World is what the program may touch: the streams, the environment and the clock.
type World struct {
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Now            func() time.Time
	Terminal       bool // standard error is a terminal: show progress
	Color          bool // standard output is a terminal that may show colour
	Width          int  // of the terminal; 0 if it is not known
	ASCII          bool // standard output is a terminal that shows no other characters
}

// Process returns the world of this process.
func Process() World {
	return World{
		Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Now: time.Now,
		Terminal: isTerminal(os.Stderr),
		Color:    isTerminal(os.Stdout) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		Width:    terminalWidth(os.Stdout, os.Getenv("COLUMNS")),
		ASCII:    isTerminal(os.Stdout) && asciiLocale(os.Getenv),
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Main runs one command and returns the exit code.
func Main(args []string, w World) (code int) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(w.Stderr, "pegel: internal error: %s\nhint: please report it with the command you ran; PEGEL_DEBUG=1 prints where it happened\n", printable(fmt.Sprint(r)))
			if w.Getenv("PEGEL_DEBUG") != "" {
				w.Stderr.Write(debug.Stack())
			}
			code = exitInternal
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	root := newRoot(w)
	root.SetArgs(args)
	root.SetOut(w.Stdout)
	root.SetErr(w.Stderr)
	err := root.ExecuteContext(ctx)
	explain(w.Stderr, err)
	return exitCode(err)
}

func newRoot(w World) *cobra.Command {
	root := &cobra.Command{
		Use:   "pegel",
		Short: "Measure how open and sovereign a cloud is, with evidence that anyone can replay",
		Long: "Pegel reads what a cloud runs, writes its SBOM, finds the upstream projects behind it, gathers evidence and decides,\n" +
			"line by line, whether the cloud meets the criteria for SCS-open and SCS-sovereign. The criteria are a proposal:\n" +
			"a report of Pegel is not an SCS certificate.\n\n" + exitTable,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &pipeline.UsageError{Err: err, Hint: cmd.CommandPath() + " --help lists the flags"}
	})
	root.PersistentFlags().Bool("quiet", false, "print no progress and no notes")
	root.PersistentFlags().BoolP("verbose", "v", false, "print what is being done to standard error")
	for _, sub := range commands(w) {
		root.AddCommand(sub)
	}
	prepare(root)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return fromEnvironment(cmd, w) }
	return root
}

// prepare turns what cobra finds wrong with arguments into usage errors.
func prepare(cmd *cobra.Command) {
	check := cmd.Args
	if check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return &pipeline.UsageError{Err: err, Hint: "usage: " + cmd.UseLine()}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		prepare(sub)
	}
}

// fromEnvironment fills flags that were not given from PEGEL_<FLAG>, e.g. PEGEL_CACHE_DIR for --cache-dir.
func fromEnvironment(cmd *cobra.Command, w World) error {
	var failed error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := "PEGEL_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v := w.Getenv(name); v != "" && !f.Changed && failed == nil {
			if err := cmd.Flags().Set(f.Name, v); err != nil {
				failed = &pipeline.UsageError{Err: fmt.Errorf("environment %s: %w", name, err)}
			}
		}
	})
	return failed
}

// clock is the time of the run: SOURCE_DATE_EPOCH if it is set, for reproducible runs, else now.
func clock(w World) (time.Time, error) {
	text := w.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return w.Now().UTC(), nil
	}
	var sec int64
	if _, err := fmt.Sscanf(text, "%d", &sec); err != nil || fmt.Sprint(sec) != text {
		return time.Time{}, &pipeline.UsageError{Err: fmt.Errorf("environment SOURCE_DATE_EPOCH: %q is no number of seconds", text)}
	}
	t := time.Unix(sec, 0).UTC()
	if t.Year() < 1970 || t.Year() > 2199 {
		return time.Time{}, &pipeline.UsageError{Err: fmt.Errorf("environment SOURCE_DATE_EPOCH: %q is no time of ours", text)}
	}
	return t, nil
}

// gathering are the flags of every command that reads a stack or a repository.
type gathering struct {
	at       string
	offline  bool
	bundle   string
	mirrors  []string
	cacheDir string
	scopes   []string
	from     []string
	anew     []string
	said     []string
	policy   string
	policies []string
	signers  string
}

func (g *gathering) register(cmd *cobra.Command, withBundle bool) {
	f := cmd.Flags()
	f.StringVar(&g.at, "at", "", "evaluate as of this `DATE` (2026-11-24); histories are cut there")
	f.BoolVar(&g.offline, "offline", false, "no network: only local files, sockets of this machine, local clones and recorded evidence")
	f.StringSliceVar(&g.mirrors, "mirror", nil, "`DIR` with local clones of upstream repositories (repeatable)")
	f.StringVar(&g.cacheDir, "cache-dir", "", "`DIR` for clones, layers of images and answers of servers; default: the user's cache directory")
	f.StringSliceVar(&g.said, "corrections", nil, "`DIR` with correction files of projects, beside those of the catalogue (repeatable)")
	if withBundle {
		f.StringVar(&g.bundle, "bundle", "pegel-bundle", "`DIR` to write the evidence bundle to")
		f.StringSliceVar(&g.scopes, "scope", nil, "judge this `SCOPE` instead of those of the stack file (repeatable)")
		policyFlags(cmd, &g.policy, &g.policies, &g.signers)
		g.registerRecorded(cmd)
	}
}

// registerRecorded adds the flags about evidence that was recorded before.
func (g *gathering) registerRecorded(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&g.from, "from", nil, "take facts from a recorded bundle before the world is asked: a `DIR`, or oci:REF for one in a registry (repeatable)")
	f.StringSliceVar(&g.anew, "anew", nil, "collect again although a recording has it: `PROJECT`, PROJECT:COLLECTOR or :COLLECTOR, e.g. keystone:git (repeatable)")
}

func (g *gathering) options(cmd *cobra.Command, w World) (pipeline.Options, error) {
	at, err := pipeline.ParseDay(g.at)
	if err != nil {
		return pipeline.Options{}, &pipeline.UsageError{Err: fmt.Errorf("flag --at: %w", err)}
	}
	now, err := clock(w)
	if err != nil {
		return pipeline.Options{}, err
	}
	g.scopes = slices.DeleteFunc(g.scopes, func(s string) bool { return s == "" })
	if g.cacheDir == "" {
		if dir, err := os.UserCacheDir(); err == nil {
			g.cacheDir = filepath.Join(dir, "pegel")
		}
	}
	again, err := pipeline.ParseAnew(g.anew)
	if err != nil {
		return pipeline.Options{}, err
	}
	return pipeline.Options{
		Anew: again, Version: version(), Now: now, At: at, Offline: g.offline, Bundle: g.bundle, Mirrors: g.mirrors,
		CacheDir: g.cacheDir, Scopes: g.scopes, Evidence: g.from, Corrections: g.said,
		Policy: g.policy, Policies: g.policies, PolicySigners: g.signers, Getenv: w.Getenv, Log: logger(cmd, w), Progress: progress(cmd, w),
	}, nil
}

func logger(cmd *cobra.Command, w World) *slog.Logger {
	if verbose, _ := cmd.Flags().GetBool("verbose"); !verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(w.Stderr, nil))
}

// progress draws one own line on a terminal and stays quiet in a pipe.
func progress(cmd *cobra.Command, w World) func(string, int, int) {
	if quiet, _ := cmd.Flags().GetBool("quiet"); quiet || !w.Terminal {
		return nil
	}
	return func(stage string, done, total int) {
		if done >= total {
			fmt.Fprint(w.Stderr, "\r\x1b[K")
			return
		}
		fmt.Fprintf(w.Stderr, "\r\x1b[K%s %d of %d", printable(stage), done+1, total)
	}
}
