package scan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// store keeps layers and results by content, so that each unique layer is read once whatever the number of images. It
// lies in a directory that outlives the process, or in the workspace. Files are written beside their place and renamed,
// so several processes can share a store, and anybody can delete it at any time.
//
// What is kept by content needs no second look: a layer whose blob was verified once is known by the digest of that blob,
// so an image is what its manifest says also where the copy of a blob at hand has been damaged since.
type store struct {
	dir    string
	work   *workspace // where files are made before they are renamed; on the same file system
	limits Limits
	keep   keeper
	most   int64 // bytes on disk

	mu     sync.Mutex
	slots  map[v1.Hash]*slot // by diffID
	clock  int64
	reread int // layers that had to be read a second time because more was asked than had been kept
}

// slot holds one layer in memory.
type slot struct {
	ready chan struct{} // closed when layer and err are set
	layer *layer
	blobs []string
	err   error
	users int
	used  int64
}

// mostEntries is how many entries of layers that no scan uses stay in memory: about 100 MB.
const mostEntries = 300_000

func newStore(dir string, work *workspace, limits Limits, most int64) *store {
	return &store{dir: dir, work: work, limits: limits, keep: newKeeper(), most: most, slots: map[v1.Hash]*slot{}}
}

// layer returns the layer, reading it if nobody did before. The caller calls release when he needs it no more.
func (s *store) layer(ctx context.Context, l layout, d v1.Descriptor, diffID v1.Hash) (_ *layer, release func(), err error) {
	for {
		sl, mine := s.claim(diffID)
		if mine {
			sl.layer, sl.blobs, sl.err = s.load(ctx, l, d, diffID)
			close(sl.ready)
		} else {
			select {
			case <-sl.ready:
			case <-ctx.Done():
				s.leave(diffID, sl)
				return nil, nil, ctx.Err()
			}
		}
		if sl.err != nil {
			s.drop(diffID, sl)
			if !mine && ctx.Err() == nil {
				continue // the other image failed, perhaps by its own fault: try with this one
			}
			return nil, nil, sl.err
		}
		if err := s.sameBlob(ctx, l, d, diffID, sl); err != nil {
			s.leave(diffID, sl)
			return nil, nil, err
		}
		return sl.layer, sync.OnceFunc(func() { s.leave(diffID, sl) }), nil
	}
}

// claim returns the slot of a layer, and whether the caller has to fill it.
func (s *store) claim(diffID v1.Hash) (*slot, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock++
	sl, ok := s.slots[diffID]
	if !ok {
		sl = &slot{ready: make(chan struct{})}
		s.slots[diffID] = sl
	}
	sl.users++
	sl.used = s.clock
	return sl, !ok
}

func (s *store) drop(diffID v1.Hash, sl *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl.users--
	if s.slots[diffID] == sl {
		delete(s.slots, diffID)
	}
}

// leave ends the use of a slot and takes out of memory what has been unused for longest.
func (s *store) leave(diffID v1.Hash, sl *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl.users--
	total, idle := 0, []v1.Hash{}
	for id, other := range s.slots {
		if other.users == 0 && other.layer != nil {
			total += len(other.layer.entries)
			idle = append(idle, id)
		}
	}
	slices.SortFunc(idle, func(a, b v1.Hash) int { return int(s.slots[a].used - s.slots[b].used) })
	for _, id := range idle {
		if total <= mostEntries && len(idle) <= 256 {
			return
		}
		total -= len(s.slots[id].layer.entries)
		_ = s.slots[id].layer.data.Close() // only read from
		delete(s.slots, id)
		idle = idle[1:]
	}
}

// has reports whether a layer is known, as far as can be told without reading it.
func (s *store) has(diffID v1.Hash) bool {
	s.mu.Lock()
	_, inMemory := s.slots[diffID]
	s.mu.Unlock()
	if inMemory {
		return true
	}
	if _, err := blobName(diffID); err != nil {
		return false
	}
	index, _ := s.names(diffID)
	_, err := os.Stat(index)
	return err == nil
}

// load takes a layer from disk or reads it from the image.
func (s *store) load(ctx context.Context, l layout, d v1.Descriptor, diffID v1.Hash) (*layer, []string, error) {
	if found, blobs, err := s.fromDisk(diffID); err == nil {
		return found, blobs, nil
	}
	made, err := s.fromImage(ctx, l, d, diffID)
	return made, []string{d.Digest.String()}, err
}

// sameBlob makes sure that the blob of this image unpacks to the layer, where it is not the one that was read.
func (s *store) sameBlob(ctx context.Context, l layout, d v1.Descriptor, diffID v1.Hash, sl *slot) error {
	s.mu.Lock()
	known := slices.Contains(sl.blobs, d.Digest.String())
	s.mu.Unlock()
	if known {
		return checkSize(l, d)
	}
	scratch, err := s.work.file()
	if err != nil {
		return err
	}
	defer discard(scratch)
	again := newLayerReader(s.limits, s.keep)
	if _, err := again.read(ctx, l, d, diffID, scratch); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sl.blobs = append(sl.blobs, d.Digest.String())
	return nil
}

