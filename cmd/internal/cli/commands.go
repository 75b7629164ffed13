package cli

import "github.com/spf13/cobra"

// commands lists every command; a new one is a new file and a line here.
func commands(w World) []*cobra.Command {
	return []*cobra.Command{
		auditCommand(w),
		initCommand(w),
		inventoryCommand(w),
		driftCommand(w),
		sbomCommand(w),
		collectCommand(w),
		evaluateCommand(w),
		explainCommand(w),
		reportCommand(w),
		scoreCommand(w),
		transparencyCommand(w),
		declareCommand(w),
		checkCommand(w),
		signCommand(w),
		uploadCommand(w),
		verifyCommand(w),
		replayCommand(w),
		policyCommand(w),
		schemaCommand(w),
		versionCommand(w),
	}
}
