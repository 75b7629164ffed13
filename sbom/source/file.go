package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// pathError is what package os returns.
type pathError = fs.PathError

// readBounded reads a regular file of at most limit bytes. Devices, pipes and directories are refused before they are
// opened for reading, so that nothing blocks.
func readBounded(open func() (*os.File, error), stat func() (fs.FileInfo, error), limit int64) ([]byte, error) {
	info, err := stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("it is a directory, want a file")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	f, err := open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	b.Grow(int(info.Size()) + bytes.MinRead)
	if _, err := b.ReadFrom(io.LimitReader(f, limit+1)); err != nil {
		return nil, err
	}
	data := b.Bytes()
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return data, nil
}

// readFile reads a file named by the operator.
func readFile(name string, limit int64) ([]byte, error) {
	return readBounded(
		func() (*os.File, error) { return os.Open(name) },
		func() (fs.FileInfo, error) { return os.Stat(name) }, limit)
}

// readIn reads a file below a root that symbolic links cannot lead out of.
func readIn(root *os.Root, name string, limit int64) ([]byte, error) {
	return readBounded(
		func() (*os.File, error) { return root.Open(name) },
		func() (fs.FileInfo, error) { return root.Stat(name) }, limit)
}
