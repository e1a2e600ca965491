package provisioning

import (
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// plainStep reads what a step about somebody new keeps, where that is nothing but a label, a tenant and fields without any escape. What is not as plain is left to
// encoding/json; so is what is no JSON at all.
func plainStep(text string) (d stepData, ok bool) {
	p := stepText{text: text}
	ok = p.object(func(key string) (ok bool) {
		switch key {
		case "who":
			d.Who, ok = p.word()
		case "tenant":
			var tenant string
			tenant, ok = p.word()
			d.Tenant = identity.TenantID(tenant)
		case "fields":
			d.Fields, ok = p.fields()
		case "more":
			d.More, ok = p.fields()
		}
		return ok
	})
	return d, ok && p.text == ""
}

// stepText is what is left of a text that is being read.
type stepText struct{ text string }

// take reads one character.
func (p *stepText) take(c byte) bool {
	if p.text == "" || p.text[0] != c {
		return false
	}
	p.text = p.text[1:]
	return true
}

// word reads a text in quotation marks.
func (p *stepText) word() (string, bool) {
	if !p.take('"') {
		return "", false
	}
	word, rest, ended := strings.Cut(p.text, `"`)
	if !ended || strings.IndexByte(word, '\\') >= 0 {
		return "", false
	}
	p.text = rest
	return word, true
}

// object reads an object without blanks, and calls value behind each key, which reads the value or gives up.
func (p *stepText) object(value func(key string) bool) bool {
	if !p.take('{') {
		return false
	}
	if p.take('}') {
		return true
	}
	for {
		key, ok := p.word()
		if !ok || !p.take(':') || !value(key) {
			return false
		}
		if p.take('}') {
			return true
		}
		if !p.take(',') {
			return false
		}
	}
}

func (p *stepText) fields() (personFields, bool) {
	f := make(personFields, 16)
	ok := p.object(func(key string) bool {
		value, ok := p.word()
		f[key] = value
		return ok
	})
	return f, ok
}
