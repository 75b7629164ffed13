package scan

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// prefix begins the name of every directory that a Scanner makes, and of the lock file beside it.
const prefix = "pegel-scan-"

const lockSuffix = ".lock"

// workspace is the temporary directory of one Scanner. The lock file beside it is locked as long as the process lives, so
// that the next process can tell what was left behind from what is in use.
type workspace struct {
	dir  string
	lock *os.File
}

// openWorkspace sweeps the parent directory and makes a new directory in it.
func openWorkspace(parent string) (*workspace, error) {
	parent, err := filepath.Abs(parent)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(parent); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%q is not a directory", parent)
	}
	sweep(parent)
	for range 100 {
		w, err := tryWorkspace(parent)
		if !errors.Is(err, errRetry) {
			return w, err
		}
	}
	return nil, fmt.Errorf("no free name in %q after 100 attempts", parent)
}

var errRetry = errors.New("name is taken")

func tryWorkspace(parent string) (*workspace, error) {
	random := make([]byte, 8)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	dir := filepath.Join(parent, prefix+hex.EncodeToString(random))
	lock, err := os.OpenFile(dir+lockSuffix, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, errRetry
	}
	if err != nil {
		return nil, err
	}
	if !tryLock(lock) || !stillThere(lock) { // another process swept it between creation and locking
		return nil, errors.Join(errRetry, lock.Close())
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, errors.Join(err, os.Remove(lock.Name()), lock.Close())
	}
	return &workspace{dir: dir, lock: lock}, nil
}

func stillThere(f *os.File) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(opened, named)
}

// sweep removes what processes that live no more left behind. What cannot be removed, for instance because it belongs to
// somebody else, stays.
func sweep(parent string) {
	root, err := os.OpenRoot(parent)
	if err != nil {
		return
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return
	}
	for _, e := range entries {
		name, isLock := strings.CutSuffix(e.Name(), lockSuffix)
		if isLock && strings.HasPrefix(name, prefix) && e.Type().IsRegular() {
			sweepOne(root, name)
		}
	}
}

func sweepOne(root *os.Root, name string) {
	lock, err := root.OpenFile(name+lockSuffix, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer lock.Close()
	if !tryLock(lock) {
		return // in use
	}
	if root.RemoveAll(name) == nil {
		_ = root.Remove(name + lockSuffix)
	}
}

// scratch makes a directory for one reader that needs files; the caller removes it.
func (w *workspace) scratch() (string, error) { return os.MkdirTemp(w.dir, "scan-") }

// file makes an empty file that can be written and read; the caller moves or removes it.
func (w *workspace) file() (*os.File, error) { return os.CreateTemp(w.dir, "data-") }

// publish writes a file beside its place and renames it, so that nobody ever sees a part of it. The place has to be on the
// file system of the workspace.
func (w *workspace) publish(name string, data []byte) error {
	f, err := w.file()
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), name)
}

func (w *workspace) close() error {
	return errors.Join(os.RemoveAll(w.dir), os.Remove(w.lock.Name()), w.lock.Close())
}

// hide takes the temporary directory out of an error that a library made, so that no path of this machine gets into
// evidence. The chain of the error stays.
func (w *workspace) hide(err error) error {
	text, parent := err.Error(), filepath.Dir(w.dir)
	if !strings.Contains(text, parent) {
		return err
	}
	text = strings.ReplaceAll(text, w.dir+string(filepath.Separator), "")
	text = strings.ReplaceAll(text, parent+string(filepath.Separator), "")
	return hiddenPath{error: err, text: strings.ReplaceAll(text, parent, "the directory of layers")}
}

type hiddenPath struct {
	error
	text string
}

func (h hiddenPath) Error() string { return h.text }
func (h hiddenPath) Unwrap() error { return h.error }
