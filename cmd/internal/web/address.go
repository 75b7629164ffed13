package web

import "net/netip"

// special says to what kind of network an address belongs if that is no public one; empty for public addresses. Networks
// for documentation are public here: nothing answers there.
func special(a netip.Addr) string {
	switch {
	case !a.IsValid():
		return "is no address"
	case a.IsLoopback():
		return "is an address of this machine"
	case a.IsUnspecified():
		return "stands for this machine"
	case a.IsPrivate():
		return "is an address of a private network"
	case a.IsLinkLocalUnicast():
		return "is a link-local address"
	case a.IsMulticast():
		return "is a multicast address"
	}
	for _, n := range specialNetworks() {
		if n.prefix.Contains(a) {
			return n.why
		}
	}
	return ""
}

type network struct {
	prefix netip.Prefix
	why    string
}

// specialNetworks are those of the registries of IANA for special purposes that package netip has no word for. Addresses
// that carry an IPv4 address inside lead wherever the translator on the way sends them, so all of them are listed.
func specialNetworks() []network {
	const carrier = "is an address of a network shared behind a provider"
	const reserved = "is a reserved address"
	const carries = "is an address that carries an IPv4 address inside"
	return []network{
		{netip.MustParsePrefix("0.0.0.0/8"), "stands for this machine"},
		{netip.MustParsePrefix("100.64.0.0/10"), carrier},
		{netip.MustParsePrefix("192.0.0.0/24"), reserved},
		{netip.MustParsePrefix("192.88.99.0/24"), reserved},
		{netip.MustParsePrefix("198.18.0.0/15"), "is an address for measurements in private networks"},
		{netip.MustParsePrefix("240.0.0.0/4"), reserved}, // with 255.255.255.255, the broadcast
		{netip.MustParsePrefix("::/96"), carries},        // IPv4-compatible
		{netip.MustParsePrefix("::ffff:0:0:0/96"), carries},
		{netip.MustParsePrefix("64:ff9b::/96"), carries}, // NAT64
		{netip.MustParsePrefix("64:ff9b:1::/48"), carries},
		{netip.MustParsePrefix("2001::/32"), carries}, // Teredo
		{netip.MustParsePrefix("2002::/16"), carries}, // 6to4
		{netip.MustParsePrefix("100::/64"), reserved}, // discard
		{netip.MustParsePrefix("5f00::/16"), reserved},
		{netip.MustParsePrefix("fec0::/10"), "is an address of a private network"}, // site-local
	}
}
