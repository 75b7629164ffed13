package patches

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// cloneOf opens a local clone for a measurement: the files of HEAD.
func cloneOf(t *testing.T, dir, address string) *transparency.Repository {
	t.Helper()
	git := func(args ...string) string {
		out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
		if err != nil {
			t.Skipf("no clone: %v", err)
		}
		return string(out)
	}
	r := &transparency.Repository{URL: address, Commit: strings.TrimSpace(git("rev-parse", "HEAD")), SeenUntil: time.Now(), Close: func() error { return nil }}
	r.Licence = audit.Known("Apache-2.0")
	for line := range strings.Lines(git("ls-tree", "-r", "HEAD")) {
		head, name, _ := strings.Cut(strings.TrimSpace(line), "\t")
		r.Files = append(r.Files, transparency.File{Path: name, ID: strings.Fields(head)[2]})
	}
	r.Read = func(_ context.Context, id string, _ int64) ([]byte, error) {
		return []byte(git("cat-file", "blob", id)), nil
	}
	return r
}

// TestTheNumbersOfRealRepositoriesAreThoseOfTheDocs measures clones that lie below PEGEL_PATCH_CLONES, as docs/upstream-first.md
// shows them; without that directory it is skipped.
func TestTheNumbersOfRealRepositoriesAreThoseOfTheDocs(t *testing.T) {
	root := os.Getenv("PEGEL_PATCH_CLONES")
	if root == "" {
		t.Skip("PEGEL_PATCH_CLONES names no directory of clones")
	}
	for _, c := range []struct{ repository, folder string }{
		{"osism/container-images-kolla", "patches"}, {"osism/container-images-kolla", "patches/2025.1"}, {"osism/container-images-kolla", "patches/2024.2"},
		{"osism/container-images-kolla", "kolla-patches"}, {"osism/container-images", "tempest/files/patches"}, {"osism/container-images", ""},
		{"0mp/openssh-debian", "debian/patches"}, {"lgirdk/meta-virtualization", ""}, {"openstack/kolla", "docker"},
	} {
		r := cloneOf(t, root+"/"+strings.ReplaceAll(c.repository, "/", "+")+"/repo", "https://github.com/"+c.repository)
		w := transparency.World{At: time.Now(), Open: func(context.Context, string) (*transparency.Repository, *audit.Trouble) { return r, nil }}
		a := Collect(context.Background(), transparency.Target{Kind: transparency.KindPatches, URL: r.URL, Path: c.folder}, w)
		if a.Trouble != nil {
			t.Logf("%s %s %s: %s", c.repository, r.Commit, c.folder, a.Trouble.Text)
			continue
		}
		p := a.Patches.Places[0]
		t.Logf("%s %s %q: %+v unread %d files %d components %d links %+v notes %v", c.repository, r.Commit, c.folder, p.PatchCount, p.Unread, p.Files, len(p.Components), p.Links, a.Notes)
		t.Logf("alone %+v", p.Alone)
	}
}
