package identity

import (
	"net/netip"
	"slices"
	"strings"
)

// MaxNetworks is how many networks one list may have.
const MaxNetworks = 100

// ParseNetworks reads networks such as 203.0.113.0/24; a bare address is a network of one. Host bits are cleared, an IPv4 network that is
// written as IPv6 becomes IPv4, and doubles are dropped. The error is Invalid with the field "networks".
func ParseNetworks(words []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, word := range words {
		word = strings.TrimSpace(word)
		if word == "" {
			continue
		}
		p, ok := parseNetwork(word)
		if !ok {
			return nil, Errorf(Invalid, "%q is no network. Write it as 203.0.113.0/24 or 2001:db8::/32, or write one address.", short(word)).WithField("networks")
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	if len(out) > MaxNetworks {
		return nil, Errorf(Invalid, "The list has %d networks; it may have %d at most.", len(out), MaxNetworks).WithField("networks")
	}
	return out, nil
}

func parseNetwork(word string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(word)
	if err != nil {
		addr, err := netip.ParseAddr(word)
		if err != nil || addr.Zone() != "" {
			return p, false
		}
		p = netip.PrefixFrom(addr, addr.BitLen())
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return p, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// InNetworks reports whether an address, as text, is in one of the networks. An IPv4 address that is written as IPv6 counts as IPv4; what
// is no address is in none.
func InNetworks(networks []netip.Prefix, address string) bool {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// NetworkTexts writes networks as people do.
func NetworkTexts(networks []netip.Prefix) []string {
	out := make([]string, len(networks))
	for i, p := range networks {
		out[i] = p.String()
	}
	return out
}

// short cuts what somebody typed before it is shown in a message.
func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
