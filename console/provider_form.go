package console

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// maxMetadata is the largest metadata file in bytes that an upload may have.
const maxMetadata = 1 << 20

// providerFields are the inputs about the provider's own values, of both protocols.
var providerFields = []string{
	"metadataurl", "metadatafile", "metadata", "entityid", "ssourl", "certificate", "emailclaim", "issuer", "clientid", "clientauth", "clientsecret", "secretends", "tenantids", "scopes",
}

// readProvider decodes what the provider says of itself into a connection's settings. What was in an uploaded file is kept in the form, so that nothing is
// lost when something else is wrong.
func (d *Door) readProvider(r *http.Request, f form, c *identity.Connection) error {
	if c.Kind == identity.OIDC {
		return readOIDC(f, &c.OIDC)
	}
	if err := uploaded(r, f); err != nil {
		return err
	}
	s, err := d.readSAML(r.Context(), f)
	if err != nil {
		return err
	}
	s.EmailClaim = f.Value("emailclaim")
	c.SAML = s
	return nil
}

func readOIDC(f form, o *identity.OIDCSettings) error {
	o.Issuer, o.ClientID, o.TenantIDs, o.Scopes = f.Value("issuer"), f.Value("clientid"), words(f.Value("tenantids")), words(f.Value("scopes"))
	o.ClientAuth, o.ClientSecret = identity.ClientAuth(f.Value("clientauth")), f.Value("clientsecret")
	ends, err := readDay(f, "secretends")
	o.SecretExpiresAt = ends
	return err
}

// readDay returns the day of a date field, at its start in UTC; none is nil.
func readDay(f form, name string) (*time.Time, error) {
	text := f.Value(name)
	if text == "" {
		return nil, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return nil, identity.Errorf(identity.Invalid, "Write a date as 2026-12-31.").WithField(name).WithCause(err)
	}
	return &day, nil
}

// uploaded puts the text of a file with metadata into the form, where one was sent.
func uploaded(r *http.Request, f form) error {
	file, _, err := r.FormFile("metadatafile")
	if err != nil {
		return nil // none was chosen
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxMetadata+1))
	if err != nil || len(raw) > maxMetadata {
		return identity.Errorf(identity.Invalid, "The metadata file is larger than 1 MB.").WithField("metadatafile").WithCause(err)
	}
	if len(raw) > 0 {
		f.Values.Set("metadata", strings.ToValidUTF8(string(raw), "\ufffd"))
	}
	return nil
}

// readSAML takes the metadata that was pasted or uploaded, the address, or what was typed by hand, whichever is there, in this order.
func (d *Door) readSAML(ctx context.Context, f form) (identity.SAMLSettings, error) {
	known := identity.SAMLSettings{EntityID: f.Value("entityid")}
	for _, name := range []string{"metadata", "metadataurl"} {
		source := f.Value(name)
		if source == "" {
			continue
		}
		if d.metadata == nil {
			return known, identity.Errorf(identity.Invalid, "This installation cannot read SAML metadata here. Enter the values by hand, or use the command line.").WithField(name)
		}
		s, err := d.metadata(ctx, source, known)
		return s, atField(err, "metadata", name)
	}
	if known.EntityID == "" && f.Value("ssourl") == "" && f.Value("certificate") == "" {
		return known, identity.Errorf(identity.Invalid, "Give the provider's metadata: its address, the file, or the XML.").WithField("metadataurl")
	}
	known.SSOURL = f.Value("ssourl")
	var err error
	known.Certificates, err = readCertificates(f.Value("certificate"))
	return known, err
}

// atField moves an error from one field to the field in which it was typed.
func atField(err error, from, to string) error {
	if e, ok := err.(*identity.Error); ok && e.Field == from {
		moved := *e
		moved.Field = to
		return &moved
	}
	return err
}

// readCertificates decodes certificates in PEM, or one in base64 alone, into DER.
func readCertificates(text string) ([][]byte, error) {
	bad := identity.Errorf(identity.Invalid, "This is no certificate. It begins with -----BEGIN CERTIFICATE-----, or is the base64 text between those lines.").WithField("certificate")
	var out [][]byte
	rest := []byte(strings.TrimSpace(text))
	if len(rest) > 0 && !strings.HasPrefix(string(rest), "-----") {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(rest)), ""))
		if err != nil {
			return nil, bad.WithCause(err)
		}
		return [][]byte{der}, nil
	}
	for len(rest) > 0 {
		block, after := pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, bad
		}
		if !slices.ContainsFunc(out, func(have []byte) bool { return string(have) == string(block.Bytes) }) {
			out = append(out, block.Bytes)
		}
		rest = []byte(strings.TrimSpace(string(after)))
	}
	if len(out) == 0 {
		return nil, identity.Errorf(identity.Invalid, "The provider's signing certificate is needed; without it nothing could be trusted.").WithField("certificate")
	}
	return out, nil
}
