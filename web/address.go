package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientIP returns the address of the client without its port: the connection's, or what the server's trusted proxies say of it.
func ClientIP(r *http.Request) string {
	if x := exchangeOf(r.Context()); x.ip != "" {
		return x.ip
	}
	return clientIP(r, nil)
}

// clientIP walks X-Forwarded-For from the right, the side that our own proxies write, and stops at the first address that is not one of them.
// What stands further left was written by the client and proves nothing.
func clientIP(r *http.Request, trusted []netip.Prefix) string {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip := addr.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(ip) }) {
			break
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		ip = next.Unmap().WithZone("")
	}
	return ip.String()
}
