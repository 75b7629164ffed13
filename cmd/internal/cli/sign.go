package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
)

func signCommand(w World) *cobra.Command {
	var asSSH bool
	var key, passphraseFile, namespace string
	cmd := &cobra.Command{
		Use:   "sign --ssh --key FILE REPORT...",
		Short: "Sign test reports for SCS with an SSH key",
		Long: "Sign files as ssh-keygen -Y sign does, each into FILE.sig. SCS's compliance monitor takes test reports with such a signature\n" +
			"for the namespace report, by a key that it knows of the account. Check one with\n" +
			"  ssh-keygen -Y verify -f ALLOWED_SIGNERS -I NAME -n report -s FILE.sig < FILE\n" +
			"The passphrase of the key is read from PEGEL_KEY_PASSPHRASE or from a file, never from the command line.",
		Example: "  pegel report ./pegel-bundle --scope scs-open-iaas -o scs-report=report.yaml\n  pegel sign --ssh --key ~/.ssh/id_ed25519 report.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case !asSSH:
				return &pipeline.UsageError{Err: fmt.Errorf("nobody said how to sign"), Hint: "--ssh makes an SSH signature"}
			case key == "":
				return &pipeline.UsageError{Err: fmt.Errorf("no key was given"), Hint: "--key FILE names a private SSH key"}
			case namespace == "":
				return &pipeline.UsageError{Err: fmt.Errorf("flag --namespace: it is empty"), Hint: "SCS reads signatures for the namespace " + pipeline.ReportNamespace}
			}
			private, err := pipeline.ReadSignKey(key, passphraseFile, w.Getenv("PEGEL_KEY_PASSPHRASE"))
			if err != nil {
				return err
			}
			for _, name := range args {
				armored, err := pipeline.SignReport(name, private, namespace)
				if err != nil {
					return err
				}
				if err := writeWhole(name+".sig", armored); err != nil {
					return err
				}
				if _, err := fmt.Fprintln(w.Stdout, printable(name+".sig")); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.BoolVar(&asSSH, "ssh", false, "make an SSH signature (SSHSIG)")
	f.StringVar(&key, "key", "", "private SSH key `FILE` that only you may read")
	f.StringVar(&passphraseFile, "passphrase-file", "", "`FILE` with the passphrase of the key, instead of PEGEL_KEY_PASSPHRASE")
	f.StringVar(&namespace, "namespace", pipeline.ReportNamespace, "what the signature is for: `NAME`")
	return cmd
}
