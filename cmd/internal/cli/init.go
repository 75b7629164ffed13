package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
)

func initCommand(w World) *cobra.Command {
	var force bool
	var file string
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Look at this machine and directory, and write a commented stack.yaml",
		Long: "Look at the container engines and packages of this machine, the current Kubernetes context and the files below DIR\n" +
			"(default: the current directory), say what was found and what could not be read, and write a commented stack.yaml\n" +
			"there. Nothing is contacted over the network, and nothing is overwritten without --force.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			found, err := pipeline.Detect(cmd.Context(), pipeline.DetectOptions{Dir: dir, Root: "/", Getenv: w.Getenv})
			if err != nil {
				return err
			}
			fmt.Fprint(w.Stderr, printableLines(found.Text()))
			data, err := found.StackFile()
			if err != nil {
				return err
			}
			if file == "-" {
				_, err := w.Stdout.Write(data)
				return err
			}
			if err := pipeline.WriteNew(dir, file, data, force); err != nil {
				return err
			}
			_, err = fmt.Fprintf(w.Stdout, "%s\n", printable(filepath.Join(dir, file)))
			return err
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "overwrite the file if it is there")
	cmd.Flags().StringVar(&file, "file", "stack.yaml", "name of the `FILE` in DIR; - writes to standard output")
	return cmd
}
