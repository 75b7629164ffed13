// Package openops looks at what an operator gives to others: the signature under the Open Operations manifesto, contributions
// to shared repositories and to the upstream projects of what runs, and talks or notes that the operator declares. Out come
// names of organisations and counts, never names of people: the manifesto lists contributors, and they are not read.
package openops
