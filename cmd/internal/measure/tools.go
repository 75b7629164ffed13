package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tool is a program that writes an SBOM of an image.
type tool struct {
	name    string
	version []string // arguments that print its version
	// command returns the arguments that read the layout (or its archive) and write a CycloneDX document.
	command func(layout, archive, out, work string) []string
	env     []string
	caches  bool // it keeps results between runs, so that a second round is worth measuring
	archive bool // it reads a tar file of the layout, which is made before and not measured
}

// peers are the programs by which we measure ourselves. Options only make them work offline and say less.
var peers = []tool{
	{
		name: "syft", version: []string{"version"}, env: []string{"SYFT_CHECK_FOR_APP_UPDATE=false"},
		command: func(layout, _, out, _ string) []string {
			return []string{"scan", "-q", "oci-dir:" + layout, "-o", "cyclonedx-json=" + out}
		},
	},
	{
		name: "trivy", version: []string{"--version"}, caches: true,
		command: func(layout, _, out, work string) []string {
			return []string{"image", "--quiet", "--input", layout, "--format", "cyclonedx", "--output", out, "--cache-dir", filepath.Join(work, "trivy-cache"),
				"--offline-scan", "--skip-db-update", "--skip-java-db-update"}
		},
	},
	{
		name: "cdxgen", version: []string{"--version"}, archive: true,
		command: func(_, archive, out, _ string) []string {
			return []string{"-t", "oci", "--no-install-deps", "-o", out, archive}
		},
	},
}

// tools runs our own program and the peers that are on PATH, each image in a process of its own; ours takes all in one.
func (s *session) tools(ctx context.Context) error {
	if err := s.program(ctx); err != nil {
		return err
	}
	for _, t := range peers {
		if !s.wants(t.name + " program") {
			continue
		}
		file, err := exec.LookPath(t.name)
		if err != nil {
			s.notes = append(s.notes, t.name+" is not on PATH and was not measured.")
			continue
		}
		s.notes = append(s.notes, t.name+": "+versionOf(ctx, file, t.version))
		if err := s.peer(ctx, t, file); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) program(ctx context.Context) error {
	what := "pegel program, all images in one run, with CycloneDX documents"
	if !s.wants(what) {
		return nil
	}
	file, out := filepath.Join(s.work, "pegel"), s.documents("pegel")
	if _, err := execute(exec.CommandContext(ctx, "go", "build", "-o", file, "github.com/pegel-audit/pegel/cmd/pegel")); err != nil {
		return fmt.Errorf("building pegel: %w", err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	c := exec.CommandContext(ctx, file, append(append([]string{"sbom"}, s.images...),
		"--creator", "Example GmbH", "--creator-url", "https://example.org/", "-o", "cyclonedx-json="+out+"/")...)
	c.Env = append(offline(s.work), "XDG_CACHE_HOME="+filepath.Join(s.work, "cache")) // an empty store
	u, err := execute(c)
	if err != nil {
		return fmt.Errorf("running pegel: %w", err)
	}
	s.add(what, len(s.images), u)
	return nil
}

// documents is where documents of a tool are written.
func (s *session) documents(tool string) string {
	if s.keep == "" {
		return filepath.Join(s.work, "documents", tool)
	}
	return filepath.Join(s.keep, tool)
}

func (s *session) peer(ctx context.Context, t tool, file string) error {
	rounds := []string{""}
	if t.caches {
		rounds = append(rounds, ", the same again with its cache")
	}
	for _, round := range rounds {
		var all usage
		var failed []string
		for _, layout := range s.images {
			u, err := s.peerImage(ctx, t, file, layout)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				failed = append(failed, filepath.Base(layout))
				fmt.Fprintf(os.Stderr, "measure: %s on %s: %v\n", t.name, filepath.Base(layout), err)
			}
			all = all.plus(u)
		}
		s.add(t.name+" program"+round, len(s.images), all, failed...)
	}
	return nil
}

func (s *session) peerImage(ctx context.Context, t tool, file, layout string) (u usage, err error) {
	name := filepath.Base(layout)
	out := filepath.Join(s.documents(t.name), name+".cdx.json")
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return u, err
	}
	temp := filepath.Join(s.work, "temp") // tools leave things there, which is not to add up
	if err := os.Mkdir(temp, 0o700); err != nil {
		return u, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	archive := ""
	if t.archive {
		archive = filepath.Join(temp, name+".tar")
		if err := pack(layout, archive); err != nil {
			return u, err
		}
	}
	c := exec.CommandContext(ctx, file, t.command(layout, archive, out, s.work)...)
	c.Env = append(offline(temp), t.env...)
	if u, err = execute(c); err != nil {
		return u, err
	}
	if info, err := os.Stat(out); err != nil || info.Size() == 0 {
		return u, errors.New("it ended well and wrote no document")
	}
	return u, nil
}

// offline is the environment of a measured program: no server is reached, and temporary files lie in temp.
func offline(temp string) []string {
	const nobody = "http://127.0.0.1:9" // discard: nothing listens there
	return append(os.Environ(), "TMPDIR="+temp, "HTTP_PROXY="+nobody, "HTTPS_PROXY="+nobody, "http_proxy="+nobody, "https_proxy="+nobody, "NO_PROXY=", "no_proxy=")
}

// pack writes a layout as an OCI archive.
func pack(layout, archive string) error {
	f, err := os.Create(archive)
	if err != nil {
		return err
	}
	w := tar.NewWriter(f)
	return errors.Join(w.AddFS(os.DirFS(layout)), w.Close(), f.Close())
}

// versionOf is the first line of what a tool says about its version that has a digit.
func versionOf(ctx context.Context, file string, args []string) string {
	var out bytes.Buffer
	c := exec.CommandContext(ctx, file, args...)
	c.Stdout = &out
	if _, err := execute(c); err != nil {
		return "version unknown"
	}
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, "ersion") || strings.Contains(line, "enerator") {
			return strings.Join(strings.Fields(plainText(line)), " ")
		}
	}
	return strings.TrimSpace(out.String())
}

// plainText drops what colours terminals.
func plainText(s string) string {
	for {
		before, rest, found := strings.Cut(s, "\x1b[")
		if !found {
			return s
		}
		_, after, _ := strings.Cut(rest, "m")
		s = before + after
	}
}
