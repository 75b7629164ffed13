package quality

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits of what is read. They bound time and memory, whatever a stranger wrote.
const (
	// MaxFile is the largest document in bytes; BenchmarkCheck reads 1 GB in about 15 CPU-s.
	MaxFile = 4 << 30
	// MaxComponents holds a CycloneDX file of 1 GB with 500 bytes a component; peers write 700 to 2,000.
	MaxComponents = 2_000_000
	// MaxEdges bounds the dependencies, four for each component.
	MaxEdges = 4 * MaxComponents

	maxDepth  = 256     // of JSON; each nested component takes two
	maxKeys   = 256     // in one object; the largest object of the formats has about 30
	maxKey    = 200     // bytes kept of a key
	maxString = 8 << 10 // bytes kept of a string; the rest is passed over
	bufSize   = 64 << 10
)

// scanner reads JSON as a stream and keeps nothing of it. Methods that read a value demand that one stands next.
type scanner struct {
	r     io.Reader
	buf   []byte
	pos   int
	end   int
	err   error // of the reader
	total int64
	line  int
	depth int
	kept  []byte   // a string that did not stand in buf in one piece
	keys  [][]byte // of the objects that are open, so that a double one is seen
	nKeys int

	hashes []uint64 // of keys, so that 256 of them are compared in no time
	seed   maphash.Seed
}

func newScanner(r io.Reader) *scanner {
	return &scanner{r: r, buf: make([]byte, bufSize), line: 1, seed: maphash.MakeSeed()}
}

var errTooEarly = errors.New("the document ends too early; fetch it again")

func (s *scanner) fault(format string, args ...any) error {
	return fmt.Errorf("line %d: %w", s.line, fmt.Errorf(format, args...))
}

// fill reads on and reports whether there is more.
func (s *scanner) fill() bool {
	for s.err == nil {
		n, err := s.r.Read(s.buf)
		s.pos, s.end, s.err = 0, n, err
		s.total += int64(n)
		if s.total > MaxFile {
			s.err = fmt.Errorf("the document is larger than %d bytes; check its parts one by one", int64(MaxFile))
			s.end = 0
			return false
		}
		if n > 0 {
			return true
		}
	}
	return false
}

// ended is the error of a document that ends where more is needed.
func (s *scanner) ended() error {
	if s.err != nil && !errors.Is(s.err, io.EOF) {
		return s.err
	}
	return errTooEarly
}

// peek returns the next byte that is no space, without taking it.
func (s *scanner) peek() (byte, error) {
	for {
		for ; s.pos < s.end; s.pos++ {
			switch c := s.buf[s.pos]; c {
			case '\n':
				s.line++
			case ' ', '\t', '\r':
			default:
				return c, nil
			}
		}
		if !s.fill() {
			return 0, s.ended()
		}
	}
}

func (s *scanner) expect(want byte) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != want {
		return s.fault("%q stands where %q is due", c, want)
	}
	s.pos++
	return nil
}

func (s *scanner) enter(open byte) error {
	if err := s.expect(open); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return s.fault("nested more than %d deep", maxDepth)
	}
	return nil
}

// more reports whether another member follows, and passes over the comma before it.
func (s *scanner) more(first bool, shut byte) (bool, error) {
	c, err := s.peek()
	switch {
	case err != nil:
		return false, err
	case c == shut:
		s.pos++
		s.depth--
		return false, nil
	case first:
		return true, nil
	case c != ',':
		return false, s.fault("%q stands where a comma is due", c)
	}
	s.pos++
	if c, err = s.peek(); err == nil && c == shut {
		return false, s.fault("nothing follows the comma")
	}
	return true, err
}

// object reads an object; member is called with each key and must read the value. The key holds until then only.
// A key that stands twice is an error: readers differ in which one they take.
func (s *scanner) object(member func(key []byte) error) error {
	if err := s.enter('{'); err != nil {
		return err
	}
	base := s.nKeys
	for first := true; ; first = false {
		more, err := s.more(first, '}')
		if err != nil || !more {
			s.nKeys = base
			return err
		}
		key, err := s.string()
		if err != nil {
			return err
		}
		if err := s.remember(base, key); err != nil {
			return err
		}
		key = s.keys[s.nKeys-1]
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
	}
}

func (s *scanner) remember(base int, key []byte) error {
	if s.nKeys-base >= maxKeys {
		return s.fault("more than %d keys in one object", maxKeys)
	}
	hash := maphash.Bytes(s.seed, key)
	for i, h := range s.hashes[base:s.nKeys] {
		if h == hash && bytes.Equal(s.keys[base+i], clip(key, maxKey)) {
			return s.fault("key %q stands twice in one object", clip(key, 60))
		}
	}
	if s.nKeys == len(s.keys) {
		s.keys, s.hashes = append(s.keys, nil), append(s.hashes, 0)
	}
	s.hashes[s.nKeys] = hash
	s.keys[s.nKeys] = append(s.keys[s.nKeys][:0], clip(key, maxKey)...)
	s.nKeys++
	return nil
}

