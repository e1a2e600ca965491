package console

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// settingFields are the inputs of a connection's own settings.
var settingFields = []string{"name", "domains", "unknown", "unknownrole", "directory", "skew", "emailclaim", "metadataurl", "metadatasigner", "scopes", "algorithms", "tenantids", "secretends"}

// settingsForm fills the form of the settings with what they are.
func settingsForm(c identity.Connection) form {
	f := blank("name", c.Name, "domains", strings.Join(c.Domains, ", "), "unknown", string(c.Unknown), "unknownrole", string(c.UnknownRole), "directory", string(c.DirectoryID),
		"skew", strconv.Itoa(int(c.Skew/time.Second)), "emailclaim", c.SAML.EmailClaim, "metadataurl", c.SAML.MetadataURL, "metadatasigner", pemOf(signers(c)),
		"scopes", strings.Join(c.OIDC.Scopes, " "), "algorithms", strings.Join(c.OIDC.Algorithms, " "), "tenantids", strings.Join(c.OIDC.TenantIDs, " "), "secretends", dayOf(c.OIDC.SecretExpiresAt))
	for name, on := range map[string]bool{
		"force": c.Options.ForceAuthn, "unsolicited": c.Options.AllowUnsolicited, "artifact": c.Options.Artifact,
		"sha1": c.SAML.AllowSHA1, "pin": c.SAML.PinCertificates, "refuseexpired": c.SAML.RefuseExpired, "issueraudience": c.OIDC.IssuerAsAudience,
	} {
		if on {
			f.Values.Add("on", name)
		}
	}
	return f
}

// signers are the certificates whose keys may sign the metadata: one or none.
func signers(c identity.Connection) [][]byte {
	if len(c.SAML.MetadataSigner) == 0 {
		return nil
	}
	return [][]byte{c.SAML.MetadataSigner}
}

func dayOf(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.DateOnly)
}

// readSettings changes what the form has inputs for and leaves the rest. The boxes are sent only where they are ticked, so their form says that it has them.
func readSettings(f form, c *identity.Connection) error {
	text := func(name string, to *string) {
		if f.Values.Has(name) {
			*to = f.Value(name)
		}
	}
	list := func(name string, to *[]string) {
		if f.Values.Has(name) {
			*to = words(f.Value(name))
		}
	}
	text("name", &c.Name)
	if f.Values.Has("domains") {
		readRules(f, c)
	}
	text("emailclaim", &c.SAML.EmailClaim)
	text("metadataurl", &c.SAML.MetadataURL)
	list("scopes", &c.OIDC.Scopes)
	list("algorithms", &c.OIDC.Algorithms)
	list("tenantids", &c.OIDC.TenantIDs)
	if f.Values.Has("boxes") {
		c.Options.ForceAuthn, c.Options.AllowUnsolicited, c.Options.Artifact = f.Has("on", "force"), f.Has("on", "unsolicited"), f.Has("on", "artifact")
		c.SAML.AllowSHA1, c.SAML.PinCertificates, c.SAML.RefuseExpired = f.Has("on", "sha1"), f.Has("on", "pin"), f.Has("on", "refuseexpired")
		c.OIDC.IssuerAsAudience = f.Has("on", "issueraudience")
	}
	if f.Values.Has("metadatasigner") {
		if err := readSigner(f, &c.SAML); err != nil {
			return err
		}
	}
	if f.Values.Has("skew") {
		seconds, err := strconv.ParseUint(f.Value("skew"), 10, 16)
		if err != nil {
			return identity.Errorf(identity.Invalid, "Write how many seconds the provider's clock may be off: 1 to 300.").WithField("skew").WithCause(err)
		}
		c.Skew = time.Duration(seconds) * time.Second
	}
	if f.Values.Has("secretends") {
		ends, err := readDay(f, "secretends")
		c.OIDC.SecretExpiresAt = ends
		return err
	}
	return nil
}

