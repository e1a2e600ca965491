package provisioning

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/template/parse"
	"time"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// The longest parts of a template, in bytes.
const (
	maxTemplateSubject = 300
	maxTemplateText    = 20 << 10
	maxTemplateHTML    = 60 << 10
)

func noTemplate(kind identity.MailTemplateKind) *identity.Error {
	e := identity.Errorf(identity.NotFound, "There is no mail %q whose words could be changed.", kind).WithField("kind")
	for _, k := range identity.MailTemplateKinds {
		e.Choices = append(e.Choices, string(k.Kind))
	}
	return e
}

func knownTemplate(kind identity.MailTemplateKind) error {
	for _, k := range identity.MailTemplateKinds {
		if k.Kind == kind {
			return nil
		}
	}
	return noTemplate(kind)
}

// MailTemplates returns the words of every mail as a tenant's people get them, and whose they are. Without a tenant: as people get them whose tenant changed nothing.
// It needs the right to manage the tenant's people; without a tenant, the platform.
func (s *Service) MailTemplates(ctx context.Context, by identity.Actor, tenant identity.TenantID) ([]identity.MailTemplate, error) {
	if !validIDs(&tenant) {
		return nil, noTenant()
	}
	var out []identity.MailTemplate
	err := s.db.View(ctx, func(tx *store.Tx) error {
		if _, err := s.keeps(ctx, tx, by, tenant); err != nil {
			return err
		}
		changed, err := tx.MailTemplates(ctx, tenant)
		if err != nil {
			return err
		}
		out = out[:0]
		for _, k := range identity.MailTemplateKinds {
			m, err := nearest(changed, k.Kind)
			if err != nil {
				return err
			}
			out = append(out, m)
		}
		return nil
	})
	return out, err
}

// nearest returns the first changed template of a kind, or the default.
func nearest(changed []identity.MailTemplate, kind identity.MailTemplateKind) (identity.MailTemplate, error) {
	if i := slices.IndexFunc(changed, func(m identity.MailTemplate) bool { return m.Kind == kind }); i >= 0 {
		return changed[i], nil
	}
	return defaultTemplate(kind)
}

// MailTemplate returns the words of one mail, as MailTemplates does; NotFound for a kind that there is not.
func (s *Service) MailTemplate(ctx context.Context, by identity.Actor, tenant identity.TenantID, kind identity.MailTemplateKind) (identity.MailTemplate, error) {
	if err := knownTemplate(kind); err != nil {
		return identity.MailTemplate{}, err
	}
	all, err := s.MailTemplates(ctx, by, tenant)
	if err != nil {
		return identity.MailTemplate{}, err
	}
	return nearest(all, kind)
}

// SetMailTemplate changes the words of a mail for a tenant's people, or for all whose tenant has none of its own. They are tried before they are kept: Invalid with
// the field "subject", "text" or "html" says what is wrong. A template has fields such as {{.Link}} and conditions; no loops, no functions, and in HTML nothing that
// runs or loads.
func (s *Service) SetMailTemplate(ctx context.Context, by identity.Actor, m identity.MailTemplate) error {
	return s.setMailTemplate(ctx, by, m, nil)
}

// ChangeMailTemplate is SetMailTemplate for somebody who had words before their eyes that were written at a time (the zero one: those that came with the program):
// Precondition where others are in force by now.
func (s *Service) ChangeMailTemplate(ctx context.Context, by identity.Actor, m identity.MailTemplate, seen time.Time) error {
	return s.setMailTemplate(ctx, by, m, &seen)
}

