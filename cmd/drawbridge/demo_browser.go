package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// browser is somebody in front of a screen: it keeps cookies, follows redirects one by one so that the guide can tell each, and sends forms.
type browser struct {
	client *http.Client
	home   string // the bridge's origin
	guide  *guide
}

// newBrowser returns a browser without cookies.
func newBrowser(home string, g *guide) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{client: &http.Client{Jar: jar, CheckRedirect: stay}, home: home, guide: g}, nil
}

// page is an answer: what the browser shows, or where it is sent.
type page struct {
	url    *url.URL
	status int
	next   string // absolute address of a redirect
	body   string
}

// get opens an address and tells what it meant.
func (b *browser) get(ctx context.Context, address, what string) (page, error) {
	return b.send(ctx, http.MethodGet, address, nil, what)
}

// post sends a form.
func (b *browser) post(ctx context.Context, address string, values url.Values, what string) (page, error) {
	return b.send(ctx, http.MethodPost, address, values, what)
}

func (b *browser) send(ctx context.Context, method, address string, values url.Values, what string) (page, error) {
	if strings.HasPrefix(address, "/") {
		address = b.home + address
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(values.Encode()))
	if err != nil {
		return page{}, err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("User-Agent", "Drawbridge demo browser")
	res, err := b.client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxInput))
	if err != nil {
		return page{}, err
	}
	p := page{url: req.URL, status: res.StatusCode, body: string(raw)}
	if to, err := res.Location(); err == nil {
		p.next = to.String()
	}
	b.guide.step(method, b.shown(req.URL), res.StatusCode, what)
	return p, nil
}

// shown is an address as the guide tells it: our own without the origin, and nobody's protocol parameters.
func (b *browser) shown(u *url.URL) string {
	short := *u
	if short.RawQuery != "" && (short.Query().Has("SAMLRequest") || short.Query().Has("code") || short.Query().Has("state")) {
		short.RawQuery = "…"
	}
	return strings.TrimPrefix(short.String(), b.home)
}

// expect ends the tour when a page is not what it should be.
func (p page) expect(status int, text string) error {
	if p.status != status {
		return fmt.Errorf("the tour ends: %s was answered %d instead of %d", p.url.Redacted(), p.status, status)
	}
	if !strings.Contains(p.body, text) {
		return fmt.Errorf("the tour ends: the page %s does not show %q", p.url.Redacted(), text)
	}
	return nil
}

// form is one form of a page.
type form struct {
	action string
	method string
	values url.Values
}

// form returns the page's first form that has a field with that name, with the values that the page gives it.
func (p page) form(field string) (form, error) {
	d := xml.NewDecoder(bytes.NewReader([]byte(p.body)))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open *form
	for {
		token, err := d.Token()
		if err != nil {
			return form{}, fmt.Errorf("the tour ends: the page %s has no form with %q", p.url.Redacted(), field)
		}
		switch t := token.(type) {
		case xml.StartElement:
			open = p.element(open, t)
		case xml.EndElement:
			if strings.EqualFold(t.Name.Local, "form") && open != nil {
				if open.values.Has(field) {
					return *open, nil
				}
				open = nil
			}
		}
	}
}

// element reads one tag: a form begins, or the open one gets a field.
func (p page) element(open *form, t xml.StartElement) *form {
	at := map[string]string{}
	for _, a := range t.Attr {
		at[strings.ToLower(a.Name.Local)] = a.Value
	}
	switch name := strings.ToLower(t.Name.Local); {
	case name == "form":
		action, err := p.url.Parse(at["action"])
		if err != nil {
			return nil
		}
		return &form{action: action.String(), method: strings.ToUpper(at["method"]), values: url.Values{}}
	case open != nil && at["name"] != "" && (name == "input" || name == "button"):
		if !open.values.Has(at["name"]) {
			open.values.Set(at["name"], at["value"])
		}
	}
	return open
}
