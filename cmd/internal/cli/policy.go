package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

func policyCommand(w World) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Show, check, test and compare the criteria",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		policyListCommand(w),
		policyShowCommand(w),
		policyLintCommand(w),
		policyTestCommand(w),
		policyDiffCommand(w),
		policyScopeCommand(w),
		policySensitivityCommand(w),
	)
	return cmd
}

func policyListCommand(w World) *cobra.Command {
	var choice pipeline.PolicyChoice
	cmd := &cobra.Command{
		Use:   "list [BUNDLE]",
		Short: "List policies and their scopes with the digests that pin them",
		Long: "List the policy built in, that of a bundle if one is named, and those of --policies. Each line says ID@DIGEST, which\n" +
			"--policy accepts; the digest of a scope is over all that decides it, so that it stays if only other scopes change.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			now, err := clock(w)
			if err != nil {
				return err
			}
			choice.At = now
			text, err := pipeline.PolicyList(strings.Join(args, ""), choice)
			if err != nil {
				return err
			}
			for line := range strings.Lines(text) {
				fmt.Fprintln(w.Stdout, printable(strings.TrimRight(line, "\n")))
			}
			return nil
		},
	}
	policySources(cmd, &choice.Dirs, &choice.Signers)
	return cmd
}

// policyOutput is one form in which a part of a policy is written.
type policyOutput struct {
	name  string
	write func(name string, choice pipeline.PolicyChoice, opt reports.Options) ([]byte, error)
}

// policyOutputs lists the forms; a new one is a line here.
func policyOutputs() []policyOutput {
	part := func(format string) policyOutput {
		return policyOutput{format, func(name string, choice pipeline.PolicyChoice, opt reports.Options) ([]byte, error) {
			p, err := pipeline.PolicyShow(name, choice)
			if err != nil {
				return nil, err
			}
			return reports.RenderPolicyPart(format, p, opt)
		}}
	}
	return []policyOutput{
		part("text"), part("json"), part("yaml"),
		{"file-list", func(name string, choice pipeline.PolicyChoice, _ reports.Options) ([]byte, error) {
			if choice.Asked == "" {
				choice.Asked = name
			}
			return pipeline.PolicyFileList(choice)
		}},
		{"scs-standard", func(name string, choice pipeline.PolicyChoice, _ reports.Options) ([]byte, error) {
			scopes, err := pipeline.SCSScopes(choice, []string{name})
			if err != nil {
				return nil, err
			}
			return reports.SCSStandard(scopes[0])
		}},
	}
}

func policyShowCommand(w World) *cobra.Command {
	var choice pipeline.PolicyChoice
	var out []string
	names := []string{}
	for _, o := range policyOutputs() {
		names = append(names, o.name)
	}
	cmd := &cobra.Command{
		Use:   "show [POLICY|SCOPE|REQUIREMENT|CLAUSE]",
		Short: "Show a requirement with its texts, sources, rule and cases; or a scope, a clause, or the whole policy",
		Long: "Show a part of a policy, by its id: of a requirement all texts, the sources with quotation and address, the rule, the cases,\n" +
			"the evidence, how long it counts, and the scopes that ask for it. The form file-list is what a signature of a policy signs.",
		Example: "  pegel policy show product-licence-osi\n  pegel policy show scs-open-iaas -o json=-\n  pegel policy show ./my-policy -o file-list=policy",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			outs, err := parseOutputs(toStdout(out), names, output{"text", "-"})
			if err != nil {
				return err
			}
			if choice.At, err = clock(w); err != nil {
				return err
			}
			return writePolicyPart(w, strings.Join(args, ""), choice, outs)
		},
	}
	policyFlags(cmd, &choice.Asked, &choice.Dirs, &choice.Signers)
	cmd.Flags().StringArrayVarP(&out, "output", "o", nil, "write as `FORMAT=FILE`: "+strings.Join(names, ", ")+"; - is standard output (repeatable)")
	return cmd
}

// toStdout lets a format be named alone: it is written to standard output.
func toStdout(out []string) []string {
	full := make([]string, len(out))
	for i, o := range out {
		if full[i] = o; !strings.Contains(o, "=") {
			full[i] = o + "=-"
		}
	}
	return full
}

func writePolicyPart(w World, name string, choice pipeline.PolicyChoice, outs []output) error {
	for _, o := range outs {
		for _, form := range policyOutputs() {
			if form.name != o.format {
				continue
			}
			data, err := form.write(name, choice, reports.Options{Width: w.Width, Color: w.Color && o.file == "-"})
			if err != nil {
				return err
			}
			if err := o.write(w.Stdout, data); err != nil {
				return err
			}
		}
	}
	return nil
}

func policyLintCommand(w World) *cobra.Command {
	return &cobra.Command{
		Use:   "lint [DIR]",
		Short: "Check a policy directory, or the built-in policy: everything that is wrong, with file, line and column",
		Long: "Check a policy directory with its cases. What keeps a policy from loading is found first: form, names, types, cost, evidence,\n" +
			"clauses without an answer. Then what keeps people from relying on it: texts that lack a language, requirements in no scope or\n" +
			"without a passing and a failing case, switches that nothing reads. Exit code 1 if anything is found.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			name := strings.Join(args, "")
			problems, err := pipeline.PolicyLint(name)
			if err != nil {
				return err
			}
			for _, p := range problems {
				fmt.Fprintln(w.Stdout, printable(p))
			}
			if len(problems) > 0 {
				return status(exitNotEligible)
			}
			if name == "" {
				name = pipeline.BuiltIn
			}
			_, err = fmt.Fprintf(w.Stdout, "%s: no problems\n", printable(name))
			return err
		},
	}
}
