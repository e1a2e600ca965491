package ssotest

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/xml"
	"html/template"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// Algorithms of a detached signature.
const (
	RSASHA1     = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
	RSASHA256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	RSASHA384   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
	RSASHA512   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
	ECDSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	ECDSASHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
	ECDSASHA512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
	PSSSHA256   = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
)

var detachedHashes = map[string]crypto.Hash{
	RSASHA1: crypto.SHA1, RSASHA256: crypto.SHA256, RSASHA384: crypto.SHA384, RSASHA512: crypto.SHA512,
	ECDSASHA256: crypto.SHA256, ECDSASHA384: crypto.SHA384, ECDSASHA512: crypto.SHA512, PSSSHA256: crypto.SHA256,
}

// Logout is a LogoutRequest or LogoutResponse before it is written. Every field can be changed to misbehave; an empty string leaves the XML attribute or
// element out.
type Logout struct {
	Tag             string // LogoutRequest or LogoutResponse
	ID              string
	Version         string
	IssueInstant    string
	NotOnOrAfter    string
	Destination     string
	InResponseTo    string
	Issuer          string
	NameID          string // inner XML; empty: no NameID
	NameIDFormat    string
	SessionIndexes  []string
	Status          string
	InnerStatus     string
	Encrypted       bool // an EncryptedID instead of the NameID
	Key             crypto.Signer
	Certificate     []byte // shown in KeyInfo, by POST
	SignatureMethod string // URI; empty: not signed
	Before          func(*etree.Element)
	After           func(*etree.Element) // called after signing, by POST
}

// LogoutRequest returns a well-behaved log-out of a person, at some sessions or at all.
func (s *SAML) LogoutRequest(c SAMLClient, nameID string, indexes ...string) *Logout {
	l := s.newLogout("LogoutRequest", c)
	l.NameID, l.NameIDFormat = template.HTMLEscapeString(nameID), "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	l.SessionIndexes, l.NotOnOrAfter = indexes, Stamp(time.Now().Add(5*time.Minute))
	return l
}

// LogoutResponse returns a well-behaved answer to a log-out.
func (s *SAML) LogoutResponse(c SAMLClient, inResponseTo string) *Logout {
	l := s.newLogout("LogoutResponse", c)
	l.InResponseTo, l.Status = inResponseTo, "urn:oasis:names:tc:SAML:2.0:status:Success"
	return l
}

func (s *SAML) newLogout(tag string, c SAMLClient) *Logout {
	key, cert := s.Key()
	return &Logout{
		Tag: tag, ID: newID(), Version: "2.0", IssueInstant: Stamp(time.Now()), Destination: c.SLO, Issuer: s.EntityID(),
		Key: key, Certificate: cert, SignatureMethod: RSASHA256,
	}
}

var logoutTemplate = template.Must(template.New("logout").Funcs(template.FuncMap{
	"raw": func(s string) template.HTML { return template.HTML(s) },
}).Parse(`<samlp:Logout xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"{{with .ID}} ID="{{.}}"{{end}} Version="{{.Version}}"` +
	`{{with .IssueInstant}} IssueInstant="{{.}}"{{end}}{{with .NotOnOrAfter}} NotOnOrAfter="{{.}}"{{end}}{{with .Destination}} Destination="{{.}}"{{end}}{{with .InResponseTo}} InResponseTo="{{.}}"{{end}}>` +
	`{{with .Issuer}}<saml:Issuer>{{.}}</saml:Issuer>{{end}}{{if .Encrypted}}<saml:EncryptedID/>{{else}}{{with .NameID}}<saml:NameID Format="{{$.NameIDFormat}}">{{raw .}}</saml:NameID>{{end}}{{end}}` +
	`{{range .SessionIndexes}}<samlp:SessionIndex>{{.}}</samlp:SessionIndex>{{end}}` +
	`{{with .Status}}<samlp:Status><samlp:StatusCode Value="{{.}}">{{with $.InnerStatus}}<samlp:StatusCode Value="{{.}}"/>{{end}}</samlp:StatusCode></samlp:Status>{{end}}</samlp:Logout>`))

func (l *Logout) document() (*etree.Document, error) {
	var b bytes.Buffer
	if err := logoutTemplate.Execute(&b, l); err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(b.Bytes()); err != nil {
		return nil, err
	}
	doc.Root().Tag = l.Tag
	if l.Before != nil {
		l.Before(doc.Root())
	}
	return doc, nil
}

// parameter is the name under which the message travels.
func (l *Logout) parameter() string { return "SAML" + strings.TrimPrefix(l.Tag, "Logout") }

// Post returns the form that carries the message, signed inside.
func (l *Logout) Post(relay string) (url.Values, error) {
	doc, err := l.document()
	if err != nil {
		return nil, err
	}
	if l.SignatureMethod != "" {
		if err := l.sign(doc.Root()); err != nil {
			return nil, err
		}
	}
	if l.After != nil {
		l.After(doc.Root())
	}
	raw, err := doc.WriteToBytes()
	form := url.Values{l.parameter(): {base64.StdEncoding.EncodeToString(raw)}}
	if relay != "" {
		form.Set("RelayState", relay)
	}
	return form, err
}

