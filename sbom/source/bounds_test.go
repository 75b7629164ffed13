package source_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestSmallHostileFilesCostLittle reads files of some megabytes that took minutes or gigabytes when each entry was
// compared with each, or each range written out before the first name of it was refused.
func TestSmallHostileFilesCostLittle(t *testing.T) {
	var tags []string
	for i := range 100_000 {
		tags = append(tags, fmt.Sprintf("a/b:%d", i))
	}
	manyTags, err := json.Marshal([]map[string]any{{"Id": "sha256:" + strings.Repeat("a", 64), "RepoTags": tags}})
	if err != nil {
		t.Fatal(err)
	}
	var oneDigest []string
	for i := range 50_000 {
		oneDigest = append(oneDigest, fmt.Sprintf(`{"Id":"sha256:%064[1]x","RepoTags":["a/b:%[1]d"],"RepoDigests":["a/b@sha256:%[2]s"]}`, i, strings.Repeat("1", 64)))
	}
	for _, c := range []struct{ name, entry, text, want string }{
		{"an image of 100,000 tags", "containers: {ps: p, images: f, host: h}", string(manyTags), ""},
		{"50,000 images of one digest", "containers: {ps: p, images: f, host: h}", "[" + strings.Join(oneDigest, ",") + "]", ""},
		{"20,000 ranges of 100,000 hosts", "crosscheck: {ansible: f}", "[a]\n" + strings.Repeat("n[0:99999]\n", 20_000), ""},
		{"a million failures", "inventory: {file: f}", `{"schema":"pegel/inventory/v1","artifacts":[],"failures":[` + strings.Repeat(`{"source":"","reason":""},`, 1_000_000) + "{}]}", "a list of more than 200000 entries"},
	} {
		dir := write(t, map[string]string{"f": c.text, "p": `{"ID":"aaaaaaaaaaaa","Image":"a/b:1","Names":"x","State":"running"}` + "\n"})
		begin := time.Now()
		_, err := read(t, c.entry, dir)
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("%s: it took %s", c.name, took)
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}
