package scoring

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestYAMLGivesTheTextThatStandsInTheFile(t *testing.T) {
	d, err := ReadYAML([]byte("---\nid: 2025.10\nquoted: '0.80'\nday: 2026-04-29\nflag: yes\nnone: ~\nlist: [1.30, 1.3]\nof:\n  a: b\n"))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"id": "2025.10", "quoted": "0.80", "day": "2026-04-29", "flag": "yes", "none": "", "list": "", "of": "", "absent": ""} {
		if got := d.Get(key).Text(); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	var items []string
	for i := range d.Get("list").Items() {
		items = append(items, i.Text())
	}
	if !slices.Equal(items, []string{"1.30", "1.3"}) {
		t.Errorf("items %q, want 1.30 and 1.3", items)
	}
	if got := d.Get("of").Get("a"); got.Text() != "b" || got.Line() != 9 {
		t.Errorf("of.a is %q in line %d, want b in line 9", got.Text(), got.Line())
	}
	if got := d.Get("x").Get("y").Get("z"); got.Text() != "" || got.Line() != 0 || got.Mapping() || got.List() {
		t.Error("what is not there is not nothing")
	}
}

func TestYAMLThatOnlyAnAttackerWritesIsRefused(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := byte('b'); c < 'j'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 8) + "*" + string(c-1) + "]\n"
	}
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", "the file is empty"},
		{"only a comment", "# x\n", "the file is empty"},
		{"two documents", "a: 1\n---\nb: 2\n", "exactly one YAML document"},
		{"a bomb of aliases", bomb, "line 1: anchors and aliases are not read"},
		{"a merge", "a: {b: 1}\nc:\n  <<: *a\n", "unknown anchor"},
		{"a key twice", "a: 1\nb: 2\na: 3\n", "line 3: a key stands twice, first in line 1"},
		{"a key that is a list", "? [a]\n: 1\n", "line 1: a key is no text"},
		{"a tag of its own", "a: !!python/object:os.system x\nb: !evil y\n", "line 2: values with a tag of their own are not read"},
		{"too deep", strings.Repeat("[", 40) + strings.Repeat("]", 40), "more than 32 levels"},
		{"no YAML", "a: [\n", "no YAML: "},
		{"bytes that are no text", "a: \xff\xfe\n", "no YAML: "},
		{"too large", "a: " + strings.Repeat("x", MostYAML), "bytes of YAML, at most"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ReadYAML([]byte(tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestAFileWhoseWritersRepeatKeysGivesThemAll(t *testing.T) {
	d, err := ReadRepeatingYAML([]byte("a: 1\nb: 2\na: 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for k, v := range d.Pairs() {
		got += k + v.Text()
	}
	if got != "a1b2a3" || d.Get("a").Text() != "1" {
		t.Errorf("pairs %s, a is %s; want all three, and the first", got, d.Get("a").Text())
	}
	if _, err := ReadRepeatingYAML([]byte("a: &x 1\nb: *x\n")); err == nil {
		t.Error("aliases are read")
	}
}

// In time that grows with the square of the keys this takes ten minutes and more, else seconds.
func TestAMappingWithManyKeysIsReadInTimeThatGrowsWithIt(t *testing.T) {
	var b strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&b, "k%d: 1\n", i)
	}
	read := make(chan error, 1)
	go func() {
		_, err := ReadYAML([]byte(b.String()))
		read <- err
	}()
	select {
	case err := <-read:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(3 * time.Minute):
		t.Error("reading takes longer than three minutes")
	}
}

func FuzzYAMLIsReadOrRefused(f *testing.F) {
	for _, s := range []string{"a: 1\n", "- a\n- {b: c}\n", "a: &x 1\nb: *x\n", "? a\n", "!!binary x", "\t"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ReadYAML(data)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error in several lines: %q", err)
			}
			return
		}
		seen := map[string]bool{}
		for k := range d.Pairs() {
			if seen[k] {
				t.Errorf("key %q stands twice", k)
			}
			seen[k] = true
		}
	})
}
