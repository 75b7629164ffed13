package gitlog

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// encodeRecord writes a record in the form of logFormat.
func encodeRecord(r record, date string) []byte {
	fields := [][]byte{r.hash, r.parents, []byte(date), strconv.AppendInt(nil, r.committed, 10), r.author, r.committer, r.trailers, r.message}
	return bytes.Join(fields, []byte{fieldSeparator})
}

// FuzzRecord holds the law that what was read can be written and read again as the same, whatever the bytes, and that no
// byte of the message can move another field.
func FuzzRecord(f *testing.F) {
	employers, err := NewAffiliation(nil, nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	hash := strings.Repeat("a", 40)
	f.Add([]byte(hash + "\x1f\x1f1700000000 +0530\x1f1700000001\x1fa@b\x1fA\x1fc@d\x1fC\x1fSigned-off-by: x\x1fmessage\x1f more"))
	f.Add([]byte(hash + "\x1f" + hash + " " + hash + "\x1f1 -9999\x1f-5\x1f\x1f\x1f\x1f\x1f\x1f"))
	f.Add([]byte("\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f"))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, ok := parseRecord(line)
		if !ok {
			return
		}
		again, ok := parseRecord(encodeRecord(r, "0 +0000"))
		if !ok || again.committed != r.committed || !bytes.Equal(again.hash, r.hash) || !bytes.Equal(again.parents, r.parents) || !bytes.Equal(again.author, r.author) ||
			!bytes.Equal(again.committer, r.committer) || !bytes.Equal(again.trailers, r.trailers) || !bytes.Equal(again.message, r.message) {
			t.Fatalf("got %+v, want %+v", again, r)
		}
		p := newPass(now, rules{employers: employers})
		p.add(r)
		if p.h.CommitsEver > 1 || p.windows[3].w.Commits+p.windows[3].w.Merges > 1 {
			t.Fatalf("one record was counted more than once: %+v", p.h)
		}
	})
}

// FuzzRecordReader holds the law that cutting at NUL loses nothing: the records joined are the input.
func FuzzRecordReader(f *testing.F) {
	f.Add([]byte("a\x00b\x00"))
	f.Add([]byte("\x00\x00tail"))
	f.Fuzz(func(t *testing.T, data []byte) {
		reader := &recordReader{r: bufio.NewReaderSize(bytes.NewReader(data), 16)}
		var parts [][]byte
		for {
			line, err := reader.next()
			if err != nil {
				break
			}
			parts = append(parts, bytes.Clone(line))
		}
		want := bytes.TrimSuffix(data, []byte{0})
		if len(data) == 0 {
			want = nil
		}
		if got := bytes.Join(parts, []byte{0}); !bytes.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

// FuzzTree holds the law that entries which were read make up the beginning of the tree when they are written again.
func FuzzTree(f *testing.F) {
	f.Add([]byte("100644 LICENSE\x00"+strings.Repeat("\x01", 20)+"40000 dir\x00"+strings.Repeat("\x02", 20)), 20)
	f.Add([]byte("100644 a"), 32)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		if size != 20 && size != 32 {
			size = 20
		}
		var again []byte
		for _, e := range parseTree(data, size) {
			id, err := hex.DecodeString(e.id)
			if err != nil || len(id) != size {
				t.Fatalf("entry %+v has no id of %d bytes", e, size)
			}
			again = append(append(append(again, e.mode+" "+e.name+"\x00"...), id...), nil...)
		}
		if !bytes.HasPrefix(data, again) {
			t.Fatalf("got %q, want the beginning of %q", again, data)
		}
	})
}

// FuzzEntry holds the law that an accepted line is its parts, and that its path can be classified.
func FuzzEntry(f *testing.F) {
	f.Add("100644 blob " + strings.Repeat("a", 40) + "\tLICENSES/MIT.txt")
	f.Add("160000 commit " + strings.Repeat("b", 64) + "\tsub\xff/x")
	f.Add("100755 blob " + strings.Repeat("c", 40) + "\tSPECS/\u212a.rst")
	f.Fuzz(func(t *testing.T, line string) {
		e, ok := parseEntry(line)
		if !ok {
			return
		}
		if !strings.HasSuffix(line, "\t"+e.path) || !strings.Contains(line, e.id) {
			t.Fatalf("entry %+v is not in %q", e, line)
		}
		s := &survey{documents: map[string][]file{}, tools: map[string][]file{}, dirs: map[string]map[string]int{}}
		file := newFile(e)
		s.add(file)
		if !utf8.ValidString(file.name) {
			t.Fatalf("name %q is not UTF-8", file.name)
		}
		for _, dirs := range s.dirs {
			for dir := range dirs {
				if !strings.HasPrefix(file.name, dir+"/") {
					t.Fatalf("directory %q is not above %q", dir, file.name)
				}
			}
		}
	})
}

// FuzzObject holds the law that an answer of cat-file which was read is consumed to its last byte, and kept in part only
// where the limit says so.
func FuzzObject(f *testing.F) {
	f.Add(strings.Repeat("a", 40), []byte("hello\n\x00"), int64(3))
	f.Add(strings.Repeat("b", 64), []byte{}, int64(10))
	f.Fuzz(func(t *testing.T, id string, data []byte, limit int64) {
		if !isObjectID(id) || limit <= 0 {
			return
		}
		const next = "next"
		r := bufio.NewReader(strings.NewReader(id + " blob " + strconv.Itoa(len(data)) + "\n" + string(data) + "\n" + next))
		o, err := readObject(r, limit)
		if err != nil || o.size != int64(len(data)) || !bytes.Equal(o.data, data[:min(int64(len(data)), limit)]) {
			t.Fatalf("got %+v, %v", o, err)
		}
		if rest, _ := r.ReadString(0); rest != next {
			t.Fatalf("left %q, want %q", rest, next)
		}
	})
}

// FuzzForeignAnswer feeds arbitrary bytes in the place of git's answers: an error or an object within its limit.
func FuzzForeignAnswer(f *testing.F) {
	f.Add([]byte(strings.Repeat("a", 40) + " blob 99999999999999999999\n"))
	f.Add([]byte(strings.Repeat("a", 40) + " blob -1\n"))
	f.Add([]byte("HEAD:x missing\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := readObject(bufio.NewReader(bytes.NewReader(data)), 100)
		if err == nil && (len(o.data) > 100 || !o.missing && !isObjectID(o.id)) {
			t.Fatalf("got %+v", o)
		}
		if h, ok := parseHeader("tag", data); ok && !isObjectID(h.target) {
			t.Fatalf("got the target %q", h.target)
		}
	})
}

// FuzzVersion holds the laws that a leading v changes nothing, and that a version fits the tag of its own name.
func FuzzVersion(f *testing.F) {
	for _, s := range []string{"1.2.3", "v24.09.2", "release-1.2", "2015.1.0rc1", "api/v3.5.9", "1:2.3", "v257", "RELEASE.2024-01-02T03-04-05Z", "9.9-eol"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := parseVersion(s)
		if !ok {
			return
		}
		if len(v.parts) == 0 || v.compare(v) != 0 || closeness(s, v, s, v) == 0 {
			t.Fatalf("%q does not fit itself: %+v", s, v)
		}
		if s[0] >= '0' && s[0] <= '9' && v.prefix == "" {
			w, ok := parseVersion("v" + s)
			if len(s) < 200 && (!ok || v.compare(w) != 0 || v.pre != w.pre) {
				t.Fatalf("%q is %+v, with a v it is %+v", s, v, w)
			}
		}
	})
}

