package cli

import "github.com/spf13/cobra"

// policyFlags are the flags that say which policy counts and who may sign one.
func policyFlags(cmd *cobra.Command, asked *string, dirs *[]string, signers *string) {
	f := cmd.Flags()
	f.StringVar(asked, "policy", "", "judge by this policy: `DIR|ID|ID@sha256:DIGEST`; a digest accepts nothing else")
	policySources(cmd, dirs, signers)
}

// policySources are the flags about policies of others that may be named by their id.
func policySources(cmd *cobra.Command, dirs *[]string, signers *string) {
	f := cmd.Flags()
	f.StringSliceVar(dirs, "policies", nil, "`DIR` with signed policies that may be named by their id (repeatable)")
	f.StringVar(signers, "policy-signers", "", "`FILE` with the keys that may sign policies, as ssh-keygen reads it")
}
