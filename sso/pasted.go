package sso

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"html"
	"io"
	"net/url"
	"regexp"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// found is what was found in a text that somebody pasted: one of the two.
type found struct {
	xml   []byte
	token string
	typed bool // the XML was pasted as such, so somebody may have changed its white space
}

const pasteHelp = "Paste the value of SAMLResponse or the whole form that the browser posted to …/acs, the XML of the response, or an ID token (three parts with dots between)."

var (
	jwtShape = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$`)
	jweShape = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}$`)
	// inputField finds the hidden field of the page with which a provider posts its response.
	inputField = regexp.MustCompile(`(?is)<input\b[^>]*\bname\s*=\s*["']?SAMLResponse["'\s][^>]*>`)
	inputText  = regexp.MustCompile(`(?is)\bvalue\s*=\s*["']([^"']*)["']`)
)

// readPasted finds the message in what people copy from browsers, logs and mails.
func readPasted(input string) (found, error) {
	if len(input) > maxBody {
		return found{}, identity.Errorf(identity.TooLarge, "What was pasted is larger than 512 KiB; no provider sends that much.").WithField("message")
	}
	text := strings.TrimSpace(strings.TrimPrefix(input, "\ufeff"))
	if within, ok := inside(text); ok {
		text = within
	}
	if strings.HasPrefix(text, "<") {
		return found{xml: []byte(text), typed: true}, nil
	}
	dense := strings.TrimPrefix(strings.Join(strings.Fields(text), ""), "Bearer")
	switch {
	case jwtShape.MatchString(dense):
		return found{token: dense}, nil
	case jweShape.MatchString(dense):
		return found{}, identity.Errorf(identity.Invalid, "This is an encrypted token (JWE, five parts): paste the ID token inside it, or set the provider not to encrypt ID tokens for this client.").WithField("message")
	case dense == "":
		return found{}, identity.Errorf(identity.Invalid, "%s", pasteHelp).WithField("message")
	}
	return decodeResponse(dense)
}

// inside takes the message out of what is around it: a page of the provider, a JSON answer, a posted form, a command line.
func inside(text string) (string, bool) {
	if field := inputField.FindString(text); field != "" {
		if value := inputText.FindStringSubmatch(field); value != nil {
			return html.UnescapeString(value[1]), true
		}
	}
	if strings.HasPrefix(text, "{") {
		var answer struct {
			Response string `json:"SAMLResponse"`
			Token    string `json:"id_token"`
		}
		if json.Unmarshal([]byte(text), &answer) == nil && answer.Response+answer.Token != "" {
			return answer.Response + answer.Token, true
		}
	}
	if strings.HasPrefix(text, "<") {
		return "", false
	}
	for _, name := range []string{"SAMLResponse=", "id_token="} {
		if _, after, has := strings.Cut(text, name); has {
			if end := strings.IndexAny(after, "&'\"\\ \t\r\n"); end >= 0 {
				after = after[:end]
			}
			return after, true
		}
	}
	return "", false
}

// decodeResponse undoes base64, also with the escapes of a form around it, and the compression of the redirect binding (SAML bindings 3.4.4.1).
func decodeResponse(dense string) (found, error) {
	none := identity.Errorf(identity.Invalid, "This is neither a SAML response nor an ID token. %s", pasteHelp).WithField("message")
	if strings.Contains(dense, "%") {
		if plain, err := url.PathUnescape(dense); err == nil {
			dense = strings.Join(strings.Fields(plain), "")
		}
	}
	if jwtShape.MatchString(dense) {
		return found{token: dense}, nil
	}
	raw, err := decodeAnyBase64(dense)
	if err != nil {
		return found{}, none.WithCause(err)
	}
	if !looksLikeXML(raw) {
		if raw, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), maxBody+1)); err != nil || len(raw) > maxBody || !looksLikeXML(raw) {
			return found{}, none.WithCause(err)
		}
	}
	return found{xml: raw}, nil
}

func looksLikeXML(raw []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))), []byte("<"))
}

// decodeAnyBase64 decodes both alphabets, with and without the padding.
func decodeAnyBase64(s string) ([]byte, error) {
	s = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(s), "=")
	return base64.RawStdEncoding.DecodeString(s)
}

// otherMessage says what a document is that is no response, or "".
func otherMessage(raw []byte) string {
	dec := xml.NewDecoder(bytes.NewReader(raw))
	for {
		tok, err := dec.Token()
		if err != nil {
			return ""
		}
		start, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "AuthnRequest":
			return "This is our own request (AuthnRequest), not the provider's answer: paste the SAMLResponse that the browser posts to …/acs."
		case "LogoutRequest", "LogoutResponse":
			return "This is a message about signing out (" + start.Name.Local + "): only responses to a sign-in are explained."
		case "EntityDescriptor", "EntitiesDescriptor":
			return "This is metadata, not a response: import it on the page of the connection."
		case "Assertion":
			return "This is an assertion without the response around it: paste the whole SAMLResponse."
		}
		return ""
	}
}