func (s *Service) setMailTemplate(ctx context.Context, by identity.Actor, m identity.MailTemplate, seen *time.Time) error {
	if !validIDs(&m.TenantID) {
		return noTenant()
	}
	m.Text, m.HTML = strings.ReplaceAll(m.Text, "\r\n", "\n"), strings.ReplaceAll(m.HTML, "\r\n", "\n")
	if _, err := tryTemplate(m); err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		t, err := s.keeps(ctx, tx, by, m.TenantID)
		if err != nil {
			return err
		}
		changed, err := tx.MailTemplates(ctx, m.TenantID)
		if err != nil {
			return err
		}
		before, err := nearest(changed, m.Kind)
		if err != nil {
			return err
		}
		if seen != nil && !seen.Equal(before.UpdatedAt) {
			return stale()
		}
		m.UpdatedBy = by.Label
		if err := tx.PutMailTemplate(ctx, m); err != nil {
			return err
		}
		e := aboutTemplate(by, identity.MailTemplateSet, t, m.Kind)
		for _, c := range []identity.Change{{Field: "subject", Before: before.Subject, After: m.Subject}, {Field: "text", Before: before.Text, After: m.Text}, {Field: "html", Before: before.HTML, After: m.HTML}} {
			if c.Before != c.After {
				e.Changes = append(e.Changes, c)
			}
		}
		return tx.InsertEvent(ctx, e)
	})
}

// ResetMailTemplate takes the changed words of a mail back: a tenant's people get the installation's then, and the others those that came with the program. NotFound
// when they were not changed.
func (s *Service) ResetMailTemplate(ctx context.Context, by identity.Actor, tenant identity.TenantID, kind identity.MailTemplateKind) error {
	if err := knownTemplate(kind); err != nil {
		return err
	}
	if !validIDs(&tenant) {
		return noTenant()
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		t, err := s.keeps(ctx, tx, by, tenant)
		if err != nil {
			return err
		}
		was, err := tx.DeleteMailTemplate(ctx, tenant, kind)
		if err == nil && !was {
			err = identity.Errorf(identity.NotFound, "The words of this mail were not changed here.").WithField("kind")
		}
		if err != nil {
			return err
		}
		return tx.InsertEvent(ctx, aboutTemplate(by, identity.MailTemplateReset, t, kind))
	})
}

func aboutTemplate(by identity.Actor, what identity.EventType, t identity.Tenant, kind identity.MailTemplateKind) identity.Event {
	e := event(by, what)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = t.ID, "mail template", string(kind), string(kind)
	return e
}

// PreviewMailTemplate returns a mail as it would look with invented people. Without a text it is the one in force.
func (s *Service) PreviewMailTemplate(ctx context.Context, by identity.Actor, m identity.MailTemplate) (identity.Mail, error) {
	now, err := s.MailTemplate(ctx, by, m.TenantID, m.Kind)
	if err != nil {
		return identity.Mail{}, err
	}
	if m.Text == "" && m.Subject == "" && m.HTML == "" {
		m = now
	}
	return tryTemplate(m)
}

// sample is the letter of a preview.
func sample(kind identity.MailTemplateKind) letter {
	l := letter{
		Product: product, Tenant: "Example Ltd", Name: "Ada", Email: "ada@example.com", UserName: "ada@example.com", By: "Grace Hopper",
		Message: "We start on Monday.", Link: "https://id.example.com/link/example", Button: "Continue", Until: "5 June 2030, 14:00 UTC",
		OldEmail: "ada@example.com", NewEmail: "ada@new.example", Advice: "Your organisation signs you in.",
	}
	if kind == identity.MailPassword {
		l.Password = "correct-horse-7"
	}
	return l
}