// list reads a list; item must read each value.
func (s *scanner) list(item func() error) error {
	if err := s.enter('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := s.more(first, ']')
		if err != nil || !more {
			return err
		}
		if err := item(); err != nil {
			return err
		}
	}
}

// string reads a string and returns at most maxString bytes of it, which hold until the next call.
func (s *scanner) string() ([]byte, error) {
	if err := s.expect('"'); err != nil {
		return nil, err
	}
	for i := s.pos; i < s.end; i++ { // in one piece and without escapes, as nearly all are
		if c := s.buf[i]; c == '"' {
			out := s.buf[s.pos:i]
			s.pos = i + 1
			return s.checked(out)
		} else if c == '\\' || c < ' ' {
			break
		}
	}
	s.kept = s.kept[:0]
	for {
		c, err := s.next()
		switch {
		case err != nil:
			return nil, err
		case c == '"':
			return s.checked(s.kept)
		case c < ' ':
			return nil, s.fault("a control character stands in a string")
		case c == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		default:
			s.keep(c)
		}
	}
}

func (s *scanner) checked(out []byte) ([]byte, error) {
	cut := len(out) > maxString
	out = clip(out, maxString)
	for cut && len(out) > 0 && !utf8.RuneStart(out[len(out)-1]) {
		out = out[:len(out)-1]
	}
	if cut && len(out) > 0 && out[len(out)-1] >= utf8.RuneSelf {
		out = out[:len(out)-1]
	}
	if !utf8.Valid(out) {
		return nil, s.fault("a string is not UTF-8")
	}
	return out, nil
}

func (s *scanner) keep(c ...byte) {
	if len(s.kept) < maxString+utf8.UTFMax {
		s.kept = append(s.kept, c...)
	}
}

func (s *scanner) next() (byte, error) {
	if s.pos >= s.end && !s.fill() {
		return 0, s.ended()
	}
	c := s.buf[s.pos]
	s.pos++
	return c, nil
}

// escape reads what follows a backslash.
func (s *scanner) escape() error {
	c, err := s.next()
	if err != nil {
		return err
	}
	switch c {
	case '"', '\\', '/':
		s.keep(c)
	case 'b', 'f', 'n', 'r', 't':
		s.keep(map[byte]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}[c])
	case 'u':
		return s.codePoint()
	default:
		return s.fault("\\%c is no escape of JSON", c)
	}
	return nil
}

func (s *scanner) codePoint() error {
	r, err := s.hex4()
	if err != nil {
		return err
	}
	for utf16.IsSurrogate(r) {
		if s.pos+1 >= s.end || s.buf[s.pos] != '\\' || s.buf[s.pos+1] != 'u' {
			r = utf8.RuneError // half a pair, or one cut by the buffer: no field that is judged holds such a character
			break
		}
		s.pos += 2
		second, err := s.hex4()
		if err != nil {
			return err
		}
		if pair := utf16.DecodeRune(r, second); pair != utf8.RuneError {
			r = pair
			break
		}
		s.keep([]byte(string(utf8.RuneError))...)
		r = second
	}
	s.keep([]byte(string(r))...)
	return nil
}

func (s *scanner) hex4() (rune, error) {
	var r rune
	for range 4 {
		c, err := s.next()
		if err != nil {
			return 0, err
		}
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, s.fault("%q is no hexadecimal digit", c)
		}
	}
	return r, nil
}

// skip passes over any value.
func (s *scanner) skip() error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	switch c {
	case '{':
		return s.object(func([]byte) error { return s.skip() })
	case '[':
		return s.list(s.skip)
	case '"':
		_, err := s.string()
		return err
	}
	_, err = s.literal()
	return err
}

// literal reads a number, true, false or null.
func (s *scanner) literal() (string, error) {
	var word []byte
	for {
		if s.pos >= s.end && !s.fill() {
			if err := s.ended(); !errors.Is(err, errTooEarly) {
				return "", err
			}
			break
		}
		c := s.buf[s.pos]
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || c == 'E' || c == '-' || c == '+' || c == '.') {
			break
		}
		if len(word) >= 64 {
			return "", s.fault("a number has more than 64 characters")
		}
		word = append(word, c)
		s.pos++
	}
	text := string(word)
	if !json.Valid(word) {
		if text == "" && s.pos < s.end {
			return "", s.fault("%q is no value of JSON", s.buf[s.pos])
		}
		return "", s.fault("%q is no value of JSON", text)
	}
	return text, nil
}

// finish demands that nothing follows.
func (s *scanner) finish() error {
	_, err := s.peek()
	switch {
	case err == nil:
		return s.fault("something follows the document")
	case errors.Is(err, errTooEarly):
		return nil
	}
	return err
}

func clip(b []byte, n int) []byte {
	if len(b) <= n {
		return b
	}
	return b[:n]
}
