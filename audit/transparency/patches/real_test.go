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

// TestTheNumbersOfRealRepositoriesAreThoseOfTheDocs measures clones that lie below PEGEL_PATCH_CLONES (OWNER+NAME/repo, at the
// commits below), as docs/upstream-first.md shows them. Nobody can be asked for them in a test: without the directory it is skipped.
func TestTheNumbersOfRealRepositoriesAreThoseOfTheDocs(t *testing.T) {
	root := os.Getenv("PEGEL_PATCH_CLONES")
	if root == "" {
		t.Skip("PEGEL_PATCH_CLONES names no directory of clones")
	}
	kolla, images := "8afdf959d1946fd93f905b5f916d7bec3b189e96", "1b389e05302f7ebebd93799396ad00c2b9ac6335"
	for _, c := range []struct {
		repository, commit, folder string
		want                       transparency.PatchCount
	}{
		{"osism/container-images-kolla", kolla, "patches", transparency.PatchCount{Patches: 92, Linked: 27, Hinted: 26}},
		{"osism/container-images-kolla", kolla, "patches/2024.2", transparency.PatchCount{Patches: 28, Linked: 14, Hinted: 8}},
		{"osism/container-images-kolla", kolla, "patches/2025.1", transparency.PatchCount{Patches: 12, Linked: 1, Hinted: 6}},
		{"osism/container-images-kolla", kolla, "kolla-patches", transparency.PatchCount{Patches: 3, Hinted: 3}},
		{"osism/container-images", images, "tempest/files/patches", transparency.PatchCount{Patches: 4}},
		{"0mp/openssh-debian", "b0577efeec80e0542dc7ec654bb39fd1fa7d23c7", "debian/patches", transparency.PatchCount{Patches: 29, Linked: 10, Stated: 10, Hinted: 9}},
		{"lgirdk/meta-virtualization", "b12fb498438dc4fd3b03b02c9459e596ab83c1bc", "", transparency.PatchCount{Patches: 134, Linked: 22, Stated: 110, Hinted: 2}},
	} {
		r := cloneOf(t, root+"/"+strings.ReplaceAll(c.repository, "/", "+")+"/repo", "https://github.com/"+c.repository)
		if r.Commit != c.commit {
			t.Logf("%s is at %s, the numbers are of %s", c.repository, r.Commit, c.commit)
			continue
		}
		w := transparency.World{At: time.Now(), Open: func(context.Context, string) (*transparency.Repository, *audit.Trouble) { return r, nil }}
		a := Collect(context.Background(), transparency.Target{Kind: transparency.KindPatches, URL: r.URL, Path: c.folder}, w)
		if a.Trouble != nil {
			t.Errorf("%s %s: %s", c.repository, c.folder, a.Trouble.Text)
			continue
		}
		p := a.Patches.Places[0]
		if p.PatchCount != c.want || p.Unread != 0 {
			t.Errorf("%s %q: got %+v, %d unread, links %+v; want %+v", c.repository, c.folder, p.PatchCount, p.Unread, p.Links, c.want)
		}
	}
}
