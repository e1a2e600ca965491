package sso

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

const (
	samlRequest  = "SAMLRequest"
	samlResponse = "SAMLResponse"
	// maxInflated is how large in bytes a message may be that came deflated.
	maxInflated = maxBody
)

// message is a SAML message as it reached us, not believed yet.
type message struct {
	request  bool // else a response
	raw      []byte
	relay    string
	detached *detached // the signature beside it, by HTTP-Redirect; nil: it has to be inside
}

// detached is the signature of a redirect (SAML bindings 3.4.4.1).
type detached struct {
	signed    []string // what may have been signed, octet by octet as it was received
	algorithm string
	signature string // base64
}

// inbound reads the one message of a request by HTTP-Redirect or HTTP-POST.
func inbound(w http.ResponseWriter, r *http.Request) (message, error) {
	if r.Method != http.MethodPost {
		return readRedirect(r.URL.RawQuery)
	}
	if err := readPost(w, r); err != nil {
		return message{}, err
	}
	requests, responses := r.PostForm[samlRequest], r.PostForm[samlResponse]
	if len(requests)+len(responses) != 1 || len(r.PostForm["RelayState"]) > 1 {
		return message{}, malformed("the posted form has not exactly one SAMLRequest or SAMLResponse")
	}
	m := message{request: len(requests) == 1, relay: r.PostForm.Get("RelayState")}
	var err error
	if m.raw, err = decodeBase64(slices.Concat(requests, responses)[0]); err != nil {
		return message{}, malformed("the message is not base64").WithCause(err)
	}
	return m, nil
}

// readPost parses a posted form of at most 512 KiB.
func readPost(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	err := r.ParseForm()
	if err == nil {
		return nil
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return identity.Errorf(identity.TooLarge, "The posted form is larger than 512 KiB.").WithCode("saml.too_large")
	}
	return malformed("the posted form cannot be read").WithCause(err)
}

// redirectNames are the parameters of HTTP-Redirect.
var redirectNames = []string{samlRequest, samlResponse, "RelayState", "SigAlg", "Signature", "SAMLEncoding"}

// readRedirect reads a message by HTTP-Redirect out of a raw query.
func readRedirect(rawQuery string) (message, error) {
	raw, plain, err := redirectParts(rawQuery)
	if err != nil {
		return message{}, err
	}
	_, request := raw[samlRequest]
	_, response := raw[samlResponse]
	if request == response {
		return message{}, malformed("the address has not exactly one SAMLRequest or SAMLResponse")
	}
	name := samlResponse
	if request {
		name = samlRequest
	}
	if encoding := plain["SAMLEncoding"]; encoding != "" && encoding != "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE" {
		return message{}, malformed("its encoding is not DEFLATE")
	}
	m := message{request: request, relay: plain["RelayState"], detached: &detached{
		signed: signedOctets(raw, name), algorithm: plain["SigAlg"], signature: plain["Signature"],
	}}
	m.raw, err = inflated(plain[name])
	return m, err
}

// redirectParts returns the parameters as they were sent and as they read. A parameter twice, or its name in another spelling, could mean two things.
func redirectParts(rawQuery string) (raw, plain map[string]string, err error) {
	raw, plain = map[string]string{}, map[string]string{}
	for pair := range strings.SplitSeq(rawQuery, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil || !slices.Contains(redirectNames, name) {
			continue
		}
		value, err := url.QueryUnescape(rawValue)
		if _, twice := raw[name]; twice || name != rawName || err != nil {
			return nil, nil, malformed("the address has the parameter " + name + " twice, or in another spelling")
		}
		raw[name], plain[name] = rawValue, value
	}
	return raw, plain, nil
}

// signedOctets returns what the signature covers, whatever the order of the parameters was, in the sender's own spelling. An empty RelayState is signed by
// some senders and left out by others.
func signedOctets(raw map[string]string, name string) []string {
	relay, sent := raw["RelayState"]
	message, algorithm := name+"="+raw[name], "&SigAlg="+raw["SigAlg"]
	switch {
	case !sent:
		return []string{message + algorithm}
	case relay == "":
		return []string{message + "&RelayState=" + algorithm, message + algorithm}
	}
	return []string{message + "&RelayState=" + relay + algorithm}
}

// inflated decodes a message of HTTP-Redirect, and stops at 512 KiB.
func inflated(encoded string) ([]byte, error) {
	compressed, err := decodeBase64(encoded)
	if err != nil {
		return nil, malformed("the message is not base64").WithCause(err)
	}
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(compressed)), maxInflated+1))
	if len(raw) > maxInflated {
		return nil, identity.Errorf(identity.Invalid, "The message is larger than 512 KiB when it is inflated.").WithCode("saml.too_large")
	}
	if err != nil {
		return nil, malformed("the message cannot be inflated").WithCause(err)
	}
	return raw, nil
}
