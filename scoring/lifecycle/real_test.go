package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// realClones reads the real registries from clones that somebody made: PEGEL_REGISTRIES names a directory that holds them
// as owner+name/repo, bare. Without it the test is skipped: what the registries say today is no matter of this repository.
func realClones(t *testing.T) (scoring.ReadFile, time.Time) {
	dir := os.Getenv("PEGEL_REGISTRIES")
	if dir == "" {
		t.Skip("PEGEL_REGISTRIES names no directory with clones of the registries")
	}
	at := time.Now()
	return func(ctx context.Context, repo, path string) ([]byte, audit.Origin, error) {
		parts := strings.Split(repo, "/")
		bare := filepath.Join(dir, strings.Join(parts[len(parts)-2:], "+"), "repo")
		head, err := exec.CommandContext(ctx, "git", "--git-dir="+bare, "log", "-1", "--format=%H %cI").Output()
		if err != nil {
			return nil, audit.Origin{}, errors.New("no clone")
		}
		commit, when, _ := strings.Cut(strings.TrimSpace(string(head)), " ")
		moment, err := time.Parse(time.RFC3339, when)
		if err != nil {
			return nil, audit.Origin{}, err
		}
		data, err := exec.CommandContext(ctx, "git", "--git-dir="+bare, "show", commit+":"+path).Output()
		if err != nil {
			return nil, audit.Origin{}, fmt.Errorf("no such file: %w", fs.ErrNotExist)
		}
		return data, audit.Origin{Source: "git", URL: repo, Commit: commit, Path: path, Digest: audit.DigestOf(data), At: moment.UTC()}, nil
	}, at
}

// realTags reads the tags of such a clone.
func realTags(t *testing.T) func(context.Context, scoring.Project) ([]scoring.Tag, error) {
	return func(ctx context.Context, p scoring.Project) ([]scoring.Tag, error) {
		parts := strings.Split(p.Repo, "/")
		bare := filepath.Join(os.Getenv("PEGEL_REGISTRIES"), strings.Join(parts[len(parts)-2:], "+"), "repo")
		list, err := exec.CommandContext(ctx, "git", "--git-dir="+bare, "for-each-ref", "--format=%(refname:short) %(creatordate:iso-strict)", "refs/tags").Output()
		if err != nil {
			return nil, errors.New("no clone")
		}
		var tags []scoring.Tag
		for entry := range strings.Lines(string(list)) {
			name, when, _ := strings.Cut(strings.TrimSpace(entry), " ")
			if at, err := time.Parse(time.RFC3339, when); err == nil {
				tags = append(tags, scoring.Tag{Name: name, At: at})
			}
		}
		return tags, nil
	}
}

func TestTheRealCalendarsAreRead(t *testing.T) {
	read, at := realClones(t)
	c, err := New(Options{Read: read, At: at, Tags: realTags(t)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ id, repo, version, want string }{
		{"nova", "https://opendev.org/openstack/nova", "30.0.1", "2024.2 (dalmatian)|30|2026-04-29..2026-04-29|end of life"},
		{"nova", "https://opendev.org/openstack/nova", "33.0.0", "2026.1 (gazpacho)|33|2027-10-27..2027-10-27|maintained"},
		{"horizon", "https://opendev.org/openstack/horizon", "25.1.0", "2024.2 (dalmatian)|25.1|2026-04-29..2026-04-29|end of life"},
		{"swift", "https://opendev.org/openstack/swift", "2.34.0", "2024.2 (dalmatian)|2.34|2026-04-29..2026-04-29|end of life"},
		{"keycloak", "https://github.com/keycloak/keycloak", "26.5.1", "26.5|26.5|2026-04-08..2026-04-08|end of life"},
		{"ovn", "https://github.com/ovn-org/ovn", "24.03.2", "24.03|24.03|2027-03-20..2027-03-20|maintained"},
		{"openvswitch", "https://github.com/openvswitch/ovs", "3.3.1", "3.3|3.3|-..-|maintained"},
		{"rook", "https://github.com/rook/rook", "1.16.0", "1.16|1.16|"},
	} {
		began := time.Now()
		e, err := c.Collect(t.Context(), scoring.Project{ID: tt.id, Repo: tt.repo}, scoring.Evidence{})
		if err != nil {
			t.Fatal(err)
		}
		cycles, _ := e.Cycles.Get()
		if got := shown(cycles, tt.version); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s %s: %s %s, want %s", tt.id, tt.version, got, e.Cycles.Failure, tt.want)
		}
		t.Logf("%s: %d cycles in %s: %s", tt.id, len(cycles.Cycles), time.Since(began).Round(time.Millisecond), shown(cycles, tt.version))
	}
	readable := 0
	for id, r := range c.table.rows {
		if r.index == "" {
			continue
		}
		if _, err := readIndex(t.Context(), c, scoring.Project{ID: id}, scoring.Evidence{}); err != nil {
			t.Logf("%s: %v", id, err)
			continue
		}
		readable++
	}
	if readable < 40 {
		t.Errorf("%d products of the index are read, want at least 40", readable)
	}
	t.Logf("%d products of the index are read", readable)
}
