package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// intentImage makes the artifact of an image reference. One that cannot be read keeps its text, so that it is found, and
// the error says why; name is what it is called then.
func intentImage(text, name string) (sbom.Artifact, error) {
	ref, err := sbom.ParseReference(text)
	if err != nil {
		return sbom.Artifact{ID: "image:" + text, Kind: sbom.KindImage, Name: name, Reference: text, Unpinned: "the reference cannot be read"}, err
	}
	id := "image:" + text
	if ref.Digest != "" {
		id = "image:" + string(ref.Digest)
	}
	return sbom.Artifact{ID: id, Kind: sbom.KindImage, Name: ref.Name(), Reference: text, Version: sbom.ParseTag(ref.Tag).Version,
		Digest: ref.Digest, Unpinned: ref.Unpinned()}, nil
}

// intentSoftware makes the artifact of a thing that is no image.
func intentSoftware(name, version string) sbom.Artifact {
	a := sbom.Artifact{Kind: sbom.KindSoftware, Name: name, Reference: name, ID: "software:" + name, Unpinned: sbom.UnpinnedRevision(version)}
	if version != "" {
		a.ID += "@" + version
		a.Reference += "@" + version
	}
	if a.Unpinned == "" {
		a.Version = sbom.UpstreamVersion(version)
	}
	return a
}

// keepIntent hands what is read of an input file to the bundle as JSON; the digest of the origin is that of the file
// itself.
func keepIntent(ctx context.Context, opt Options, origin audit.Origin, value any) error {
	data, err := json.Marshal(value)
	if err == nil {
		_, err = keepInput(ctx, opt, origin.Path, "application/json", data, origin)
	}
	if err != nil {
		return fmt.Errorf("keeping %q as evidence: %w", origin.Path, err)
	}
	return nil
}

// clipped shortens a text of strangers for a message.
func clipped(text string) string {
	if len(text) > 80 {
		return strings.ToValidUTF8(text[:80], "") + "..."
	}
	return text
}

// jsonWalk goes through JSON by tokens, so that what is complete before a fault is kept and every place has a line.
type jsonWalk struct {
	dec     *json.Decoder
	data    []byte
	counted int64 // bytes whose line breaks are counted
	breaks  int
}

// line returns the line that the next value begins on, or the last one was read on.
func (w *jsonWalk) line() int {
	at := min(w.dec.InputOffset(), int64(len(w.data)))
	w.breaks += bytes.Count(w.data[w.counted:at], []byte("\n"))
	w.counted = at
	rest := w.data[at:]
	space := len(rest) - len(bytes.TrimLeft(rest, " \t\r\n,"))
	return 1 + w.breaks + bytes.Count(rest[:space], []byte("\n"))
}

var errTooEarly = errors.New("it ends too early")

// object reads an object; each is called before every value and must read it.
func (w *jsonWalk) object(each func(key string, line int) error) error {
	if err := w.delim('{', "an object"); err != nil {
		return err
	}
	for w.dec.More() {
		line := w.line()
		token, err := w.dec.Token()
		if err != nil {
			return w.plain(err)
		}
		key, _ := token.(string)
		if err := each(key, line); err != nil {
			return w.plain(err)
		}
	}
	_, err := w.dec.Token()
	return w.plain(err)
}

// list reads a list; each is called before every element and must read it.
func (w *jsonWalk) list(each func(line int) error) error {
	if err := w.delim('[', "a list"); err != nil {
		return err
	}
	for w.dec.More() {
		if err := each(w.line()); err != nil {
			return w.plain(err)
		}
	}
	_, err := w.dec.Token()
	return w.plain(err)
}

// end reports what follows the document.
func (w *jsonWalk) end() error {
	if _, err := w.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}

func (w *jsonWalk) delim(want json.Delim, what string) error {
	token, err := w.dec.Token()
	if err != nil {
		return w.plain(err)
	}
	if token != want {
		return fmt.Errorf("this is not %s", what)
	}
	return nil
}

// plain returns an error without what it quotes of the document.
func (w *jsonWalk) plain(err error) error {
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errTooEarly
	case errors.As(err, &syntax) && strings.Contains(err.Error(), "unexpected end"):
		return errTooEarly
	case errors.As(err, &syntax):
		return errors.New("this is no JSON")
	}
	return err
}

// wrongType reports whether an error of encoding/json is about one value only, so that reading may go on behind it.
func wrongType(err error) bool {
	return errors.As(err, new(*json.UnmarshalTypeError))
}
