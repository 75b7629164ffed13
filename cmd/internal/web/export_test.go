package web

import "net"

// SetResolver makes a guard resolve names with a test's own name server.
func (g *Guard) SetResolver(r *net.Resolver) { g.dialer.Resolver = r }
