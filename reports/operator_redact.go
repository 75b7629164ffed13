package reports

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// RedactOperator returns the form that may be published: of a cloud that is not public, addresses of its own and names of files
// are left out. Outcomes, digests and the order of lines stay.
func RedactOperator(v OperatorView) OperatorView {
	if v.Subject.Exposure == "public" {
		return v
	}
	names := internal{placeholder: map[string]string{}, longest: map[string]int{}, hosts: map[string]string{}, namespaces: map[string]string{}}
	names.addOperator(&v.Operator)
	return copyOf(copier{text: names.text, after: names.after}, v)
}

// webAddress finds addresses wherever they stand.
var webAddress = regexp.MustCompile(`https?://[^\s"'<>()\\]+`)

// addOperator hides the addresses of a cloud that is not public and their hosts, wherever they stand in a text: what was looked
// at, where it led, and what tests, certificates, documents and declarations rest on.
func (n internal) addOperator(o *Operator) {
	if o == nil {
		return
	}
	all := *o
	all.Answers = slices.Clone(o.Answers)
	for i := range all.Answers {
		all.Answers[i].Source = "" // of the profile
	}
	data, err := canonical(all)
	if err != nil {
		return // of what cannot be written nothing is shown
	}
	for _, address := range webAddress.FindAllString(strings.NewReplacer(`\u0026`, "&", `\u003c`, " ", `\u003e`, " ").Replace(string(data)), -1) {
		address = strings.TrimRight(address, ".,;:!?`*_")
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || publicForge(u.Hostname()) {
			continue
		}
		n.add(address, "internal address")
		n.add(strings.TrimRight(address, "/"), "internal address")
		n.add(u.Host, "internal address")
		n.add(u.Hostname(), "internal address")
	}
	for name := range n.placeholder {
		first := name[:wordEnd(name, 0)]
		n.longest[first] = max(n.longest[first], len(name))
	}
}

// publicForge reports whether a host is one where everybody publishes, or a compliance monitor of SCS: to name it says nothing
// about a cloud.
func publicForge(host string) bool {
	host = strings.ToLower(host)
	return slices.ContainsFunc([]string{"github.com", "githubusercontent.com", "gitlab.com", "codeberg.org", "opendev.org", "github.io", "gitlab.io", "compliance.sovereignit.cloud", "compliance.scs.community"}, func(forge string) bool {
		return host == forge || strings.HasSuffix(host, "."+forge)
	})
}
