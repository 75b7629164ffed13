package pipeline

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/scoring/forge"
	"github.com/pegel-audit/pegel/scoring/thirdparty"
)

// check refuses words under collect: that mean nothing, and files that are not there, before anybody is asked.
func (c StackCollect) check(dir string) error {
	for _, word := range c.Indexes {
		if !slices.Contains(indexWords(), word) {
			return fmt.Errorf("collect: indexes: unknown word %q%s", word, didYouMean(word, words(indexWords())))
		}
	}
	for _, host := range slices.Sorted(maps.Keys(c.Services)) {
		kind := c.Services[host]
		if !slices.Contains(forge.Kinds(), kind) {
			return fmt.Errorf("collect: services: %s: unknown service %q%s", host, kind, didYouMean(kind, words(forge.Kinds())))
		}
		if host == "" || host != strings.ToLower(host) || strings.ContainsAny(host, "/ @") {
			return fmt.Errorf("collect: services: %q is no host; write it in lower case and without https://", host)
		}
	}
	if c.OSV != "" {
		if _, err := os.Stat(relativeTo(dir, c.OSV)); err != nil {
			return fmt.Errorf("collect: osv: %w", plainPath(c.OSV, err))
		}
	}
	for i, a := range c.Affiliations {
		if a.File == "" {
			return fmt.Errorf("collect: affiliations: entry %d names no file", i+1)
		}
		if _, err := ParseDay(a.At); err != nil {
			return fmt.Errorf("collect: affiliations: %q: at: %w", a.File, err)
		}
		info, err := os.Stat(relativeTo(dir, a.File))
		if err == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("it is no file")
		}
		if err != nil {
			return fmt.Errorf("collect: affiliations: %w", plainPath(a.File, err))
		}
	}
	return nil
}

const affiliationsHint = "docs/affiliations.md says what may stand there"

// collectHint says what may stand under the key that is wrong.
func collectHint(err error) string {
	switch text := err.Error(); {
	case strings.Contains(text, "indexes:"):
		return "indexes that may be asked: " + strings.Join(indexWords(), ", ")
	case strings.Contains(text, "services:"):
		return "services that Pegel can ask: " + strings.Join(forge.Kinds(), ", ")
	case strings.Contains(text, "osv:"):
		return "name a zip file of osv.dev or a directory with such, or leave osv: out"
	}
	return affiliationsHint
}

func indexWords() []string {
	var out []string
	for _, s := range thirdparty.Services() {
		out = append(out, string(s))
	}
	return out
}

// words is a list as the keys of a mapping.
func words(list []string) shape {
	out := shape{}
	for _, w := range list {
		out[w] = nil
	}
	return out
}