// checkSize looks whether the blob is there and has the size that the manifest says, without reading it.
func checkSize(l layout, d v1.Descriptor) error {
	name, err := blobName(d.Digest)
	if err != nil {
		return err
	}
	blob, size, err := l.open(name)
	if err != nil {
		return fmt.Errorf("opening %s: %w", name, err)
	}
	if err := blob.Close(); err != nil {
		return err
	}
	if size != d.Size {
		return fmt.Errorf("it has %d bytes, the manifest says %d: the image is cut off or was changed, copy it again", size, d.Size)
	}
	return nil
}

// fromImage reads a layer from the image at hand and keeps it on disk.
func (s *store) fromImage(ctx context.Context, l layout, d v1.Descriptor, diffID v1.Hash) (*layer, error) {
	data, err := s.work.file()
	if err != nil {
		return nil, err
	}
	r := newLayerReader(s.limits, s.keep)
	made, err := r.read(ctx, l, d, diffID, data)
	if err != nil {
		discard(data)
		return nil, err
	}
	x := layerIndex{layer: *made, blobs: []string{d.Digest.String()}, kept: r.written}
	if err := s.toDisk(x, diffID); err != nil {
		discard(data)
		return nil, explainWrite(err)
	}
	return made, nil
}

func discard(f *os.File) {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// names are the files of a layer in the store.
func (s *store) names(diffID v1.Hash) (index, data string) {
	base := filepath.Join(s.dir, "layers", diffID.Hex)
	return base + ".index", base + ".data"
}

// toDisk moves the contents to their place and writes the index beside them.
func (s *store) toDisk(x layerIndex, diffID v1.Hash) error {
	index, data := s.names(diffID)
	if err := os.MkdirAll(filepath.Dir(index), 0o700); err != nil {
		return err
	}
	if err := os.Rename(x.layer.data.Name(), data); err != nil {
		return err
	}
	if err := s.work.publish(index, x.encode()); err != nil {
		return err
	}
	s.evict(diffID.Hex)
	return nil
}

// fromDisk reads what another scan or process kept. Anything odd is an error, and then the layer is read from the image.
func (s *store) fromDisk(diffID v1.Hash) (*layer, []string, error) {
	if _, err := blobName(diffID); err != nil {
		return nil, nil, err
	}
	index, data := s.names(diffID)
	raw, err := os.ReadFile(index)
	if err != nil {
		return nil, nil, err
	}
	x, err := decodeLayer(raw)
	if err != nil {
		return nil, nil, err
	}
	if string(x.diffID) != diffID.String() {
		return nil, nil, errDamaged
	}
	f, err := os.Open(data)
	if err != nil {
		return nil, nil, err
	}
	if err := x.verify(f); err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	touch(index)
	return &layer{diffID: x.diffID, bytes: x.bytes, entries: x.entries, data: f}, x.blobs, nil
}

// item is something in the store that goes as a whole.
type item struct {
	files []string
	size  int64
	used  time.Time
}

// evict removes what was unused for longest, layers and results alike, until the store is within its size; the layer named
// stays. Processes that have a removed layer open keep it until they are done.
func (s *store) evict(keep string) {
	var items []item
	var total int64
	for _, dir := range []string{"layers", "results", "images"} {
		for _, it := range s.items(dir) {
			total += it.size
			items = append(items, it)
		}
	}
	slices.SortFunc(items, func(a, b item) int { return a.used.Compare(b.used) })
	for _, it := range items {
		if total <= s.most {
			return
		}
		if strings.HasPrefix(filepath.Base(it.files[0]), keep) {
			continue
		}
		for _, name := range it.files {
			_ = os.Remove(name)
		}
		total -= it.size
	}
}

// items lists one directory of the store; the contents of a layer go with its index.
func (s *store) items(dir string) []item {
	entries, err := os.ReadDir(filepath.Join(s.dir, dir))
	if err != nil {
		return nil
	}
	var all []item
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || strings.HasSuffix(e.Name(), ".data") {
			continue
		}
		it := item{files: []string{filepath.Join(s.dir, dir, e.Name())}, size: max(info.Size(), minItem), used: info.ModTime()}
		if base, isIndex := strings.CutSuffix(it.files[0], ".index"); isIndex {
			it.files = append(it.files, base+".data")
			if data, err := os.Stat(base + ".data"); err == nil {
				it.size += data.Size()
			}
		}
		all = append(all, it)
	}
	return all
}

// minItem is what the smallest file takes on disk.
const minItem = 4 << 10

// touch notes that a file of the store was used. A store that cannot be written to is only not tidied.
func touch(name string) {
	now := time.Now()
	_ = os.Chtimes(name, now, now)
}

// whole reads the layer again with all contents, because something was asked for that had not been kept.
func (s *store) whole(ctx context.Context, l layout, d v1.Descriptor, diffID v1.Hash) (*layer, error) {
	s.mu.Lock()
	s.reread++
	s.mu.Unlock()
	data, err := s.work.file()
	if err != nil {
		return nil, err
	}
	r := newLayerReader(s.limits, s.keep)
	r.all = true
	made, err := r.read(ctx, l, d, diffID, data)
	if err != nil {
		discard(data)
		return nil, err
	}
	return made, nil
}

// close closes all files. No scan may be running.
func (s *store) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, sl := range s.slots {
		if sl.layer != nil {
			errs = append(errs, sl.layer.data.Close())
		}
	}
	clear(s.slots)
	return errors.Join(errs...)
}
