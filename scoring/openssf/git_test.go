package openssf_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

// gitSource reads a clone as scoring/gitlog does: one git process for all files.
type gitSource struct {
	dir string
	mu  sync.Mutex
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func openGit(t testing.TB, dir string) *gitSource {
	t.Helper()
	g := &gitSource{dir: dir, cmd: exec.Command("git", "-C", dir, "cat-file", "--batch")}
	var err error
	if g.in, err = g.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	g.out = bufio.NewReaderSize(out, 64<<10)
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *gitSource) Files(context.Context) ([]scoring.File, error) {
	out, err := exec.Command("git", "-C", g.dir, "ls-tree", "-r", "-z", "-l", "--full-tree", "HEAD").Output()
	if err != nil {
		return nil, err
	}
	var files []scoring.File
	for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		head, path, _ := strings.Cut(line, "\t")
		fields := strings.Fields(head)
		if len(fields) != 4 || fields[0] != "100644" && fields[0] != "100755" {
			continue
		}
		size, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil {
			return nil, err
		}
		files = append(files, scoring.File{Path: path, ID: fields[2], Size: size})
	}
	return files, nil
}

func (g *gitSource) Read(_ context.Context, id string, limit int64) ([]byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := fmt.Fprintln(g.in, id); err != nil {
		return nil, err
	}
	line, err := g.out.ReadString('\n')
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return nil, errors.New("no such object")
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil || size > limit {
		return nil, errors.Join(err, errors.New("too large"))
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(g.out, data); err != nil {
		return nil, err
	}
	_, err = g.out.Discard(1)
	return data, err
}

func (g *gitSource) Commits(_ context.Context, n int) ([]scoring.Commit, error) {
	out, err := exec.Command("git", "-C", g.dir, "log", "-n", strconv.Itoa(n), "--format=%H %ct %ae").Output()
	if err != nil {
		return nil, err
	}
	var list []scoring.Commit
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		seconds, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return nil, err
		}
		list = append(list, scoring.Commit{ID: fields[0], Committed: time.Unix(seconds, 0), Author: fields[2]})
	}
	return list, nil
}

func (g *gitSource) Close() error {
	g.in.Close()
	return g.cmd.Wait()
}
