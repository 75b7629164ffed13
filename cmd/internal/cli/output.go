package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
)

// output is one -o FORMAT=FILE.
type output struct {
	format string
	file   string // "-" is standard output
}

// parseOutputs reads the -o flags; formats are those of this command, def is used if none is given.
func parseOutputs(flags, formats []string, def output) ([]output, error) {
	if len(flags) == 0 {
		return []output{def}, nil
	}
	var outs []output
	for _, f := range flags {
		format, file, ok := strings.Cut(f, "=")
		if !ok || file == "" {
			return nil, &pipeline.UsageError{Err: fmt.Errorf("flag -o: %q is not FORMAT=FILE", f), Hint: "for example -o " + formats[0] + "=-; - is standard output"}
		}
		if !slices.Contains(formats, format) {
			return nil, &pipeline.UsageError{Err: fmt.Errorf("flag -o: unknown format %q", format), Hint: "formats of this command: " + strings.Join(formats, ", ")}
		}
		o := output{format, file}
		if err := o.check(outs); err != nil {
			return nil, err
		}
		outs = append(outs, o)
	}
	return outs, nil
}

// check finds out before the work, not after it, whether the result can be written.
func (o output) check(before []output) error {
	for _, b := range before {
		if filepath.Clean(b.file) == filepath.Clean(o.file) {
			return &pipeline.UsageError{Err: fmt.Errorf("flag -o: %q is named twice", o.file), Hint: "give each format a file of its own"}
		}
	}
	if o.file == "-" {
		return nil
	}
	dir := filepath.Dir(o.file)
	if strings.HasSuffix(o.file, "/") {
		dir = strings.TrimRight(o.file, "/") + "/"
		if _, err := os.Lstat(strings.TrimRight(dir, "/")); errors.Is(err, os.ErrNotExist) {
			dir = filepath.Dir(strings.TrimRight(dir, "/")) // it is made when there is something to write
		}
	} else if info, err := os.Stat(o.file); err == nil && info.IsDir() {
		return &pipeline.UsageError{Err: fmt.Errorf("flag -o: %q is a directory", o.file), Hint: "name a file"}
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return &pipeline.UsageError{Err: fmt.Errorf("flag -o: %q is no directory", dir), Hint: "make it first"}
	}
	return nil
}

// writeFile writes to standard output or beside the target and renames, so that nobody ever sees half a file.
func (o output) write(stdout io.Writer, data []byte) error {
	if o.file == "-" {
		_, err := stdout.Write(data)
		return err
	}
	return writeWhole(o.file, data)
}

func writeWhole(name string, data []byte) error {
	return writeStream(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// writeStream writes what write produces beside the target and renames it when it is whole: nobody ever sees half a file
// or an empty one. A device or a pipe, such as /dev/null, is written into and stays what it is.
func writeStream(name string, write func(io.Writer) error) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return writeInto(name, write)
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".pegel-*")
	if err != nil {
		return &pipeline.UsageError{Err: fmt.Errorf("writing %q: the directory cannot be written", name), Hint: "choose another place"}
	}
	defer os.Remove(tmp.Name())
	fail := func(err error) error {
		tmp.Close()
		return fmt.Errorf("writing %q: %w", name, err)
	}
	if err := write(tmp); err != nil {
		return fail(err)
	}
	if info, err := tmp.Stat(); err == nil && info.Size() == 0 {
		return fail(errors.New("nothing came"))
	}
	if err := tmp.Chmod(0o644); err != nil {
		return fail(err)
	}
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("writing %q: %w", name, err)
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return fmt.Errorf("writing %q: it cannot be replaced", name)
	}
	return nil
}

// writeInto writes what write produces into something that is there and no file.
func writeInto(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("writing %q: it cannot be opened", name)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return fmt.Errorf("writing %q: %w", name, err)
	}
	return nil
}
