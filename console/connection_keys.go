package console

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// certificateRow is a certificate as a page lists it.
type certificateRow struct {
	Print     string // SHA-256 in hex
	Subject   string
	NotBefore time.Time
	NotAfter  time.Time
	Leaves    *time.Time // when it is forgotten, because the metadata names it no more
	Role      string     // of one of ours
}

// Short is the start of the fingerprint, in pairs.
func (c certificateRow) Short() string {
	var pairs []string
	for i := 0; i+2 <= min(len(c.Print), 16); i += 2 {
		pairs = append(pairs, strings.ToUpper(c.Print[i:i+2]))
	}
	return strings.Join(pairs, ":")
}

// Over reports whether the certificate's own time is over.
func (c certificateRow) Over() bool { return !c.NotAfter.IsZero() && time.Now().After(c.NotAfter) }

func certificateRowOf(der []byte) certificateRow {
	sum := sha256.Sum256(der)
	row := certificateRow{Print: hex.EncodeToString(sum[:]), Subject: "cannot be read"}
	if cert, err := x509.ParseCertificate(der); err == nil {
		row.Subject, row.NotBefore, row.NotAfter = clip(cert.Subject.String(), maxValue), cert.NotBefore, cert.NotAfter
		if row.Subject == "" {
			row.Subject = "no name"
		}
	}
	return row
}

// certificateRows are the provider's certificates.
func certificateRows(c identity.Connection) []certificateRow {
	var out []certificateRow
	for _, der := range c.SAML.Certificates {
		row := certificateRowOf(der)
		if at, ok := c.SAML.Retiring[row.Print]; ok {
			row.Leaves = &at
		}
		out = append(out, row)
	}
	return out
}

// keyRows are our own certificates, the one that signs first.
func keyRows(c identity.Connection) []certificateRow {
	own, signs, rests := c.OIDC.Keys, "signs", "published, and waits"
	if c.Kind == identity.SAML {
		own, signs, rests = c.SAML.Own(), "signs, and opens what is encrypted for it", "opens what is encrypted for it"
	}
	var out []certificateRow
	for i, pair := range own {
		row := certificateRowOf(pair.Certificate)
		if row.Role = rests; i == 0 {
			row.Role = signs
		}
		out = append(out, row)
	}
	return out
}

func pemOf(certificates [][]byte) string {
	var b strings.Builder
	for _, der := range certificates {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return strings.TrimSpace(b.String())
}

// addCertificate trusts one more certificate of the provider, beside those that are there.
func (d *Door) addCertificate(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "certificate")
	if err != nil {
		return err
	}
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	added, err := readCertificates(f.Value("certificate"))
	if err == nil {
		_, err = d.prov.UpdateConnection(r.Context(), v.Actor, c.ID, func(c *identity.Connection) error {
			c.SAML.Certificates = slices.Clone(c.SAML.Certificates)
			for _, der := range added {
				if !slices.ContainsFunc(c.SAML.Certificates, func(have []byte) bool { return string(have) == string(der) }) {
					c.SAML.Certificates = append(c.SAML.Certificates, der)
				}
			}
			return nil
		})
		err = atField(err, "metadata", "certificate")
	}
	switch {
	case err == nil:
		return d.toConnection(w, r, c.ID, "certificate-added")
	case f.refused(err):
		shown := settingsForm(c)
		shown.Values.Set("certificate", f.Value("certificate"))
		shown.Problem, shown.fields = f.Problem, f.fields
		return d.connectionPage(w, r, v, c, shown)
	}
	return err
}

func (d *Door) confirmRemoveCertificate(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	for _, row := range certificateRows(c) {
		if row.Print != strings.ToLower(r.PathValue("print")) {
			continue
		}
		back := "/console/connections/" + string(c.ID)
		return d.confirm(w, r, v, "connections", confirmBody{
			Title: "Remove this certificate?", Who: c.Name + ", " + row.Subject, Button: "Remove the certificate", Danger: true,
			Action: back + "/certificates/" + row.Print + "/remove", Back: back,
			Facts: []string{
				"SHA-256 " + row.Print,
				"What the provider signs with its key is refused from this moment on.",
				"If the provider's metadata still names it, it comes back when that is read the next time.",
			},
		})
	}
	return identity.Errorf(identity.NotFound, "This connection has no such certificate.")
}

func (d *Door) removeCertificate(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.ConnectionID](r, "id")
	if err != nil {
		return err
	}
	print := strings.ToLower(r.PathValue("print"))
	_, err = d.prov.UpdateConnection(r.Context(), v.Actor, id, func(c *identity.Connection) error {
		c.SAML.Certificates = slices.DeleteFunc(slices.Clone(c.SAML.Certificates), func(der []byte) bool { return certificateRowOf(der).Print == print })
		return nil
	})
	if err != nil {
		return err
	}
	return d.toConnection(w, r, id, "certificate-removed")
}

// keyFacts say what a step of changing our own key does, where it could lock people out.
var keyFacts = map[provisioning.KeyStep][]string{
	provisioning.UseKey: {
		"Our requests are signed with the newest key from now on.",
		"The provider must know its certificate already: let it read our metadata (or our keys) again first, or enter the new certificate there.",
		"The former key stays, so that what is encrypted for it can still be read.",
	},
	provisioning.DropKey: {
		"Every key but the one that signs is forgotten, and our metadata shows them no more.",
		"What the provider still encrypts for one of them cannot be read: those sign-ins fail. Do this when the provider has read our metadata again.",
	},
}

// confirmKeyStep asks before a step that could lock people out.
func (d *Door) confirmKeyStep(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	step := provisioning.KeyStep(r.FormValue("step"))
	facts, ok := keyFacts[step]
	if !ok {
		return identity.Errorf(identity.NotFound, "There is no such step.")
	}
	title := map[provisioning.KeyStep]string{provisioning.UseKey: "Sign with the new key?", provisioning.DropKey: "Forget the former keys?"}[step]
	back := "/console/connections/" + string(c.ID)
	return d.confirm(w, r, v, "connections", confirmBody{
		Title: title, Who: c.Name, Button: strings.TrimSuffix(title, "?"), Danger: step == provisioning.DropKey, Action: back + "/keys?step=" + string(step), Back: back, Facts: facts,
	})
}

func (d *Door) keyStep(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.ConnectionID](r, "id")
	if err != nil {
		return err
	}
	if _, err := d.prov.RotateConnectionKey(r.Context(), v.Actor, id, provisioning.KeyStep(r.FormValue("step"))); err != nil {
		return err
	}
	return d.toConnection(w, r, id, "key-changed")
}