// FuzzPackedRefs holds the law that only checked names reach the view, and that they are read again as the same.
func FuzzPackedRefs(f *testing.F) {
	id := strings.Repeat("a", 40)
	f.Add([]byte("# pack-refs with: peeled\n" + id + " refs/heads/master\n^" + id + "\n" + id + " refs/tags/-x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var kept []ref
		_ = parsePacked(data, func(name, id string) bool {
			if validRef(name) {
				kept = append(kept, ref{name, id})
			}
			return true
		})
		var text strings.Builder
		for _, r := range kept {
			text.WriteString(r.id + " " + r.name + "\n")
		}
		var again []ref
		_ = parsePacked([]byte(text.String()), func(name, id string) bool {
			again = append(again, ref{name, id})
			return true
		})
		if !slices.Equal(kept, again) {
			t.Fatalf("got %v, want %v", again, kept)
		}
		for _, r := range kept {
			if strings.Contains(r.name, "/-") || strings.ContainsAny(r.name, "\x00\n ") {
				t.Fatalf("ref %q was kept", r.name)
			}
		}
	})
}

// FuzzAddress holds the laws that no credentials survive and that an address is normal after one step.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"https://u:p@h.example/a/b.git", "git@h.example:a/b", "file:///etc", "ext::x", "../x", "https://h.example/%2e%2e/x?y=z#f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		public := publicURL(s)
		if public == "" {
			return
		}
		if again := publicURL(public); again != public {
			t.Fatalf("%q became %q, then %q", s, public, again)
		}
		authority, _, _ := strings.Cut(public[strings.Index(public, "://")+3:], "/")
		if strings.Contains(authority, "@") {
			t.Fatalf("%q became %q, which has a user", s, public)
		}
		for _, dir := range candidates("/mirror", s) {
			if dir != "/mirror" && !strings.HasPrefix(dir, "/mirror/") || filepath.Clean(dir) != dir {
				t.Fatalf("%q leads to %q", s, dir)
			}
		}
		if name := cacheName(s); strings.ContainsAny(name, "/\\\x00") || name == "" || name[0] == '-' || name[0] == '.' {
			t.Fatalf("%q is cached as %q", s, name)
		}
	})
}

// FuzzMessage holds the law that a message of git is printable and names nobody.
func FuzzMessage(f *testing.F) {
	f.Add("fatal: unable to access 'https://u:tok@h.example/a/': x\n")
	f.Add("error: a@b.example /root/x \x1b[31m\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s, "/tmp/view")
		if !utf8.ValidString(got) || printable(got) != got || len(got) > 210 || strings.Contains(got, "\n") {
			t.Fatalf("%q became %q", s, got)
		}
		if address.MatchString(got) {
			t.Fatalf("%q became %q, which names an address", s, got)
		}
	})
}

// FuzzSignature holds the law that nobody reviews their own change, however they write their name.
func FuzzSignature(f *testing.F) {
	f.Add("Ana Ito", "ana@redhat.com")
	f.Add("\"", "<>")
	f.Fuzz(func(t *testing.T, name, mail string) {
		if strings.ContainsAny(name+mail, "<>\x1f\"\n") || strings.TrimSpace(name) != name || strings.TrimSpace(mail) != mail || strings.ContainsAny(name+mail, " \t") {
			return
		}
		author := []byte(mail + "\x1f" + name)
		for _, signature := range []string{name + " <" + mail + ">", strings.ToUpper(mail), name} {
			if strings.EqualFold(signature, mail) && !strings.Contains(mail, "@") {
				continue
			}
			if utf8.ValidString(signature) && strings.EqualFold(strings.ToUpper(mail), mail) && somebodyElse([]byte(signature), author) {
				t.Fatalf("%q reviewed the change of %q", signature, author)
			}
		}
	})
}
