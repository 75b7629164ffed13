package conformance

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Product is what PRODUCT.yaml says, without the address to write to.
type Product struct {
	Vendor        string `json:"vendor,omitempty"`
	Name          string `json:"name,omitempty"`
	Version       string `json:"version,omitempty"` // of the product, not of Kubernetes
	Type          string `json:"type,omitempty"`    // distribution, hosted platform, installer
	Website       string `json:"website,omitempty"`
	Repository    string `json:"repository,omitempty"`
	Documentation string `json:"documentation,omitempty"`
}

// Names reports whether the product is known by a name: that of the product or of its vendor, apart from case, punctuation
// and the legal form. One may say more than the other: "plusserver" names "PlusServer GmbH".
func (p Product) Names(name string) bool { return sameName(p.Vendor, name) || sameName(p.Name, name) }

// sameName compares words. Forms of companies tell nothing about who it is.
func sameName(a, b string) bool {
	x, y := nameWords(a), nameWords(b)
	if len(x) == 0 || len(y) == 0 {
		return false
	}
	if len(x) > len(y) {
		x, y = y, x
	}
	for i := 0; i+len(x) <= len(y); i++ {
		if slices.Equal(x, y[i:i+len(x)]) {
			return true
		}
	}
	return false
}

func nameWords(s string) []string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return slices.DeleteFunc(words, func(w string) bool {
		switch w {
		case "gmbh", "ag", "se", "kg", "co", "inc", "ltd", "llc", "sa", "sas", "bv", "ug", "the", "company", "corp", "group":
			return true
		}
		return false
	})
}

// productSheet is a product with what is wrong with its file.
type productSheet struct {
	Product
	problems []string
}

// Fields and types that the bot of the CNCF asks for (kubernetes-sigs/verify-conformance 86d380d8,
// kodata/features/verify-conformance.feature). "hosted" is an older spelling that was accepted.
func requiredFields() []string {
	return []string{"vendor", "name", "version", "type", "description", "website_url", "documentation_url", fieldContact}
}

func productTypes() []string {
	return []string{"distribution", "hosted platform", "installer", "hosted"}
}

const fieldContact = "contact_email_address"

// readProduct reads PRODUCT.yaml. Only scalars on the first level are read, so aliases and depth cost nothing.
func readProduct(data []byte) (productSheet, error) {
	var s productSheet
	fields, err := s.fields(data)
	if err != nil {
		return productSheet{}, err
	}
	s.Product = Product{
		Vendor: oneLine(fields["vendor"]), Name: oneLine(fields["name"]), Version: oneLine(fields["version"]), Type: oneLine(fields["type"]),
		Website: link(fields["website_url"]), Repository: link(fields["repo_url"]), Documentation: link(fields["documentation_url"]),
	}
	s.check(fields)
	return s, nil
}

func (s *productSheet) fields(data []byte) (map[string]string, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		fields := productLines(data)
		if len(fields) < 3 {
			return nil, err
		}
		s.problems = example(s.problems, fileProduct+" is no valid YAML and was read line by line: "+err.Error())
		return fields, nil
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("want a mapping with vendor, name and version")
	}
	fields := map[string]string{}
	for content := doc.Content[0].Content; len(content) > 1; content = content[2:] {
		key, value := content[0], content[1]
		if key.Kind != yaml.ScalarNode || value.Kind != yaml.ScalarNode || value.Tag == "!!null" {
			continue
		}
		if _, again := fields[key.Value]; again {
			s.problems = example(s.problems, fmt.Sprintf("%s: line %d: %q stands there twice", fileProduct, key.Line, oneLine(key.Value)))
		}
		fields[key.Value] = value.Value // the last one counts, as for the bot of the CNCF
	}
	return fields, nil
}

// productLines reads one field a line. Accepted files of real products are no valid YAML, because a description has a colon and
// a space in it (cncf/k8s-conformance, v1.21/metakube-openstack).
func productLines(data []byte) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(string(data)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if key = strings.TrimSpace(key); ok && len(fields) < 100 && regexp.MustCompile(`^[a-z_]{1,40}$`).MatchString(key) {
			fields[key] = strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return fields
}

func (s *productSheet) check(fields map[string]string) {
	for _, name := range requiredFields() {
		if strings.TrimSpace(fields[name]) == "" {
			s.problems = example(s.problems, fileProduct+": "+name+" is missing")
		}
	}
	for _, name := range []string{"website_url", "repo_url", "documentation_url", "product_logo_url"} {
		if v := fields[name]; v != "" && link(v) == "" {
			s.problems = example(s.problems, fileProduct+": "+name+" is no address of the web")
		}
	}
	if v := fields["type"]; v != "" && !slices.Contains(productTypes(), strings.ToLower(strings.TrimSpace(v))) {
		s.problems = example(s.problems, fmt.Sprintf("%s: type %q is none of distribution, hosted platform, installer", fileProduct, oneLine(v)))
	}
	if v := fields[fieldContact]; v != "" {
		if _, err := mail.ParseAddress(v); err != nil {
			s.problems = example(s.problems, fileProduct+": "+fieldContact+" is no address of mail")
		}
	}
}

// link returns an address of the web, or nothing.
func link(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	return oneLine(u.String())
}

// redactProduct keeps of mail addresses the domain only: that a contact is named can still be seen, not who it is.
func redactProduct(body []byte) ([]byte, error) {
	return regexp.MustCompile(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@`).ReplaceAll(body, []byte("somebody@")), nil
}
