package provisioning

import (
	"context"
	"crypto/subtle"
	"errors"
	"net"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// lookupTime is how long the records of one domain may take to be read.
const lookupTime = 8 * time.Second

// Resolver reads DNS records. It is safe for use by many goroutines.
type Resolver struct{ net *net.Resolver }

// NewResolver returns a resolver that asks the name server at host:port, over UDP and where that is too small over TCP; with an empty address it asks as the system does.
func NewResolver(address string) *Resolver {
	if address == "" {
		return &Resolver{net.DefaultResolver}
	}
	return &Resolver{&net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}}
}

// texts returns the TXT records of a name; that there are none is no error.
func (r *Resolver) texts(ctx context.Context, name string) ([]string, error) {
	records, err := r.net.LookupTXT(ctx, name+".") // with the dot nothing of the system's search list is put behind it
	var answer *net.DNSError
	if errors.As(err, &answer) && answer.IsNotFound {
		return nil, nil
	}
	return records, err
}

// proven reports whether a domain's record is there, at its own name or at the domain itself. An error means that the name servers could not be asked: nothing is known then.
func (r *Resolver) proven(ctx context.Context, d identity.Domain) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	var failures []error
	for _, name := range []string{d.RecordName(), d.Domain} {
		records, err := r.texts(ctx, name)
		failures = append(failures, err)
		for _, record := range records {
			if subtle.ConstantTimeCompare([]byte(record), []byte(d.RecordValue())) == 1 {
				return true, nil
			}
		}
	}
	return false, errors.Join(failures...)
}
