package source

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Limits of a tree of charts. The largest chart known (kube-prometheus-stack, with all it depends on) has 500 files and 10 MB.
const (
	maxChartFile    = 1 << 20   // of one file that is read
	maxChartArchive = 32 << 20  // of one packed chart
	maxChartBytes   = 256 << 20 // of everything unpacked
	maxChartEntries = 50_000    // files and folders, packed ones too
	maxChartDepth   = 10        // folders in folders
	maxChartRatio   = 200       // unpacked to packed; text packs 10 times
	freeChartBytes  = 8 << 20   // below this the ratio does not count
	maxChartPacks   = 3         // packed charts in packed charts
)

// chartTree holds the files of a tree that say versions, by their path in it. What lies in a packed chart has the name of
// that file as first folder.
type chartTree struct {
	files    map[string][]byte
	folders  map[string]bool
	problems []chartProblem
}

type chartProblem struct{ name, reason string }

// wantedChartFile reports whether a file says versions.
func wantedChartFile(name string) bool {
	return slices.Contains([]string{"Chart.yaml", "Chart.lock", "requirements.yaml", "requirements.lock",
		"metadata.yaml", "csctl.yaml", "versions.yaml", "clusteraddon.yaml", "node-images.yaml"}, path.Base(name))
}

func isPackedChart(name string) bool {
	return strings.HasSuffix(name, ".tgz") || strings.HasSuffix(name, ".tar.gz")
}

// chartWalk reads a tree and counts what it may cost.
type chartWalk struct {
	ctx     context.Context
	tree    chartTree
	entries int
	bytes   int64
}

// readChartTree reads a directory, without leaving it through links, or one packed chart.
func readChartTree(ctx context.Context, name string) (chartTree, error) {
	w := &chartWalk{ctx: ctx, tree: chartTree{files: map[string][]byte{}, folders: map[string]bool{}}}
	info, err := os.Stat(name)
	if err != nil {
		return w.tree, err
	}
	if !info.IsDir() {
		data, err := readFile(name, maxChartArchive)
		if err != nil {
			return w.tree, err
		}
		return w.tree, w.unpack(filepath.Base(name), data, 1)
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return w.tree, err
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error { return w.visit(root, p, d, err) })
	return w.tree, err
}

// errTooMuch ends a walk: what was read so far is no whole.
var errTooMuch = errors.New("the tree is too large")

func (w *chartWalk) count() error {
	if w.entries++; w.entries > maxChartEntries {
		return fmt.Errorf("%w: more than %d entries; name the folder of the chart itself", errTooMuch, maxChartEntries)
	}
	return w.ctx.Err()
}

func (w *chartWalk) problem(name, format string, args ...any) {
	w.tree.problems = append(w.tree.problems, chartProblem{name, fmt.Sprintf(format, args...)})
}

func (w *chartWalk) visit(root *os.Root, name string, d fs.DirEntry, err error) error {
	if err := w.count(); err != nil {
		return err
	}
	switch {
	case err != nil:
		w.problem(name, "%s", reason(err))
		return nil
	case d.IsDir() && (name != "." && strings.HasPrefix(d.Name(), ".") || strings.Count(name, "/") >= maxChartDepth):
		return fs.SkipDir // .git and the like
	case d.IsDir():
		w.tree.folders[name] = true
		return nil
	case !jsonPrintable(name), !wantedChartFile(name) && !isPackedChart(name):
		return nil
	}
	limit := int64(maxChartFile)
	if isPackedChart(name) {
		limit = maxChartArchive
	}
	data, err := readIn(root, name, limit)
	if err != nil {
		w.problem(name, "%s", reason(err))
		return nil
	}
	if !isPackedChart(name) {
		w.tree.files[name] = data
		return nil
	}
	if err := w.unpack(name, data, 1); errors.Is(err, errTooMuch) || w.ctx.Err() != nil {
		return err
	} else if err != nil {
		w.problem(name, "%s", err)
	}
	return nil
}

// unpack reads a packed chart below the name it has. Nothing is written. A name that leads out, or a link, is a sign that
// the archive was made to harm whoever unpacks it; then nothing of it is read.
func (w *chartWalk) unpack(name string, data []byte, depth int) error {
	gz, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return errors.New("this is no packed chart: it is not compressed with gzip")
	}
	in := &chartInflate{r: gz, left: min(maxChartBytes-w.bytes, max(freeChartBytes, maxChartRatio*int64(len(data))))}
	inner := &chartWalk{ctx: w.ctx, tree: chartTree{files: map[string][]byte{}, folders: map[string]bool{}}, entries: w.entries, bytes: w.bytes}
	err = inner.entriesOf(name, tar.NewReader(in), depth)
	w.entries, w.bytes = inner.entries, inner.bytes+in.read
	if err != nil {
		if in.left < 0 {
			return fmt.Errorf("it unpacks to more than %d times its size, or to more than %d bytes with the others", maxChartRatio, maxChartBytes)
		}
		return err
	}
	for file, data := range inner.tree.files {
		w.tree.files[file] = data
	}
	for folder := range inner.tree.folders {
		w.tree.folders[folder] = true
	}
	w.tree.problems = append(w.tree.problems, inner.tree.problems...)
	return nil
}

func (w *chartWalk) entriesOf(name string, t *tar.Reader, depth int) error {
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return fmt.Errorf("the archive is cut off or damaged: %w", err)
		}
		if err := w.count(); err != nil {
			return err
		}
		if err := w.entry(name, h, t, depth); err != nil {
			return err
		}
	}
}

func (w *chartWalk) entry(archive string, h *tar.Header, t *tar.Reader, depth int) error {
	inside, err := chartEntryName(h)
	if err != nil {
		return err
	}
	full := path.Join(archive, inside)
	if h.Typeflag == tar.TypeDir {
		w.tree.folders[full] = true
		return nil
	}
	if !jsonPrintable(full) || !wantedChartFile(inside) && !isPackedChart(inside) {
		return nil
	}
	if w.tree.files[full] != nil {
		return fmt.Errorf("entry %q occurs twice", inside)
	}
	w.tree.folders[path.Dir(full)] = true
	limit := int64(maxChartFile)
	if isPackedChart(inside) {
		limit = maxChartArchive
	}
	data, err := io.ReadAll(io.LimitReader(t, limit+1))
	switch {
	case err != nil:
		return fmt.Errorf("the archive is cut off or damaged: %w", err)
	case int64(len(data)) > limit:
		w.problem(full, "it is larger than %d bytes", limit)
	case !isPackedChart(inside):
		w.tree.files[full] = data
	case depth == maxChartPacks:
		w.problem(full, "packed charts are packed more than %d deep; it is not read", maxChartPacks)
	default:
		return w.unpack(full, data, depth+1)
	}
	return nil
}

func chartEntryName(h *tar.Header) (string, error) {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir, tar.TypeXGlobalHeader:
	default:
		return "", fmt.Errorf("entry %q is a link or device; a chart has only files and directories", h.Name)
	}
	name := strings.TrimSuffix(strings.TrimPrefix(h.Name, "./"), "/")
	if name == "" {
		name = "."
	}
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") {
		return "", fmt.Errorf("entry %q is no path inside the archive", h.Name)
	}
	return name, nil
}

// chartInflate counts what comes out of a packed file and stops when that is too much.
type chartInflate struct {
	r          io.Reader
	read, left int64
}

func (c *chartInflate) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.read += int64(n)
	if c.left -= int64(n); c.left < 0 {
		return 0, errTooMuch
	}
	return n, err
}
