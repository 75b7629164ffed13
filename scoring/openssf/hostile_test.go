package openssf_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/openssf"
)

// reason returns why a check has no score; empty if it has one.
func reason(c scoring.Checks, name string) string { return c.Skipped[name] }

func TestAWorkflowThatIsTooLargeLeavesItsChecksOpen(t *testing.T) {
	files := tidy()
	files[".github/workflows/big.yml"] = workflow + strings.Repeat("      - run: echo\n", 70_000)
	c := checksOf(t, collect(t, &memory{files: files}, onlyGit(onGitHub), nil))
	for _, name := range []string{"Dangerous-Workflow", "Token-Permissions", "Pinned-Dependencies"} {
		if r := reason(c, name); !strings.Contains(r, "big.yml") || !strings.Contains(r, "too large") {
			t.Errorf("%s: %q", name, r)
		}
	}
	expect(t, "files that are not workflows", c, "Security-Policy", 10)
}

func TestAWorkflowThatIsNoYAMLLeavesItsChecksOpen(t *testing.T) {
	for name, text := range map[string]string{
		"control characters": "on: push\x00\x01\njobs: [}\n",
		"deep":               strings.Repeat("[", 100_000),
		"deeper":             strings.Repeat("{a: ", 40_000),
		"steep":              strings.Repeat("- ", 40_000),
		"aliases":            aliases(),
		"an address":         "on: \"person@example.org\": [\n",
	} {
		m := &memory{files: map[string]string{".github/workflows/a.yml": text}}
		start := time.Now()
		c := checksOf(t, collect(t, m, onlyGit(onGitHub), nil))
		for _, check := range []string{"Dangerous-Workflow", "Token-Permissions"} {
			if score, ok := scores(c)[check]; ok && name != "aliases" { // those are only slow
				t.Errorf("%s: %s scored %d", name, check, score)
			}
		}
		if all, err := json.Marshal(c); err != nil || strings.Contains(string(all), "person@") {
			t.Errorf("%s: %v, %s", name, err, all)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

// aliases is a small text that unfolds to 10^9 values.
func aliases() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 9; i++ {
		ref := fmt.Sprintf("*a%d", i-1)
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.Join([]string{ref, ref, ref, ref, ref, ref, ref, ref, ref, ref}, ","))
	}
	return b.String() + "on: *a8\njobs: *a8\n"
}

// The parser of shell scripts ends the whole program if a script is nested deep enough: no recover helps.
func TestADeepScriptEndsNeitherTheProgramNorInAScore(t *testing.T) {
	for _, unit := range []string{"(", "$(", "((", "a[", "\"$(", "((-", "((!", "${a:-", "{ ", "if ", "<(", "((a?", "case a in (", "a|"} {
		text := "#!/bin/bash\ncurl example.org\n" + strings.Repeat(unit, 900_000/len(unit))
		c := checksOf(t, collect(t, &memory{files: map[string]string{"x": text}}, onlyGit(onGerrit), nil))
		if r := reason(c, "Pinned-Dependencies"); !strings.Contains(r, "too large or too deep") {
			t.Errorf("%q: %q, want that the script was not judged", unit, r)
		}
	}
}

func TestTheDeepestScriptThatIsParsedFitsOnTheStack(t *testing.T) {
	if testing.Short() {
		t.Skip("needs half a gigabyte")
	}
	for _, unit := range []string{"(", "a["} {
		signs := 47 << 10
		text := "#!/bin/bash\ncurl example.org\n" + strings.Repeat(unit, signs)
		collect(t, &memory{files: map[string]string{"x": text}}, onlyGit(onGerrit), nil)
	}
}

func TestALargeScriptWithoutDownloadsHidesNothing(t *testing.T) {
	files := map[string]string{
		"Dockerfile": tidy()["Dockerfile"],
		"configure":  "#!/bin/sh\n" + strings.Repeat("if (test -x a); then echo b; fi\n", 20_000),
	}
	expect(t, "configure", checksOf(t, collect(t, &memory{files: files}, onlyGit(onGerrit), nil)), "Pinned-Dependencies", 10)
	files["configure"] += "curl https://example.org/x | bash\n"
	expect(t, "a download in it", checksOf(t, collect(t, &memory{files: files}, onlyGit(onGerrit), nil)), "Pinned-Dependencies", skip)
}

func TestScriptsWithDownloadsAreJudgedAsTheLibraryDoes(t *testing.T) {
	for _, command := range []string{
		"curl https://example.org/x | bash", "wget -O- https://example.org/x | sh", "pip install x", "pip3 install x", "python -m pip install x",
		"npm install x", "go install example.org/x@latest", "go get example.org/x", "choco install x", "nuget install x",
		"dotnet add package x", "bash <(curl https://example.org/x)", "gsutil cp gs://x/y z && ./z", "CURL https://example.org/x | bash",
	} {
		m := &memory{files: map[string]string{"install": "#!/usr/bin/env bash\n" + command + "\n"}}
		c := checksOf(t, collect(t, m, onlyGit(onGerrit), nil))
		if score, ok := scores(c)["Pinned-Dependencies"]; ok && score == 10 {
			t.Errorf("%q scored 10", command)
		} else if !ok && !strings.HasPrefix(command, "gsutil") {
			t.Errorf("%q: %s", command, reason(c, "Pinned-Dependencies"))
		}
	}
}

func TestPathsThatAreNotUTF8HideNoFile(t *testing.T) {
	good, bad := []byte(workflow), []byte("on: push\npermissions: write-all\njobs: {a: {runs-on: x, steps: [{run: b}]}}\n")
	for _, order := range [][][]byte{{good, bad}, {bad, good}} {
		m := &memory{data: map[string][]byte{}}
		m.data["1"], m.data["2"] = order[0], order[1]
		for i, name := range []string{"\xff", "\xfe"} {
			m.listed = append(m.listed, scoring.File{Path: ".github/workflows/" + name + ".yml", ID: fmt.Sprint(i + 1), Size: int64(len(order[i]))})
		}
		c := checksOf(t, collect(t, m, onlyGit(onGitHub), nil))
		expect(t, "two names that look alike", c, "Token-Permissions", 0)
		if text, err := json.Marshal(c); err != nil || strings.Contains(string(text), "\xff") {
			t.Errorf("%v: %s", err, text)
		}
	}
}

func TestAFileThatCannotBeReadLeavesItsChecksOpen(t *testing.T) {
	m := &memory{data: map[string][]byte{}}
	m.listed = []scoring.File{{Path: "install.sh", ID: "1", Size: 10}, {Path: "pom.xml", ID: "2", Size: 10}}
	c := checksOf(t, collect(t, m, onlyGit(onGerrit), nil))
	for _, name := range []string{"Binary-Artifacts", "Pinned-Dependencies", "SAST"} {
		if r := reason(c, name); !strings.Contains(r, "no such object") {
			t.Errorf("%s: %q", name, r)
		}
	}
	expect(t, "names need no contents", c, "License", 0)
}

func TestAHugeFileIsNotUnpacked(t *testing.T) {
	m := &memory{data: map[string][]byte{"2": []byte("x")}}
	m.listed = []scoring.File{{Path: "lib/huge.jar", ID: "1", Size: 4 << 30}, {Path: "film", ID: "1", Size: 5 << 30}, {Path: "x", ID: "2", Size: 1}}
	c := checksOf(t, collect(t, m, onlyGit(onGerrit), nil))
	expect(t, "one binary by its name", c, "Binary-Artifacts", 9)
	if m.reads["1"] != 0 {
		t.Error("the huge file was read")
	}
}

func TestAPanicInACheckSkipsThatCheckOnly(t *testing.T) {
	files := tidy()
	m := &memory{files: files, panics: idOf("Dockerfile")}
	c := checksOf(t, collect(t, m, onlyGit(onGitHub), nil))
	if r := reason(c, "Pinned-Dependencies"); !strings.Contains(r, "broke off") {
		t.Errorf("Pinned-Dependencies: %q", r)
	}
	expect(t, "other checks", c, "Token-Permissions", 10)
}

// stuck never answers before its context ends.
type stuck struct{ memory }

func (s *stuck) Read(ctx context.Context, _ string, _ int64) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestACheckThatDoesNotEndIsSkipped(t *testing.T) {
	s := &stuck{memory{files: tidy()}}
	e := collect(t, nil, onlyGit(onGitHub), func(o *openssf.Options) {
		o.CheckTime = 30 * time.Millisecond
		o.Source = func(context.Context, scoring.Project, string) (openssf.Source, error) { return s, nil }
	})
	c := checksOf(t, e)
	if r := reason(c, "Token-Permissions"); r == "" {
		t.Error("a check that could read nothing has a score")
	}
	expect(t, "names need no contents", c, "License", 9)
}

func TestATreeOfTooManyFilesIsNotJudged(t *testing.T) {
	m := &memory{listed: make([]scoring.File, 100_001)}
	if e := collect(t, m, onlyGit(onGitHub), nil); !strings.Contains(e.Checks.Failure, "100001 files") {
		t.Errorf("%+v", e.Checks)
	}
}

func TestNoAddressOfAPersonReachesTheChecks(t *testing.T) {
	files := tidy()
	files["SECURITY.md"] = "Write to person@example.org about vulnerabilities; we disclose after 90 days.\n"
	files["home/person@example.org/x.jar"] = "PK\x03\x04" + strings.Repeat("\x00", 40)
	files[".github/workflows/person@example.org.yml"] = strings.Replace(workflow, "@11bd71901bbe5b1630ceea73d27597364c9af683", "@v4", 1)
	m := &memory{files: files, commits: commits(40, reviewed)}
	text, err := json.Marshal(collect(t, m, good(onGitHub, "github"), nil).Checks)
	if err != nil || strings.Contains(string(text), "@example.org") || !strings.Contains(string(text), "(address)") {
		t.Errorf("%v: %s", err, text)
	}
}
