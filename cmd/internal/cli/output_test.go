//go:build unix

package cli

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestAPipeOrDeviceIsWrittenIntoAndStaysWhatItIs(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan []byte, 1)
	go func() {
		f, err := os.Open(name)
		if err != nil {
			got <- nil
			return
		}
		defer f.Close()
		data, _ := io.ReadAll(f)
		got <- data
	}()
	if err := writeWhole(name, []byte("report")); err != nil {
		t.Fatal(err)
	}
	if data := <-got; string(data) != "report" {
		t.Errorf("the reader got %q", data)
	}
	info, err := os.Lstat(name)
	if err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe is now %v, %v", info.Mode(), err)
	}
}
