package openops

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/net/publicsuffix"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

const manifestoFile = "_data/organizations.yml" // of transparency.ManifestoRepository

// Bounds of the list of signatures.
const (
	maxList         = 1 << 20
	maxSignatures   = 10_000
	maxSignatureLen = 300
)

// signature is an organisation of the list. Who signed for it is in the file too, and never read.
type signature struct {
	as   string // founding, supporting
	name string
	url  string
}

// parseSignatures reads the list: a mapping of the ways to sign to organisations. Keys it does not know are left out,
// contributors among them.
func parseSignatures(data []byte) ([]signature, error) {
	if len(data) > maxList {
		return nil, errors.New("the list is too large")
	}
	var list map[string]yaml.Node
	if err := yaml.Unmarshal(data, &list); err != nil {
		return nil, errors.New("the list is no YAML mapping")
	}
	var out []signature
	for _, as := range []string{"founding", "supporting"} {
		group, ok := list[as]
		if !ok {
			continue
		}
		if group.Kind != yaml.SequenceNode {
			return nil, fmt.Errorf("%s is no list", as)
		}
		for _, entry := range group.Content {
			s := signature{as: as}
			for i := 0; entry.Kind == yaml.MappingNode && i+1 < len(entry.Content); i += 2 {
				value := entry.Content[i+1]
				if value.Kind != yaml.ScalarNode || len(value.Value) > maxSignatureLen {
					continue
				}
				switch entry.Content[i].Value {
				case "name":
					s.name = value.Value
				case "url":
					s.url = value.Value
				}
			}
			if s.name != "" || s.url != "" {
				out = append(out, s)
			}
			if len(out) > maxSignatures {
				return nil, errors.New("the list is too long")
			}
		}
	}
	if len(list) > 0 && out == nil {
		return nil, errors.New("the list names no organisation as founding or supporting")
	}
	return out, nil
}

// signedAs returns how the list names one of the operator's names or domains; empty if it does not.
func signedAs(list []signature, names, domains []string) string {
	for _, s := range list {
		site := siteOf(s.url)
		for _, d := range domains {
			if site != "" && site == registrable(d) {
				return s.as
			}
		}
		for _, n := range names {
			if plain := plainName(n); plain != "" && plain == plainName(s.name) {
				return s.as
			}
		}
	}
	return ""
}

// legalForm matches legal forms at the end of a name: they differ between a register, a web site and what people say.
var legalForm = regexp.MustCompile(`[\s,]+(gmbh\s*&\s*co\.?\s*kgaa|gmbh\s*&\s*co\.?\s*(kg|ohg)|gmbh|g?ug(\s*\(haftungsbeschränkt\))?|ag|se|kgaa|kg|ohg|gbr|e\.?\s?v\.?|e\.?\s?g\.?|s\.?a\.?s\.?|s\.?a\.?r\.?l\.?|s\.?a\.?|inc\.?|llc\.?|ltd\.?|limited|b\.?v\.?|oy|ab|a/s|s\.?r\.?l\.?|s\.?p\.?a\.?)$`)

// plainName makes names of one organisation equal: no case, punctuation and legal form.
func plainName(name string) string {
	name = strings.ToLower(strings.Join(strings.Fields(name), " "))
	for range 3 {
		shorter := strings.TrimSpace(legalForm.ReplaceAllString(name, ""))
		if shorter == name || shorter == "" {
			break
		}
		name = shorter
	}
	return strings.Join(strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" .,-_&+/()'\"", r) }), "")
}

// siteOf returns the registrable domain of an address; empty if it has none.
func siteOf(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return ""
	}
	return registrable(u.Hostname())
}

// registrable cuts a name of a host or a mail domain down to what an organisation registers.
func registrable(host string) string {
	host = strings.ToLower(strings.Trim(strings.TrimSpace(host), "@."))
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return ""
	}
	return domain
}

// manifesto reads who signed.
func (l *looker) manifesto(ctx context.Context) audit.Fact[string] {
	address := l.artifact.URL
	if address == "" {
		address = transparency.ManifestoRepository
	}
	r, trouble := l.open(ctx, address)
	if trouble != nil {
		return troubled[string](trouble)
	}
	defer r.Close()
	origin := audit.Origin{Source: "git", URL: r.URL, Commit: r.Commit, Path: manifestoFile, At: r.SeenUntil}
	data, err := read(ctx, r, manifestoFile, maxList)
	var list []signature
	if err == nil {
		list, err = parseSignatures(data)
	}
	if err != nil {
		f := audit.Failed[string]("the list of signatures cannot be read: "+err.Error(), origin)
		f.Settle = "name the repository of the manifesto"
		return f
	}
	names := []string{l.world.Operator.Name, l.artifact.Name}
	if plainName(names[0])+plainName(names[1]) == "" && len(l.world.Operator.Domains) == 0 {
		return audit.Fact[string]{Settle: "name the operator under subject: operator"}
	}
	origin.Digest = audit.DigestOf(data)
	return audit.Known(signedAs(list, names, l.world.Operator.Domains), origin)
}

func read(ctx context.Context, r *transparency.Repository, name string, limit int64) ([]byte, error) {
	for _, f := range r.Files {
		if f.Path == name {
			return r.Read(ctx, f.ID, limit)
		}
	}
	return nil, fmt.Errorf("there is no %s", name)
}
