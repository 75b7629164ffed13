package pipeline

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/pegel-audit/pegel/cmd/internal/web"
	"github.com/pegel-audit/pegel/sbom/source"
)

// guard makes the one way out of a run from the network: part of a stack file.
func guard(stack Stack) (*web.Guard, error) {
	wrong := func(err error) (*web.Guard, error) {
		return nil, usagef("see network: in the documentation of stack.yaml", "reading stack %q: %w", stack.Name, err)
	}
	options := web.Options{Proxy: stack.Network.Proxy}
	for _, text := range stack.Network.Allow {
		prefix, err := parseNetwork(text)
		if err != nil {
			return wrong(err)
		}
		options.Allow = append(options.Allow, prefix)
	}
	if stack.Network.CA != "" {
		options.CAFile = relativeTo(stack.Dir, stack.Network.CA)
	}
	g, err := web.New(options)
	if err != nil {
		return wrong(err)
	}
	return g, nil
}

// network is how sources reach servers. An offline run reaches none; the sockets of this machine are no network.
func network(g *web.Guard, offline bool) source.Network {
	if offline {
		return source.Network{Local: g.Local}
	}
	return source.Network{Dial: g.Dial, Local: g.Local, Proxy: g.Proxy, Roots: g.Roots()}
}

// reach refuses servers of git that the guard refuses (gitlog.Options). Behind a proxy the proxy decides; whether a server
// answers at all git finds out itself.
func (g *gatherer) reach(ctx context.Context, hostPort string) error {
	if g.network.Dial == nil || g.stack.Network.Proxy != "" {
		return nil
	}
	conn, err := g.network.Dial(ctx, "tcp", hostPort)
	if err == nil {
		return conn.Close()
	}
	if refused(err) {
		return err
	}
	return nil
}

// refused reports whether an error is the guard's own refusal of an address.
func refused(err error) bool {
	_, ok := web.Refused(err)
	return ok
}

// parseNetwork reads an address or a network.
func parseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("network: allow: %q is no address or network such as 10.0.0.0/8", text)
	}
	return prefix, nil
}