func readSigner(f form, s *identity.SAMLSettings) error {
	s.MetadataSigner = nil
	if f.Value("metadatasigner") == "" {
		return nil
	}
	found, err := readCertificates(f.Value("metadatasigner"))
	if err != nil || len(found) != 1 {
		return identity.Errorf(identity.Invalid, "Enter one certificate, as it is between the lines BEGIN CERTIFICATE and END CERTIFICATE.").WithField("metadatasigner").WithCause(err)
	}
	s.MetadataSigner = found[0]
	return nil
}

func (d *Door) updateConnection(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, settingFields...)
	if err != nil {
		return err
	}
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	_, err = d.prov.UpdateConnection(r.Context(), v.Actor, c.ID, func(c *identity.Connection) error { return readSettings(f, c) })
	switch {
	case err == nil:
		return d.toConnection(w, r, c.ID, "connection-updated")
	case f.refused(err):
		return d.connectionPage(w, r, v, c, f)
	}
	return err
}

func (d *Door) toConnection(w http.ResponseWriter, r *http.Request, id identity.ConnectionID, done string) error {
	http.Redirect(w, r, "/console/connections/"+string(id)+"?done="+done, http.StatusSeeOther)
	return nil
}

// editProvider asks again for what the provider says of itself.
func (d *Door) editProvider(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	return d.providerPage(w, r, v, c, providerForm(c))
}

// providerForm fills the form of the provider's values with what is known. Metadata is read from an address again, or entered again.
func providerForm(c identity.Connection) form {
	f := blank("metadataurl", c.SAML.MetadataURL, "emailclaim", c.SAML.EmailClaim, "issuer", c.OIDC.Issuer, "clientid", c.OIDC.ClientID, "clientauth", string(c.OIDC.ClientAuth),
		"secretends", dayOf(c.OIDC.SecretExpiresAt), "tenantids", strings.Join(c.OIDC.TenantIDs, " "), "scopes", strings.Join(c.OIDC.Scopes, " "))
	if c.SAML.MetadataURL == "" && c.Kind == identity.SAML {
		f.Values.Set("entityid", c.SAML.EntityID)
		f.Values.Set("ssourl", c.SAML.SSOURL)
		f.Values.Set("certificate", pemOf(c.SAML.Certificates))
	}
	return f
}

func (d *Door) providerPage(w http.ResponseWriter, r *http.Request, v visit, c identity.Connection, f form) error {
	body := struct {
		wizardBody
		Connection identity.Connection
	}{wizardBody{Guide: guideOf(c.Options.Provider, c.Kind), Form: f, Addresses: d.addresses(c.ID), Made: true}, c}
	s := screen{Title: "Provider of " + c.Name, Nav: "connections", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "connection_provider", s)
}

// updateProvider takes over what was entered. Our own keys and what was chosen here stay.
func (d *Door) updateProvider(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, providerFields...)
	if err != nil {
		return err
	}
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	if err = d.replaceProvider(r.Context(), r, v, f, c); err == nil {
		return d.toConnection(w, r, c.ID, "connection-updated")
	}
	if f.refused(err) {
		return d.providerPage(w, r, v, c, f)
	}
	return err
}

func (d *Door) replaceProvider(ctx context.Context, r *http.Request, v visit, f form, c identity.Connection) error {
	entered := identity.Connection{Kind: c.Kind}
	if err := d.readProvider(r, f, &entered); err != nil {
		return err
	}
	_, err := d.prov.UpdateConnection(ctx, v.Actor, c.ID, func(c *identity.Connection) error {
		if c.Kind == identity.SAML {
			c.SAML = c.SAML.WithProvider(entered.SAML)
			c.SAML.EmailClaim = entered.SAML.EmailClaim
			return nil
		}
		c.OIDC = c.OIDC.WithProvider(entered.OIDC)
		return nil
	})
	return err
}
