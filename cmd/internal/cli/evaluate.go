package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
)

func evaluateCommand(w World) *cobra.Command {
	var r rendering
	var opt pipeline.AssessOptions
	var a accepting
	var changes []string
	cmd := &cobra.Command{
		Use:   "evaluate BUNDLE",
		Short: "Decide the levels from a bundle alone, without network or clock",
		Long: "Decide the levels from a bundle alone. The same bundle and the same policy give the same report, byte for byte,\n" +
			"on any machine and any day. The policy inside the bundle is used unless --policy names a directory.\n" +
			"With --what-if other components run than those that were seen: a thought that shows what a change would do.\n\n" + exitTable,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			outs, err := r.outputs()
			if err != nil {
				return err
			}
			if err := a.read(&opt); err != nil {
				return err
			}
			if opt.WhatIf, err = replacements(changes, opt.Evidence); err != nil {
				return err
			}
			report, err := pipeline.Assess(args[0], opt)
			if err != nil {
				return err
			}
			if err := r.write(w, report, outs); err != nil {
				return err
			}
			return verdictCode(report)
		},
	}
	r.register(cmd)
	assessFlags(cmd, &opt)
	a.register(cmd)
	a.registerWaivers(cmd)
	cmd.Flags().StringArrayVar(&changes, "what-if", nil, "judge as if another component ran: `replace=A:B` or replace=A:B@VERSION, ids of the catalogue (repeatable)")
	cmd.Flags().StringArrayVar(&opt.Evidence, "evidence", nil, "with --what-if: bundle `DIR` with recorded evidence of what would run instead (repeatable)")
	return cmd
}

// replacements reads the flags of a what-if.
func replacements(changes, evidence []string) ([]pipeline.Replacement, error) {
	if len(changes) == 0 && len(evidence) > 0 {
		return nil, &pipeline.UsageError{Err: fmt.Errorf("flag --evidence: there is no --what-if that needs it"), Hint: "what decides is in the bundle; pegel collect gathers more"}
	}
	var out []pipeline.Replacement
	for _, text := range changes {
		c, err := pipeline.ParseReplacement(text)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func reportCommand(w World) *cobra.Command {
	var r rendering
	var opt pipeline.AssessOptions
	var a accepting
	cmd := &cobra.Command{
		Use:   "report BUNDLE",
		Short: "Write the report of a bundle; the exit code says only whether that worked",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			outs, err := r.outputs()
			if err != nil {
				return err
			}
			if err := a.read(&opt); err != nil {
				return err
			}
			report, err := pipeline.Assess(args[0], opt)
			if err != nil {
				return err
			}
			return r.write(w, report, outs)
		},
	}
	r.register(cmd)
	cmd.Flags().StringVar(&r.name, "subject", "", "`NAME` of the cloud at the compliance monitor of SCS, for scs-report; default: its name in the stack file")
	assessFlags(cmd, &opt)
	a.register(cmd)
	a.registerWaivers(cmd)
	return cmd
}

// accepting are the flags about what reviewers accept of declarations, and about failures that somebody lives with.
type accepting struct {
	acceptances []string
	waivers     []string
	signers     string
}

func (a *accepting) register(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&a.acceptances, "acceptance", nil, "what a reviewer says about declarations: `FILE`, signed in FILE.sig (repeatable)")
	cmd.Flags().StringVar(&a.signers, "allowed-signers", "", "`FILE` with those whose signatures of acceptances and waivers count, as ssh-keygen reads it")
}

// registerWaivers adds the flag of those commands that judge levels.
func (a *accepting) registerWaivers(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&a.waivers, "waivers", nil, "failures that somebody lives with for a while: `FILE`, signed in FILE.sig (repeatable)")
}

// read reads the files into the options.
func (a *accepting) read(opt *pipeline.AssessOptions) error {
	if len(a.acceptances) > 0 && a.signers == "" {
		return &pipeline.UsageError{Err: fmt.Errorf("flag --acceptance: nobody said which reviewers may sign"), Hint: "name them with --allowed-signers FILE"}
	}
	if len(a.waivers) > 0 && a.signers == "" {
		return &pipeline.UsageError{Err: fmt.Errorf("flag --waivers: nobody said who may waive"), Hint: "name them with --allowed-signers FILE"}
	}
	for _, name := range a.waivers {
		one, err := pipeline.ReadWaivers(name)
		if err != nil {
			return err
		}
		opt.Waivers = append(opt.Waivers, one)
	}
	for _, name := range a.acceptances {
		one, err := pipeline.ReadAcceptance(name)
		if err != nil {
			return err
		}
		opt.Acceptances = append(opt.Acceptances, one)
	}
	if a.signers == "" {
		return nil
	}
	var err error
	opt.Reviewers, err = pipeline.ReadReviewers(a.signers)
	return err
}

func assessFlags(cmd *cobra.Command, opt *pipeline.AssessOptions) {
	policyFlags(cmd, &opt.Policy, &opt.Policies, &opt.PolicySigners)
	cmd.Flags().StringSliceVar(&opt.Scopes, "scope", nil, "judge this `SCOPE` instead of those recorded (repeatable)")
}

func verifyCommand(w World) *cobra.Command {
	return &cobra.Command{
		Use:   "verify BUNDLE",
		Short: "Check every byte of a bundle against its digests",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sum, err := pipeline.Verify(args[0])
			if err != nil {
				return err
			}
			for _, p := range sum.Problems {
				fmt.Fprintf(w.Stdout, "%s\n", printable(p))
			}
			if len(sum.Problems) > 0 {
				fmt.Fprintf(w.Stdout, "%s: %d problems; this evidence cannot be relied on\n", printable(args[0]), len(sum.Problems))
				return status(exitIntegrity)
			}
			_, err = fmt.Fprintf(w.Stdout, "%s: every digest matches; %d pieces of evidence, %d named by digest only; identity %s\n",
				printable(args[0]), sum.Blobs, sum.Withheld, sum.Identity)
			return err
		},
	}
}

func replayCommand(w World) *cobra.Command {
	var opt pipeline.AssessOptions
	cmd := &cobra.Command{
		Use:   "replay BUNDLE",
		Short: "Decide again from the bundle and compare with the report stored in it, byte for byte",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			same, digest, err := pipeline.Replay(args[0], opt)
			if err != nil {
				return err
			}
			if !same {
				fmt.Fprintf(w.Stdout, "%s: the report decided now differs from the stored one\n", printable(args[0]))
				return status(exitNotEligible)
			}
			_, err = fmt.Fprintf(w.Stdout, "%s: the same report, byte for byte: %s\n", printable(args[0]), digest)
			return err
		},
	}
	policyFlags(cmd, &opt.Policy, &opt.Policies, &opt.PolicySigners)
	return cmd
}
