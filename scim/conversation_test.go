package scim

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

var update = flag.Bool("update", false, "write the answers of the server into the conversations")

// turn is one request of a conversation with its answer. See testdata/README.md for the format.
type turn struct {
	title   string
	line    string // method, path, and perhaps "as NAME"
	headers []string
	body    string
	answer  string
}

var (
	titleLine  = regexp.MustCompile(`(?m)^-- (.+) --$`)
	statusLine = regexp.MustCompile(`(?m)^[1-5]\d\d$`)
	uuids      = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	times      = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`)
	cursors    = regexp.MustCompile(`("nextCursor": )"([^"]+)"`)
	variables  = regexp.MustCompile(`\{\{([^}]+)\}\}`)
)

// readConversation splits a file into its introduction and its turns.
func readConversation(text string) (intro string, turns []turn, err error) {
	at := titleLine.FindAllStringSubmatchIndex(text, -1)
	if len(at) == 0 {
		return "", nil, fmt.Errorf("no turn: a turn starts with -- what happens --")
	}
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		t := turn{title: text[m[2]:m[3]]}
		request := strings.Trim(text[m[1]:end], "\n")
		if s := statusLine.FindStringIndex(request); s != nil {
			request, t.answer = request[:s[0]], strings.TrimSpace(request[s[0]:])
		}
		head, body, _ := strings.Cut(strings.TrimSpace(request)+"\n", "\n{")
		if t.line, head, _ = strings.Cut(head, "\n"); body != "" {
			t.body = "{" + strings.TrimRight(body, "\n")
		}
		for _, h := range strings.Split(strings.TrimSpace(head), "\n") {
			if name, value, ok := strings.Cut(h, ":"); ok {
				t.headers = append(t.headers, name, strings.TrimSpace(value))
			}
		}
		turns = append(turns, t)
	}
	return text[:at[0][0]], turns, nil
}

// talk is a conversation in progress: what was captured, and the names that it got.
type talk struct {
	c      *client
	values map[string]string // by name
	names  map[string]string // by value
}

// expand puts captured values in the place of their names.
func (k *talk) expand(s string) string {
	return variables.ReplaceAllStringFunc(s, func(v string) string {
		if value, ok := k.values[v[2:len(v)-2]]; ok {
			return value
		}
		return v
	})
}

func (k *talk) capture(value, name string) string {
	if known, ok := k.names[value]; ok {
		return "{{" + known + "}}"
	}
	if name == "" || k.values[name] != "" {
		name = fmt.Sprintf("id %d", len(k.values)+1)
	}
	k.values[name], k.names[value] = value, name
	return "{{" + name + "}}"
}

// address encodes the values of a path's query, which the files have in plain text.
func address(path string) string {
	path, query, ok := strings.Cut(path, "?")
	if !ok {
		return path
	}
	parts := strings.Split(query, "&")
	for i, p := range parts {
		if name, value, ok := strings.Cut(p, "="); ok {
			parts[i] = name + "=" + url.QueryEscape(value)
		}
	}
	return path + "?" + strings.Join(parts, "&")
}

// play sends a turn and returns the answer as the file should have it.
func (k *talk) play(t turn) (string, error) {
	line, name, _ := strings.Cut(t.line, " as ")
	method, path, ok := strings.Cut(line, " ")
	if !ok {
		return "", fmt.Errorf("%q is no request line", t.line)
	}
	headers := make([]string, len(t.headers))
	for i, h := range t.headers {
		headers[i] = k.expand(h)
	}
	r, err := k.c.send(method, address(k.expand(path)), []byte(k.expand(t.body)), headers...)
	if err != nil {
		return "", err
	}
	return k.mask(r, name), nil
}

// mask renders an answer with everything that differs from run to run masked or captured.
func (k *talk) mask(r reply, name string) string {
	var b strings.Builder
	fmt.Fprintln(&b, r.status)
	for _, h := range []string{"Location", "ETag", "Allow", "WWW-Authenticate", "Retry-After"} {
		if v := r.header.Get(h); v != "" {
			fmt.Fprintf(&b, "%s: %s\n", h, v)
		}
	}
	if r.object != nil {
		var pretty bytes.Buffer
		enc := json.NewEncoder(&pretty)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if enc.Encode(r.object) == nil {
			b.Write(pretty.Bytes())
		}
	} else {
		b.Write(r.raw)
	}
	s := strings.ReplaceAll(b.String(), k.c.base, "{{base}}")
	s = uuids.ReplaceAllStringFunc(s, func(id string) string { return k.capture(id, name) })
	s = cursors.ReplaceAllStringFunc(s, func(m string) string {
		v := cursors.FindStringSubmatch(m)
		k.values["cursor"] = v[2]
		return v[1] + `"{{cursor}}"`
	})
	return strings.TrimSpace(times.ReplaceAllString(s, "{{time}}"))
}

// render writes a turn as its file has it.
func (t turn) render(answer string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- %s --\n%s\n", t.title, t.line)
	for i := 0; i < len(t.headers); i += 2 {
		b.WriteString(strings.TrimSpace(t.headers[i]+": "+t.headers[i+1]) + "\n")
	}
	if t.body != "" {
		b.WriteString(t.body + "\n")
	}
	fmt.Fprintf(&b, "\n%s\n\n", answer)
	return b.String()
}

func TestConversationsGoAsTheFilesSay(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	storetest.EachURL(t, func(t *testing.T, url string) {
		b := newBridge(t, storetest.Open(t, url))
		for _, file := range files {
			name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/"), ".txt")
			t.Run(name, func(t *testing.T) {
				dialect, _, _ := strings.Cut(name, "/")
				c := b.client(t, name, identity.Dialect(dialect))
				before := func() {}
				if strings.HasSuffix(name, "/bursts") {
					b.guardTwo(t, c)
					before = func() { // everybody has been there for long
						storetest.Exec(t, url, `UPDATE directory_users SET created_at = '2020-01-01 00:00:00+00:00' WHERE created_at > '2021-01-01 00:00:00+00:00'`)
					}
				}
				converse(t, c, file, before)
			})
		}
	})
}

// guardTwo lets a directory keep out two people an hour.
func (b *bridge) guardTwo(t *testing.T, c *client) {
	t.Helper()
	_, err := b.people.UpdateDirectory(t.Context(), identity.Operator(), c.directory.ID, func(d *identity.Directory) error {
		d.Guard.Most = 2
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func converse(t *testing.T, c *client, file string, before func()) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	intro, turns, err := readConversation(string(text))
	if err != nil {
		t.Fatal(err)
	}
	k := &talk{c: c, values: map[string]string{}, names: map[string]string{}}
	out := intro
	for _, turn := range turns {
		before()
		got, err := k.play(turn)
		if err != nil {
			t.Fatalf("%s: %v", turn.title, err)
		}
		if diff := cmp.Diff(turn.answer, got); diff != "" && !*update {
			t.Fatalf("%s: the answer is not the one of the file (-want +got), run with -update if it should be:\n%s", turn.title, diff)
		}
		out += turn.render(got)
	}
	if *update && strings.Contains(t.Name(), "/sqlite/") {
		if err := os.WriteFile(file, []byte(strings.TrimRight(out, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