// tryTemplate checks a template and returns what it makes.
func tryTemplate(m identity.MailTemplate) (identity.Mail, error) {
	if err := knownTemplate(m.Kind); err != nil {
		return identity.Mail{}, err
	}
	l := sample(m.Kind)
	for _, part := range []struct {
		field, words string
		most         int
		html, needed bool
	}{{"subject", m.Subject, maxTemplateSubject, false, true}, {"text", m.Text, maxTemplateText, false, true}, {"html", m.HTML, maxTemplateHTML, true, false}} {
		if part.needed && strings.TrimSpace(part.words) == "" {
			return identity.Mail{}, badTemplate(part.field, "It is empty: every mail needs a subject and a text.")
		}
		if err := checkTemplate(part.field, part.words, part.most, part.html); err != nil {
			return identity.Mail{}, err
		}
	}
	if strings.ContainsAny(m.Subject, "\r\n") {
		return identity.Mail{}, badTemplate("subject", "A subject is one line.")
	}
	if _, err := fillHTML(m.HTML, l); err != nil {
		return identity.Mail{}, badTemplate("html", "It does not fit together: "+plainTemplateError(err))
	}
	out, err := render(m, l)
	if err != nil {
		return out, badTemplate("text", "It makes no mail: "+plainTemplateError(err))
	}
	if !keepsPromise(m.Kind, out, l) {
		return out, badTemplate("text", "It lacks what the mail is sent for: "+map[bool]string{true: "{{.Password}}", false: "{{.Link}}"}[m.Kind == identity.MailPassword]+".")
	}
	return out, tryBare(m, l)
}

// tryBare tries a template where little is known, so that the other side of each condition is tried too.
func tryBare(m identity.MailTemplate, l letter) error {
	bare := letter{Product: l.Product, Tenant: l.Tenant, Email: l.Email, By: l.By, UserName: l.UserName, Link: l.Link, Password: l.Password, OldEmail: l.OldEmail, NewEmail: l.NewEmail}
	out, err := render(m, bare)
	if err != nil {
		return badTemplate("text", "It makes no mail to somebody whose name is not known: "+plainTemplateError(err))
	}
	if !keepsPromise(m.Kind, out, bare) {
		return badTemplate("text", "Somebody whose name is not known gets a mail without what it is sent for; take it out of the condition.")
	}
	if m.Kind != identity.MailReset && m.Kind != identity.MailRegistration {
		return nil
	}
	bare.Link, bare.Advice = "", l.Advice
	if out, err = render(m, bare); err != nil || !strings.Contains(out.Text, l.Advice) {
		return badTemplate("text", "Where there is no link, the mail must say what to do instead: write {{if .Link}} … {{else}}{{.Advice}}{{end}}.")
	}
	return nil
}

func badTemplate(field, message string) *identity.Error {
	return identity.Errorf(identity.Invalid, "%s", message).WithField(field).WithCode("template")
}

// plainTemplateError takes Go's own words off the front of an error.
func plainTemplateError(err error) string {
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "html/"), "template: mail:")
}

// templateWords are what a template may call, as the parser wants them.
var templateWords = map[string]any{"and": nil, "or": nil, "not": nil, "eq": nil, "ne": nil}

// checkTemplate refuses a template that is more than texts, fields and conditions.
func checkTemplate(field, words string, most int, html bool) error {
	if len(words) > most {
		return identity.Errorf(identity.TooLarge, "It has %d bytes; it may have %d at most.", len(words), most).WithField(field)
	}
	if !utf8.ValidString(words) || strings.ContainsRune(words, 0) {
		return badTemplate(field, "It is no valid text (UTF-8).")
	}
	trees, err := parse.Parse("mail", words, "{{", "}}", templateWords)
	if err != nil {
		return badTemplate(field, "It cannot be read: "+plainTemplateError(err))
	}
	if len(trees) > 1 {
		return badTemplate(field, "It defines other templates; a mail is one.")
	}
	if tree := trees["mail"]; tree != nil && tree.Root != nil {
		if why := refuseNode(tree.Root, 0); why != "" {
			return badTemplate(field, why)
		}
	}
	if html {
		return checkMarkup(words)
	}
	return nil
}

// letterFields are what a template may speak of.
var letterFields = func() (names []string) {
	for f := range reflect.TypeFor[letter]().NumField() {
		names = append(names, reflect.TypeFor[letter]().Field(f).Name)
	}
	return names
}()

const maxConditions = 20 // inside each other