// sign puts the provider's signature into a message.
func (l *Logout) sign(el *etree.Element) error {
	signer := Answer{Key: l.Key, Certificate: l.Certificate, SignatureMethod: l.SignatureMethod, Canonicalization: "http://www.w3.org/2001/10/xml-exc-c14n#"}
	return signer.Sign(el)
}

// Redirect returns the query that carries the message, with its signature beside it.
func (l *Logout) Redirect(relay string) (string, error) {
	doc, err := l.document()
	if err != nil {
		return "", err
	}
	raw, err := doc.WriteToBytes()
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		return "", err
	}
	if _, err := w.Write(raw); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	query := l.parameter() + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(b.Bytes()))
	if relay != "" {
		query += "&RelayState=" + url.QueryEscape(relay)
	}
	return l.SignQuery(query)
}

// SignQuery appends SigAlg and Signature to a query, in whatever spelling it is.
func (l *Logout) SignQuery(query string) (string, error) {
	if l.SignatureMethod == "" {
		return query, nil
	}
	query += "&SigAlg=" + url.QueryEscape(l.SignatureMethod)
	signature, err := signDetached(l.Key, l.SignatureMethod, query)
	return query + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature)), err
}

// signDetached signs a query; ECDSA signatures are r and s side by side, as XML signatures have them.
func signDetached(key crypto.Signer, method, query string) ([]byte, error) {
	hash := detachedHashes[method]
	if hash == 0 {
		hash = crypto.SHA256
	}
	h := hash.New()
	h.Write([]byte(query))
	var options crypto.SignerOpts = hash
	if method == PSSSHA256 {
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
	}
	signature, err := key.Sign(rand.Reader, h.Sum(nil), options)
	elliptic, ok := key.Public().(*ecdsa.PublicKey)
	if err != nil || !ok {
		return signature, err
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(signature, &pair); err != nil {
		return nil, err
	}
	size := (elliptic.Curve.Params().BitSize + 7) / 8
	raw := make([]byte, 2*size)
	pair.R.FillBytes(raw[:size])
	pair.S.FillBytes(raw[size:])
	return raw, nil
}

// ReceivedLogout is a log-out message that a service provider sent here, with a good signature.
type ReceivedLogout struct {
	XMLName      xml.Name
	ID           string `xml:",attr"`
	Destination  string `xml:",attr"`
	InResponseTo string `xml:",attr"`
	Issuer       string `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
	NameID       struct {
		Format          string `xml:",attr"`
		NameQualifier   string `xml:",attr"`
		SPNameQualifier string `xml:",attr"`
		Value           string `xml:",chardata"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:assertion NameID"`
	SessionIndex string `xml:"urn:oasis:names:tc:SAML:2.0:protocol SessionIndex"`
	Status       struct {
		Code struct {
			Value string `xml:",attr"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:protocol StatusCode"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:protocol Status"`
	RelayState string `xml:"-"`
}

// ChangeLogout sets what is done to every answer to a log-out before it is signed; nil behaves well again.
func (s *SAML) ChangeLogout(f func(*Logout)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logout = f
}

// Received returns the log-out messages that service providers sent here, oldest first.
func (s *SAML) Received() []ReceivedLogout {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]ReceivedLogout(nil), s.received...)
}

// signOut takes a log-out message by redirect or by POST; it answers a request by redirect, and takes note of an answer.
func (s *SAML) signOut(w http.ResponseWriter, r *http.Request) {
	got, client, err := s.receive(r)
	if err != nil {
		http.Error(w, "bad log-out: "+err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.received = append(s.received, got)
	change := s.logout
	s.mu.Unlock()
	if got.XMLName.Local != "LogoutRequest" {
		answer(w, http.StatusOK, map[string]string{"status": got.Status.Code.Value})
		return
	}
	l := s.LogoutResponse(client, got.ID)
	if change != nil {
		change(l)
	}
	query, err := l.Redirect(got.RelayState)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, client.SLO+"?"+query, http.StatusFound)
}

func (s *SAML) receive(r *http.Request) (ReceivedLogout, SAMLClient, error) {
	var got ReceivedLogout
	var raw []byte
	var err error
	if r.Method == http.MethodPost {
		raw, err = base64.StdEncoding.DecodeString(r.PostFormValue("SAMLRequest") + r.PostFormValue("SAMLResponse"))
	} else {
		raw, err = Inflate(r.URL.Query().Get("SAMLRequest") + r.URL.Query().Get("SAMLResponse"))
	}
	if err != nil {
		return got, SAMLClient{}, err
	}
	if err := xml.Unmarshal(raw, &got); err != nil {
		return got, SAMLClient{}, err
	}
	got.RelayState = r.FormValue("RelayState")
	client, err := s.client(got.Issuer)
	if err != nil || len(client.Certificate) == 0 {
		return got, client, err
	}
	if r.Method == http.MethodPost {
		return got, client, VerifyEnveloped(raw, client.Certificate)
	}
	query := strings.TrimPrefix(r.URL.RawQuery, "answer=1&")
	return got, client, VerifyRedirect(query, client.Certificate)
}
