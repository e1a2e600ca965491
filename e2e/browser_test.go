//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// maxSteps is how many pages a sign-in may have before we call it a loop.
const maxSteps = 20

// browser is one person's browser without JavaScript: it keeps cookies, follows redirects and submits forms, and says where its
// requests come from as browsers do.
type browser struct {
	client *http.Client
	bridge string // the origin of Drawbridge
}

func newBrowser(b *bridge) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil { // only a bad public suffix list makes one
		jar = nil
	}
	return &browser{bridge: b.url, client: &http.Client{
		Jar: jar, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// page is an answer that was read to the end.
type page struct {
	url      *url.URL
	status   int
	location string
	text     string
}

// request is what a browser is about to send.
type request struct {
	method string
	target *url.URL
	form   url.Values // of a POST
	from   *url.URL   // the page it comes from; nil: typed in
}

func (r request) String() string { return r.method + " " + r.target.Redacted() }

// send sends one request.
func (b *browser) send(ctx context.Context, r request) (page, error) {
	body := io.Reader(http.NoBody)
	if r.method == http.MethodPost {
		body = strings.NewReader(r.form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.target.String(), body)
	if err != nil {
		return page{}, err
	}
	b.introduce(req, r)
	res, err := b.client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	return page{url: r.target, status: res.StatusCode, location: res.Header.Get("Location"), text: string(text)}, err
}

// introduce sets the headers by which a server tells its own pages from strangers' (Fetch Metadata, RFC 6454).
func (b *browser) introduce(req *http.Request, r request) {
	req.Header.Set("User-Agent", "e2e")
	site := "none"
	if r.from != nil {
		site = "cross-site"
		if r.from.Host == r.target.Host {
			site = "same-origin"
		}
	}
	req.Header.Set("Sec-Fetch-Site", site)
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	if r.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", r.from.Scheme+"://"+r.from.Host)
	}
}

// open returns the answer to a typed address of Drawbridge, without following it.
func (b *browser) open(t *testing.T, path string) page {
	t.Helper()
	target, err := url.Parse(b.bridge + path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.send(t.Context(), request{method: http.MethodGet, target: target})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// signIn signs a person in, from Drawbridge's own sign-in page to wherever it ends.
func (b *browser) signIn(ctx context.Context, who person) (page, error) {
	last, err := b.approach(ctx, who)
	if err != nil {
		return page{}, err
	}
	return b.arrive(ctx, last)
}

// approach goes as far as the provider's answer and returns the request that would carry it to Drawbridge.
func (b *browser) approach(ctx context.Context, who person) (request, error) {
	first, err := url.Parse(b.bridge + "/signin?return_to=%2Faccount")
	if err != nil {
		return request{}, err
	}
	next := request{method: http.MethodGet, target: first}
	for range maxSteps {
		if b.carriesAnswer(next) {
			return next, nil
		}
		answer, err := b.send(ctx, next)
		if err != nil {
			return request{}, err
		}
		if next, err = after(answer, who); err != nil {
			return request{}, err
		}
	}
	return request{}, errors.New("the sign-in goes round in circles")
}

// carriesAnswer reports whether a request brings a provider's answer to Drawbridge.
func (b *browser) carriesAnswer(r request) bool {
	ours := r.target.Scheme+"://"+r.target.Host == b.bridge
	return ours && (strings.HasSuffix(r.target.Path, "/acs") || strings.HasSuffix(r.target.Path, "/callback"))
}

// arrive sends the provider's answer and follows Drawbridge's redirects to the page at their end.
func (b *browser) arrive(ctx context.Context, last request) (page, error) {
	for range maxSteps {
		answer, err := b.send(ctx, last)
		if err != nil || answer.location == "" {
			return answer, err
		}
		if last, err = after(answer, person{}); err != nil {
			return answer, err
		}
	}
	return page{}, errors.New("the redirects go round in circles")
}

// after returns what a browser sends after a page: the redirect's target, or the page's first form filled in by the person.
func after(p page, who person) (request, error) {
	if p.location != "" {
		target, err := p.url.Parse(p.location)
		return request{method: http.MethodGet, target: target, from: p.url}, err
	}
	if p.status != http.StatusOK {
		return request{}, fmt.Errorf("%s answers %d: %s", p.url.Redacted(), p.status, p.text)
	}
	root, err := html.Parse(strings.NewReader(p.text))
	if err != nil {
		return request{}, err
	}
	form := find(root, "form")
	if form == nil {
		return request{}, fmt.Errorf("%s has no form: %s", p.url.Redacted(), p.text)
	}
	return submit(p, form, who)
}

// submit fills a form in and returns its request.
func submit(p page, form *html.Node, who person) (request, error) {
	values := url.Values{}
	for node := range form.Descendants() {
		name := attribute(node, "name")
		if node.Type != html.ElementNode || node.Data != "input" || name == "" || attribute(node, "type") == "submit" {
			continue
		}
		switch name {
		case "username": // of SimpleSAMLphp
			values.Set(name, who.Login)
		case "login": // of oidc-provider, which makes it the subject
			values.Set(name, who.Subject)
		case "password":
			values.Set(name, who.Password)
		case "email":
			values.Set(name, who.Email)
		default:
			values.Set(name, attribute(node, "value"))
		}
	}
	target, err := p.url.Parse(attribute(form, "action"))
	if err != nil {
		return request{}, err
	}
	return request{method: http.MethodPost, target: target, form: values, from: p.url}, nil
}

// find returns the first element with a name, or nil.
func find(root *html.Node, name string) *html.Node {
	for node := range root.Descendants() {
		if node.Type == html.ElementNode && node.Data == name {
			return node
		}
	}
	return nil
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
