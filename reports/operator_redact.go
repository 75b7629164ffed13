package reports

import (
	"net/url"
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

// addOperator hides the addresses of a cloud that is not public, wherever they stand in a text.
func (n internal) addOperator(o *Operator) {
	if o == nil {
		return
	}
	add := func(address string) {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || publicForge(u.Hostname()) {
			return
		}
		n.add(u.Host, "internal address")
		n.add(u.Hostname(), "internal address")
	}
	for _, l := range o.Searched {
		add(l.URL)
		add(l.Final)
	}
	for _, a := range o.Artifacts {
		add(a.URL)
		for _, l := range a.Looks {
			add(l.URL)
			add(l.Final)
		}
	}
	for name := range n.placeholder {
		first := name[:wordEnd(name, 0)]
		n.longest[first] = max(n.longest[first], len(name))
	}
}

// publicForge reports whether a host is one where everybody publishes: to name it says nothing about a cloud.
func publicForge(host string) bool {
	host = strings.ToLower(host)
	return slices.ContainsFunc([]string{"github.com", "githubusercontent.com", "gitlab.com", "codeberg.org", "opendev.org", "github.io", "gitlab.io"}, func(forge string) bool {
		return host == forge || strings.HasSuffix(host, "."+forge)
	})
}