// refuseNode says what of a template is not allowed, or "".
func refuseNode(n parse.Node, depth int) string {
	switch n := n.(type) {
	case nil, *parse.TextNode, *parse.StringNode, *parse.BoolNode, *parse.CommentNode, *parse.IdentifierNode:
		return ""
	case *parse.ListNode:
		if n == nil {
			return ""
		}
		return refuseNodes(n.Nodes, depth)
	case *parse.ActionNode:
		return refuseNode(n.Pipe, depth)
	case *parse.IfNode:
		if depth > maxConditions {
			return fmt.Sprintf("More than %d conditions are inside each other.", maxConditions)
		}
		return cmp.Or(refuseNode(n.Pipe, depth), refuseNode(n.List, depth+1), refuseNode(n.ElseList, depth+1))
	case *parse.PipeNode:
		if len(n.Decl) > 0 {
			return "It has a variable; only fields and conditions are known here."
		}
		for _, c := range n.Cmds {
			if why := refuseNodes(c.Args, depth); why != "" {
				return why
			}
		}
		return ""
	case *parse.FieldNode:
		if len(n.Ident) != 1 || !slices.Contains(letterFields, n.Ident[0]) {
			return fmt.Sprintf("There is no %s here; there are .%s.", n, strings.Join(letterFields, ", ."))
		}
		return ""
	}
	return fmt.Sprintf("%s cannot stand here; only fields such as {{.Link}} and conditions {{if .Name}} … {{else}} … {{end}} can.", n)
}

func refuseNodes(nodes []parse.Node, depth int) string {
	for _, n := range nodes {
		if why := refuseNode(n, depth); why != "" {
			return why
		}
	}
	return ""
}

// A tag of a mail: a name and attributes in double quotes. Everything else with a < is refused, so that nothing has to be understood the way that each mail program does.
var (
	anyTag    = regexp.MustCompile(`<[^>]*>?`)
	goodTag   = regexp.MustCompile(`^</?([a-z][a-z0-9]*)((?:\s+[a-z]+="[^"<>]*")*)\s*/?>$`)
	attribute = regexp.MustCompile(`([a-z]+)="([^"<>]*)"`)
	goodLink  = regexp.MustCompile(`^(https://|mailto:)[^\s\\]*$`)
	goodStyle = regexp.MustCompile(`^[a-zA-Z0-9 #%.,:;!_-]*$`)
	goodTags  = strings.Fields("a b blockquote br code div em h1 h2 h3 hr i img li ol p pre small span strong table tbody td th thead tr u ul")
)

// checkMarkup refuses HTML that could run or load something, or that is not written plainly.
func checkMarkup(words string) error {
	for _, tag := range anyTag.FindAllString(words, -1) {
		parts := goodTag.FindStringSubmatch(tag)
		if parts == nil || !slices.Contains(goodTags, parts[1]) {
			return badTemplate("html", fmt.Sprintf("%q cannot stand here. Known are %s, with attributes in double quotes; no scripts, styles, forms or comments.", short(tag), strings.Join(goodTags, ", ")))
		}
		for _, a := range attribute.FindAllStringSubmatch(parts[2], -1) {
			if !goodAttribute(parts[1], a[1], a[2]) {
				return badTemplate("html", fmt.Sprintf("%q cannot stand here: links begin with https:// or mailto: or are {{.Link}}, and a style has no addresses.", short(a[0])))
			}
		}
	}
	return nil
}

func goodAttribute(tag, name, value string) bool {
	switch name {
	case "href":
		return tag == "a" && (value == "{{.Link}}" || goodLink.MatchString(value) && !strings.Contains(value, "{{"))
	case "src":
		return tag == "img" && strings.HasPrefix(value, "https://") && goodLink.MatchString(value) && !strings.Contains(value, "{{")
	case "style":
		return goodStyle.MatchString(value) && !strings.Contains(strings.ToLower(value), "url")
	case "class", "align", "alt", "title", "width", "height", "lang", "dir", "role":
		return true
	}
	return false
}

// short cuts what stands in a message.
func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
