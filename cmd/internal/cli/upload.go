package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
)

func uploadCommand(w World) *cobra.Command {
	opt := pipeline.UploadOptions{Version: version()}
	var dry bool
	var passwordFile string
	cmd := &cobra.Command{
		Use:   "upload REPORT --monitor URL",
		Short: "Send a signed test report to a compliance monitor of SCS",
		Long: "Send a test report (pegel report -o scs-report=FILE) with its signature (pegel sign --ssh) to a compliance monitor of SCS.\n" +
			"The monitor is asked first whether it knows the scope. The account is read from PEGEL_MONITOR_USER and\n" +
			"PEGEL_MONITOR_PASSWORD, or the password from a file; only https is spoken, except to this machine.\n" +
			"--dry-run shows what would be sent and contacts nobody. A report that is there already is no error.",
		Example: "  pegel upload report.yaml --monitor https://compliance.example.org --dry-run",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opt.Report = args[0]
			upload, err := pipeline.PrepareUpload(opt)
			if err != nil {
				return err
			}
			if dry {
				return showUpload(w, upload)
			}
			account, err := pipeline.ReadAccount(w.Getenv("PEGEL_MONITOR_USER"), w.Getenv("PEGEL_MONITOR_PASSWORD"), passwordFile)
			if err != nil {
				return err
			}
			note, err := upload.Send(cmd.Context(), account)
			if err != nil {
				return err
			}
			for _, r := range upload.Reports {
				fmt.Fprintf(w.Stdout, "%s: report %s on %s, %d results\n", printable(upload.Target), printable(r.Run), printable(r.Subject), r.Results)
			}
			if note != "" {
				fmt.Fprintf(w.Stdout, "note: %s\n", note)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&opt.Signature, "sig", "", "`FILE` with the signature; default: REPORT.sig")
	f.StringVar(&opt.Monitor, "monitor", "", "address of the compliance monitor: `URL`")
	f.BoolVar(&dry, "dry-run", false, "contact nobody: show what would be sent")
	f.BoolVar(&opt.Force, "force", false, "send although the monitor does not know the scope")
	f.StringVar(&passwordFile, "password-file", "", "`FILE` with the password, instead of PEGEL_MONITOR_PASSWORD")
	f.StringVar(&opt.CAFile, "ca-file", "", "`FILE` of certificate authorities to trust beside those of the system")
	f.StringSliceVar(&opt.Allow, "allow", nil, "private `NETWORK` that the monitor may be in (repeatable)")
	return cmd
}

func showUpload(w World, u *pipeline.Upload) error {
	fmt.Fprintf(w.Stdout, "would send %d bytes to %s\n", u.Size, printable(u.Target))
	fmt.Fprintf(w.Stdout, "report: %s\nsigned by key: %s\n", u.Digest, u.Key)
	for _, r := range u.Reports {
		fmt.Fprintf(w.Stdout, "  run %s: subject %s, scope %s (%s), %d results\n", printable(r.Run), printable(r.Subject), printable(r.ScopeName), printable(r.ScopeUUID), r.Results)
	}
	_, err := fmt.Fprintln(w.Stdout, "nobody was contacted")
	return err
}
