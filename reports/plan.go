package reports

import (
	"cmp"
	"slices"

	"github.com/pegel-audit/pegel/audit"
)

func planText(contacts []audit.Contact, width int) string {
	contacts = slices.Clone(contacts)
	slices.SortFunc(contacts, func(a, b audit.Contact) int {
		return cmp.Or(
			rankOf(a.Host != "local")-rankOf(b.Host != "local"), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Address, b.Address),
			cmp.Compare(a.Right, b.Right), cmp.Compare(a.Purpose, b.Purpose))
	})
	contacts = shown(slices.Compact(contacts))
	t := newTerminal(Options{Width: width})
	t.para("", "This is a plan: nobody was contacted. Of this machine, only the stack file and what it names was read.")
	if len(contacts) == 0 {
		t.para("", "A run would contact nobody and read nothing.")
		return t.b.String()
	}
	host, hosts := "", 0
	for i, c := range contacts {
		if i == 0 || c.Host != host {
			host = c.Host
			if host == "local" {
				t.heading("On this machine")
			} else {
				hosts++
				t.heading(host)
			}
		}
		text := c.Address + " – " + c.Purpose
		if c.Right != "" {
			text += " (right: " + c.Right + ")"
		}
		t.para("  ", text)
	}
	t.b.WriteByte('\n')
	t.para("", planSum(hosts))
	return t.b.String()
}

func planSum(hosts int) string {
	if hosts == 0 {
		return "A run would contact no other machine."
	}
	return "A run would contact " + plural(hosts, "host", "hosts") + " and only read from them; it sends them nothing but these requests."
}
