package scan

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pegel-audit/pegel/sbom"
)

// storing makes a scanner over a store that outlives it.
func storing(t *testing.T, dir string, change ...func(*Options)) *Scanner {
	t.Helper()
	opt := Options{Store: dir, Depth: sbom.DepthEntries}
	for _, f := range change {
		f(&opt)
	}
	s, err := newWith(opt, classifier)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// spoil writes other bytes of the same length over the blob of a layer.
func spoil(t *testing.T, layout string, l v1.Layer) {
	t.Helper()
	h, err := l.Digest()
	if err != nil {
		t.Fatal(err)
	}
	name := blobFile(layout, h)
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, bytes.Repeat([]byte("x"), int(info.Size())), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestALayerIsReadOnceWhateverTheNumberOfImages(t *testing.T) {
	base := layerOfTar(t, tarOf(t, debianLayer()))
	top := func(name string) v1.Layer {
		return layerOfTar(t, tarOf(t, []tarEntry{{name: "usr/lib/" + name + "/package.json", text: `{"name":"` + name + `","version":"1.0.0"}`}}))
	}
	s, _ := newScanner(t, Limits{})
	first := writeLayout(t, makeImage(t, base, top("one")))
	if got := len(componentsOf(t, scanned(t, s, target(FormOCIDir, first)))); got != 4 {
		t.Fatalf("the first image has %d components, want 4", got)
	}
	second := writeLayout(t, makeImage(t, base, top("two")))
	spoil(t, second, base) // nobody looks: a layer is known by the digest that the manifest names
	got := names(componentsOf(t, scanned(t, s, target(FormOCIDir, second))))
	want := []string{"deb beta-tool 2:0.9", "deb libalpha1 1.2-3+b1", "npm two 1.0.0", "python gamma 4.5"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("components of the second image (-want +got):\n%s", d)
	}
	h, _ := base.Digest()
	if err := os.Remove(blobFile(second, h)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Scan(context.Background(), target(FormOCIDir, second)); err == nil {
		t.Error("an image of which a layer is missing is no error")
	}
}

func TestAStoreOutlivesTheProcessAndIsTrustedOnlyWhereItIsWhole(t *testing.T) {
	base, top := layerOfTar(t, tarOf(t, debianLayer())), layerOfTar(t, tarOf(t, []tarEntry{{name: "bin/run", text: "#!/bin/sh\n"}}))
	layout := writeLayout(t, makeImage(t, base, top))
	dir := t.TempDir()
	first := storing(t, dir)
	want := scanned(t, first, target(FormOCIDir, layout))
	if len(want.Files) != 1 || want.Files[0].Path != "/bin/run" {
		t.Fatalf("files %v, want /bin/run", want.Files)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	sound := writeLayout(t, makeImage(t, base, top))
	spoil(t, layout, base)
	t.Run("the next process reads nothing again", func(t *testing.T) {
		if d := cmp.Diff(want, scanned(t, storing(t, dir), target(FormOCIDir, layout))); d != "" {
			t.Errorf("packages (-first +second):\n%s", d)
		}
	})
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(files) != 6 {
		t.Fatalf("the store has %q (error %v), want two layers of two files, a result and an image", files, err)
	}
	for _, name := range files {
		t.Run("damaged "+filepath.Ext(name), func(t *testing.T) {
			whole, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			results, _ := filepath.Glob(filepath.Join(dir, "results", "*"))
			for _, r := range results {
				if r != name {
					_ = os.Remove(r) // else nobody would look at the layers
				}
			}
			for _, damage := range []string{"", "cut", "flip"} {
				data := bytes.Clone(whole)
				switch {
				case damage == "cut" && len(data) > 1:
					data = data[:len(data)/2]
				case damage == "flip" && len(data) > 1:
					data[len(data)/2] ^= 1
				default:
					data = nil
				}
				if err := os.WriteFile(name, data, 0o600); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(want, scanned(t, storing(t, dir), target(FormOCIDir, sound))); d != "" {
					t.Errorf("packages (-first +with damage %q):\n%s", damage, d)
				}
			}
		})
	}
}

func TestAStoreKeepsToItsSize(t *testing.T) {
	dir := t.TempDir()
	s := storing(t, dir, func(o *Options) { o.StoreSize = 60 << 10 })
	for _, c := range []string{"a", "b", "c", "d"} {
		text := strings.Repeat(c, 30<<10)
		scanned(t, s, target(FormOCIDir, writeLayout(t, imageOf(t, []tarEntry{{name: "etc/" + c, text: text}}))))
		kept, err := filepath.Glob(filepath.Join(dir, "layers", "*.index"))
		if err != nil || len(kept) != 1 {
			t.Errorf("after layer %s the store has %d layers, want 1", c, len(kept))
		}
		var total int64
		files, _ := filepath.Glob(filepath.Join(dir, "*", "*"))
		past := time.Now().Add(-time.Hour)
		for _, name := range files {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			total += info.Size()
			_ = os.Chtimes(name, past, past)
		}
		if total > 60<<10 {
			t.Errorf("after layer %s the store has %d bytes, want at most %d", c, total, 60<<10)
		}
	}
}

func TestTwoProcessesCanShareAStore(t *testing.T) {
	layout, dir := writeLayout(t, imageOf(t, debianLayer(), []tarEntry{{name: "etc/x", text: "y"}})), t.TempDir()
	want := scanned(t, storing(t, t.TempDir()), target(FormOCIDir, layout))
	var wg sync.WaitGroup
	for range 4 {
		s := storing(t, dir)
		wg.Go(func() {
			got, err := s.Scan(context.Background(), target(FormOCIDir, layout))
			if err != nil {
				t.Error(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("packages (-alone +together):\n%s", d)
			}
		})
	}
	wg.Wait()
}

// deadly is a layout that kills the process while a layer is read.
type deadly struct{ layout }

func (d deadly) open(name string) (io.ReadCloser, int64, error) {
	r, size, err := d.layout.open(name)
	return io.NopCloser(io.MultiReader(io.LimitReader(r, size/2), killer{})), size, err
}

type killer struct{}

func (killer) Read([]byte) (int, error) {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// dieWhileReading is a process that is killed while it reads a layer into a store.
func dieWhileReading(dir string) {
	s, err := newWith(Options{Store: filepath.Join(dir, "store")}, func() (context.Context, error) { return context.Background(), nil })
	if err != nil {
		os.Exit(1)
	}
	l, err := openLayoutDir(filepath.Join(dir, "layout"))
	if err != nil {
		os.Exit(1)
	}
	chosen, err := selectImage(l, "")
	if err != nil {
		os.Exit(1)
	}
	_, _, _ = s.layers(context.Background(), deadly{l}, chosen)
	os.Exit(1)
}

func TestWhatAProcessLeftThatWasKilledWhileItReadIsSwept(t *testing.T) {
	dir := t.TempDir()
	layout := writeLayout(t, imageOf(t, []tarEntry{{name: "etc/x", text: strings.Repeat("x", 1<<20)}, {name: "etc/y", text: strings.Repeat("y", 1<<20)}}))
	if err := os.Rename(layout, filepath.Join(dir, "layout")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^$")
	cmd.Env = append(os.Environ(), killedIn+"="+dir, killedWhile+"=reading")
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the process ended with %v, want that it is killed", err)
	}
	store := filepath.Join(dir, "store")
	left, err := filepath.Glob(filepath.Join(store, prefix+"*", "data-*"))
	if err != nil || len(left) != 1 {
		t.Fatalf("the killed process left %q, want one half file", left)
	}
	s := storing(t, store)
	if left, _ := filepath.Glob(filepath.Join(store, prefix+"*", "data-*")); len(left) > 0 {
		t.Errorf("after the next start there is %q", left)
	}
	scanned(t, s, target(FormOCIDir, filepath.Join(dir, "layout")))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	entries := listed(t, store)
	if d := cmp.Diff([]string{"images", "layers", "results"}, entries); d != "" {
		t.Errorf("the store (-want +got):\n%s", d)
	}
}

func TestContentsThatWereNotKeptAreReadAgain(t *testing.T) {
	layout := writeLayout(t, imageOf(t, []tarEntry{{name: "a/module.py", text: "print()"}, {name: "a/other.py", text: "pass"}}))
	s, _ := newScanner(t, Limits{})
	l, err := openLayoutDir(layout)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	chosen, err := selectImage(l, "")
	if err != nil {
		t.Fatal(err)
	}
	layers, release, err := s.layers(context.Background(), l, chosen)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	tr, err := newTree(layers)
	if err != nil {
		t.Fatal(err)
	}
	contents := &layerContents{layers: layers, whole: func(i int) (*layer, error) {
		return s.store.whole(context.Background(), l, chosen.manifest.Layers[i], chosen.config.RootFS.DiffIDs[i])
	}}
	for name, want := range map[string]string{"/a/module.py": "print()", "/a/other.py": "pass"} {
		r, err := contents.open(tr.find(name, true))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Errorf("%s is %q (error %v), want %q", name, got, err, want)
		}
	}
	if s.store.reread != 1 {
		t.Errorf("the layer was read %d times again, want once for both files", s.store.reread)
	}
	if err := contents.close(); err != nil {
		t.Error(err)
	}
}

func TestAnIndexIsReadBackAsItWasWritten(t *testing.T) {
	x := layerIndex{layer: layer{diffID: "sha256:00", bytes: 7, entries: []entry{
		{path: "/a", typ: tar.TypeReg, size: 3, offset: 0, mode: 0o4755, uid: -1, gid: 7, mtime: -5, kind: machineELF, mime: "application/x-elf", mute: true, sha256: [32]byte{1}, sha512: [64]byte{2}},
		{path: "/b", typ: tar.TypeSymlink, link: "a", offset: notKept}, {path: "/c", mark: whiteout, typ: tar.TypeReg, offset: notKept},
	}}, blobs: []string{"sha256:11"}, kept: 3}
	raw := x.encode()
	got, err := decodeLayer(raw)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(x, got, cmp.AllowUnexported(layerIndex{}, layer{}, entry{})); d != "" {
		t.Errorf("index (-written +read):\n%s", d)
	}
	for i := range raw {
		damaged := bytes.Clone(raw)
		damaged[i] ^= 0x10
		if _, err := decodeLayer(damaged); !errors.Is(err, errDamaged) {
			t.Fatalf("byte %d changed: error %v, want that it is damaged", i, err)
		}
	}
}

func FuzzDecodeLayer(f *testing.F) {
	f.Add(layerIndex{layer: layer{diffID: "sha256:00", entries: []entry{{path: "/a", typ: '0'}}}}.encode())
	f.Fuzz(func(t *testing.T, raw []byte) {
		x, err := decodeLayer(raw)
		if err == nil && !bytes.Equal(x.encode(), raw) {
			t.Error("an index is read that encodes to other bytes")
		}
	})
}

// TestAnImageCannotPassOffItsLayerAsAnother: a manifest whose configuration claims the diffID of a layer that is known.
func TestAnImageCannotPassOffItsLayerAsAnother(t *testing.T) {
	s, _ := newScanner(t, Limits{})
	open := func(entries []tarEntry) (layout, selected) {
		l, err := openLayoutDir(writeLayout(t, imageOf(t, entries)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		chosen, err := selectImage(l, "")
		if err != nil {
			t.Fatal(err)
		}
		return l, chosen
	}
	honest, known := open(debianLayer())
	forged, other := open([]tarEntry{{name: "srv/package.json", text: `{"name":"x","version":"1.0.0"}`}})
	diffID := known.config.RootFS.DiffIDs[0]
	_, release, err := s.store.layer(context.Background(), honest, known.manifest.Layers[0], diffID)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	_, _, err = s.store.layer(context.Background(), forged, other.manifest.Layers[0], diffID)
	if err == nil || !strings.Contains(err.Error(), "the configuration says "+diffID.String()) {
		t.Errorf("got error %v, want that the contents have another digest", err)
	}
}
