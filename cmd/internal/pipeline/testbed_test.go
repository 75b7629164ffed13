package pipeline

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bom is what this test reads of a CycloneDX document.
type bom struct {
	Metadata struct {
		Component struct {
			Ref string `json:"bom-ref"`
		} `json:"component"`
	} `json:"metadata"`
	Components   []bomComponent `json:"components"`
	Dependencies []struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn"`
	} `json:"dependencies"`
}

type bomComponent struct {
	Ref        string            `json:"bom-ref"`
	PURL       string            `json:"purl"`
	Licenses   []json.RawMessage `json:"licenses"`
	Components []bomComponent    `json:"components"`
}

func TestTheSBOMOfARealImageHoldsEveryPackageAndReachesItFromTheRoot(t *testing.T) {
	root := filepath.Join("..", "..", "..", ".testbed")
	if _, err := os.Stat(filepath.Join(root, "images")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the testbed is missing; make testbed builds it")
		}
		t.Skip("the testbed is missing; make testbed builds it")
	}
	for _, name := range []string{"base", "haproxy", "keystone"} {
		t.Run(name, func(t *testing.T) {
			contents, err := ReadContents(t.Context(), []string{filepath.Join(root, "images", name)}, Options{Version: "test", Now: truthNow, TempDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			docs, err := contents.Documents(BOMForm{})
			if err != nil || len(docs) != 1 {
				t.Fatalf("got %d documents, %v", len(docs), err)
			}
			var out bytes.Buffer
			if err := docs[0].Write(&out); err != nil {
				t.Fatal(err)
			}
			var doc bom
			if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
				t.Fatal(err)
			}
			expected, err := os.ReadFile(filepath.Join(root, "expect", name+".tsv"))
			if err != nil {
				t.Fatal(err)
			}
			debs, licensed := 0, 0
			reached := doc.reachable()
			each(doc.Components, func(c bomComponent) {
				if !reached[c.Ref] {
					t.Errorf("%s cannot be reached from the root", c.Ref)
				}
				if strings.HasPrefix(c.PURL, "pkg:deb/") && !strings.Contains(c.PURL, "#") { // not a file of one
					debs++
					if len(c.Licenses) > 0 {
						licensed++
					}
				}
			})
			if want := bytes.Count(bytes.TrimSpace(expected), []byte("\n")) + 1; debs != want {
				t.Errorf("got %d debs, dpkg-query lists %d", debs, want)
			}
			if licensed*10 < debs*9 {
				t.Errorf("%d of %d debs have a licence, want nine in ten", licensed, debs)
			}
		})
	}
}

func (b bom) reachable() map[string]bool {
	edges := map[string][]string{}
	for _, d := range b.Dependencies {
		edges[d.Ref] = d.DependsOn
	}
	seen := map[string]bool{b.Metadata.Component.Ref: true}
	for open := []string{b.Metadata.Component.Ref}; len(open) > 0; {
		ref := open[0]
		open = open[1:]
		for _, next := range edges[ref] {
			if !seen[next] {
				seen[next] = true
				open = append(open, next)
			}
		}
	}
	return seen
}

func each(list []bomComponent, visit func(bomComponent)) {
	for _, c := range list {
		visit(c)
		each(c.Components, visit)
	}
}
