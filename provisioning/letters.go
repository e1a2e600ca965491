package provisioning

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"strings"
	"text/template"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// letter is all that the words of a mail may speak of. Each field is a text, empty where the mail has no such thing.
type letter struct {
	Product  string // what the mail calls us
	Tenant   string // the organisation that it is about
	Name     string // of the recipient
	Email    string // where it goes
	UserName string
	By       string // who caused it
	Message  string // what that person wrote
	Link     string // what the button opens
	Button   string // its caption
	Until    string // when the link ends
	Password string // a temporary one
	OldEmail string
	NewEmail string
	Advice   string // what to do where there is no link
}

// product is what mails call us.
const product = "Drawbridge"

// maxLetter is the longest mail in bytes that templates may come to: they have no loops, so only long texts in many places make one.
const maxLetter = 256 << 10

// page is the frame of every mail in HTML. Mail programs know little: few rules, no pictures, nothing from elsewhere.
const (
	pageHead = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>
body{margin:0;padding:24px;background:#f4f4f1;color:#1d1d1b;font:16px/1.5 -apple-system,"Segoe UI",Roboto,sans-serif}
main{display:block;max-width:560px;margin:0 auto;padding:24px 28px;background:#fff;border-radius:8px}
a{color:#0b5c8a}a.button{display:inline-block;padding:10px 18px;border-radius:6px;background:#0b5c8a;color:#fff;text-decoration:none}
blockquote{margin:16px 0;padding:0 0 0 12px;border-left:3px solid #ccc}.small{color:#666;font-size:14px}
</style></head><body><main>
`
	pageFoot = "</main></body></html>\n"
)

//go:embed letters
var letterFiles embed.FS

// defaultTemplate returns the words of a mail that came with the program.
func defaultTemplate(kind identity.MailTemplateKind) (identity.MailTemplate, error) {
	text, err := letterFiles.ReadFile("letters/" + string(kind) + ".txt")
	if err != nil {
		return identity.MailTemplate{}, noTemplate(kind)
	}
	html, err := letterFiles.ReadFile("letters/" + string(kind) + ".html")
	subject, rest, _ := strings.Cut(string(text), "\n")
	return identity.MailTemplate{
		Kind: kind, Source: identity.TemplateDefault, Subject: strings.TrimPrefix(subject, "Subject: "), Text: strings.TrimPrefix(rest, "\n"), HTML: string(html),
	}, err
}

// render makes a mail of a template.
func render(m identity.MailTemplate, l letter) (identity.Mail, error) {
	subject, err := fillText(m.Subject, l)
	if err != nil {
		return identity.Mail{}, err
	}
	text, err := fillText(m.Text, l)
	if err != nil {
		return identity.Mail{}, err
	}
	html, err := fillHTML(m.HTML, l)
	out := identity.Mail{To: l.Email, Subject: oneLine(subject), Text: strings.TrimSpace(text) + "\n", HTML: html, Kind: string(m.Kind)}
	return out, errors.Join(err, out.Check())
}

func fillText(words string, l letter) (string, error) {
	t, err := template.New("mail").Parse(words)
	if err != nil {
		return "", err
	}
	var b capped
	err = t.Execute(&b, l)
	return b.String(), err
}

func fillHTML(words string, l letter) (string, error) {
	if strings.TrimSpace(words) == "" {
		return "", nil
	}
	t, err := htmltemplate.New("mail").Parse(words)
	if err != nil {
		return "", err
	}
	var b capped
	if err := t.Execute(&b, l); err != nil {
		return "", err
	}
	return pageHead + b.String() + pageFoot, nil
}

// capped takes what a template writes, as far as a mail may go.
type capped struct{ bytes.Buffer }

// Write implements io.Writer.
func (c *capped) Write(p []byte) (int, error) {
	if c.Len()+len(p) > maxLetter {
		return 0, fmt.Errorf("the mail would have more than %d bytes", maxLetter)
	}
	return c.Buffer.Write(p)
}

// compose writes a mail with the nearest words that work: the tenant's, the installation's, or those that came with the program. What a template that was
// right once makes of today's fields must not keep anybody from a mail.
func (s *Service) compose(ctx context.Context, tx *store.Tx, kind identity.MailTemplateKind, tenant identity.TenantID, l letter) (identity.Mail, error) {
	changed, err := tx.MailTemplates(ctx, tenant)
	if err != nil {
		return identity.Mail{}, err
	}
	l.Product = product
	if l.Tenant == "" {
		l.Tenant = product
	}
	for _, m := range changed {
		if m.Kind != kind {
			continue
		}
		if out, err := render(m, l); err == nil && keepsPromise(kind, out, l) {
			return out, nil
		}
	}
	m, err := defaultTemplate(kind)
	if err != nil {
		return identity.Mail{}, err
	}
	return render(m, l)
}

// keepsPromise reports whether a mail has what it is sent for.
func keepsPromise(kind identity.MailTemplateKind, m identity.Mail, l letter) bool {
	promised := l.Link
	if kind == identity.MailPassword {
		promised = l.Password
	}
	if promised == "" {
		promised = l.Advice
	}
	return strings.Contains(m.Text, promised)
}

// untilText writes a time for a mail.
func untilText(at time.Time) string { return at.UTC().Format("2 January 2006, 15:04 UTC") }

// greeting returns what a mail calls a person; empty where nothing but an address is known.
func greeting(u identity.User) string {
	if given := u.Name().GivenName; given != "" {
		return oneLine(given)
	}
	if u.DisplayName == u.UserName || u.DisplayName == u.Email() {
		return ""
	}
	return oneLine(u.DisplayName)
}

// sender returns what a mail calls whoever caused it.
func sender(by identity.Actor) string {
	if by.Kind == identity.ActorUser && by.Label != "" {
		return oneLine(by.Label)
	}
	return "Your administrator"
}
