package main

import (
	"fmt"
	"slices"
	"strings"
)

// missing are the outcomes of which no clone was found.
func (r results) missing(o outcomes) []outcome {
	without := map[string]bool{}
	for _, c := range r.Cases {
		without[c.ID] = c.State == noClone
	}
	return slices.DeleteFunc(slices.Clone(o.Outcomes), func(x outcome) bool { return !without[x.id()] })
}

// cloneCommands are the commands that clone the repositories of outcomes into the current directory, each once. The
// clones are whole: licences and documents are read in them without asking a server.
func cloneCommands(xs []outcome) string {
	var b strings.Builder
	var seen []string
	for _, x := range xs {
		addresses := x.addresses()
		address := addresses[len(addresses)-1]
		if slices.Contains(seen, address) {
			continue
		}
		seen = append(seen, address)
		fmt.Fprintf(&b, "git clone --bare %s.git %s\n", strings.TrimSuffix(address, "/"), cloneName(address))
	}
	return b.String()
}

// cloneName is the directory of a clone: owner+name, as pegel looks for it below --mirror.
func cloneName(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	_, path, _ := strings.Cut(strings.Trim(rest, "/"), "/")
	return strings.ReplaceAll(path, "/", "+") + ".git"
}
