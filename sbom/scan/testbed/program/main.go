// Command program is what the testbed has as a Go program: small, and with build information that lists modules. It reads
// YAML from standard input and writes it compressed with Zstandard to standard output.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	r, w := io.Pipe()
	var both errgroup.Group
	both.Go(func() error {
		var value any
		err := yaml.NewDecoder(in).Decode(&value)
		if err == nil {
			err = yaml.NewEncoder(w).Encode(value)
		}
		return w.CloseWithError(err)
	})
	both.Go(func() error {
		z, err := zstd.NewWriter(out)
		if err != nil {
			return r.CloseWithError(err)
		}
		if _, err := io.Copy(z, r); err != nil {
			return r.CloseWithError(err)
		}
		return z.Close()
	})
	return both.Wait()
}
