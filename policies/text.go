package policies

// Languages are those in which a policy speaks. English is always there; the others fall back to it.
func Languages() []string { return []string{"en", "de", "fr"} }

// In returns the text in a language, or in English where nobody has written it in that language.
func (t Text) In(lang string) string {
	if s := t[lang]; s != "" {
		return s
	}
	return t["en"]
}
