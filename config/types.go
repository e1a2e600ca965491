package config

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
)

// KeySize is the length of the secret key in bytes.
const KeySize = 32

// Key is the secret key. It prints as a mask, so that it cannot slip into a log.
type Key []byte

// String returns a mask, or "" when there is no key.
func (k Key) String() string {
	if len(k) == 0 {
		return ""
	}
	return mask
}

// GoString returns the mask too, for %#v.
func (k Key) GoString() string { return k.String() }

// LogValue returns the mask too, for slog.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText returns the mask too, for JSON and YAML.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads 32 bytes in hex or in any base64 alphabet, padded or not.
func (k *Key) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if b, err := hex.DecodeString(s); err == nil && len(b) == KeySize {
		*k = b
		return nil
	}
	s = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(s), "=")
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return errors.New("it is neither base64 nor hex")
	}
	if len(b) != KeySize {
		return fmt.Errorf("it has %d bytes instead of %d", len(b), KeySize)
	}
	*k = b
	return nil
}

// Networks is a list of networks.
type Networks []netip.Prefix

// UnmarshalText reads networks separated by commas; a bare address is a network of one.
func (n *Networks) UnmarshalText(text []byte) error {
	var networks Networks
	for item := range strings.SplitSeq(string(text), ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		network, err := parseNetwork(item)
		if err != nil {
			return err
		}
		networks = append(networks, network)
	}
	*n = networks
	return nil
}

func parseNetwork(item string) (netip.Prefix, error) {
	if network, err := netip.ParsePrefix(item); err == nil {
		return network.Masked(), nil
	}
	address, err := netip.ParseAddr(item)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no network", item)
	}
	return netip.PrefixFrom(address, address.BitLen()), nil
}

// Contains reports whether one of the networks holds the address; an IPv4 address that is written as IPv6 counts as IPv4.
func (n Networks) Contains(address netip.Addr) bool {
	address = address.Unmap()
	return slices.ContainsFunc(n, func(p netip.Prefix) bool { return p.Contains(address) })
}

// String returns the networks separated by commas.
func (n Networks) String() string {
	text := make([]string, len(n))
	for i, p := range n {
		text[i] = p.String()
	}
	return strings.Join(text, ", ")
}
