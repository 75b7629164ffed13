package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pegel-audit/pegel/cmd/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"pegel": func() { os.Exit(cli.Main(os.Args[1:], cli.Process())) },
	})
}

// TestScripts runs the program as a user does, offline, one behaviour a script; every exit code of the design has one.
// $EXAMPLES are the examples of the project, $POLICY its policy, $TESTBED the container images that make testbed built.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", filepath.Join(root, "examples"))
			e.Setenv("TESTBED", filepath.Join(root, ".testbed"))
			e.Setenv("POLICY", filepath.Join(root, "policies", "data"))
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, "cache"))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "testbed":
				_, err := os.Stat(filepath.Join(root, ".testbed", "images"))
				return err == nil || os.Getenv("CI") == "true", nil
			case "git":
				_, err := exec.LookPath("git")
				return err == nil || os.Getenv("CI") == "true", nil
			case "ssh-keygen":
				_, err := exec.LookPath("ssh-keygen")
				return err == nil || os.Getenv("CI") == "true", nil
			}
			return false, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": code},
	})
}

// code runs a command and compares its exit code: code 3 pegel audit stack.yaml
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command [args]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = strconv.Itoa(exit.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}
