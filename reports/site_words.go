package reports

import (
	"encoding/json"
	"fmt"
	"regexp"
)

// siteWords are the sentences of a site in one language: html/site.LANG.json. Another language is one more file with the same
// keys; the reasons of answers come from elsewhere.
type siteWords struct {
	lang string
	text func(key string, args ...any) string
}

var languageTag = regexp.MustCompile(`^[a-z]{2}$`)

func readSiteWords(lang string) (siteWords, error) {
	if !languageTag.MatchString(lang) {
		return siteWords{}, fmt.Errorf("language %q is no code of two letters", lang)
	}
	data, err := siteSources.ReadFile("html/site." + lang + ".json")
	if err != nil {
		return siteWords{}, fmt.Errorf("the site is not written in language %q; there is en", lang)
	}
	var texts map[string]string
	if err := json.Unmarshal(data, &texts); err != nil {
		return siteWords{}, fmt.Errorf("reading the words of the site in %q: %w", lang, err)
	}
	return siteWords{lang: lang, text: func(key string, args ...any) string {
		text, ok := texts[key]
		if !ok {
			return "[" + key + "]" // a test finds it
		}
		if len(args) == 0 {
			return text
		}
		return fmt.Sprintf(text, args...)
	}}, nil
}
