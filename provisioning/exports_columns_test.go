package provisioning_test

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// exportColumns are the three exports with some columns.
func exportColumns(h *house, by identity.Actor, columns []string, f sheets.Format) map[string]func(out io.Writer) (provisioning.Export, error) {
	return map[string]func(out io.Writer) (provisioning.Export, error){
		"users": func(out io.Writer) (provisioning.Export, error) {
			return h.ExportUsers(h.ctx, by, provisioning.ExportQuery{Columns: columns}, f, out)
		},
		"audit": func(out io.Writer) (provisioning.Export, error) {
			return h.ExportEvents(h.ctx, by, provisioning.EventExport{Columns: columns}, f, out)
		},
		"access": func(out io.Writer) (provisioning.Export, error) {
			return h.ExportAccess(h.ctx, by, provisioning.AccessQuery{Columns: columns}, f, out)
		},
	}
}

func TestAnExportHasTheColumnsThatAreChosen(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		h.bring(provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"}, "email,displayName,employeeNumber", `ada@acme.test,"=cmd|' /C calc'!A0",7`)
		h.bring(provisioning.ImportOptions{Tenant: beta.ID, Source: "hr"}, "email,displayName", "bob@beta.test,Bob")
		t.Run("FSM-53 people, in the order that is asked for, whatever the case of a name", func(t *testing.T) {
			content, _ := h.export(provisioning.ExportQuery{Query: identity.Query{Tenant: acme.ID}, Columns: []string{"employeeNumber", "EMAIL", "displayName"}}, sheets.CSV)
			if want := "\ufeffemployeeNumber,email,displayName\r\n7,ada@acme.test,'=cmd|' /C calc'!A0\r\n"; string(content) != want {
				t.Errorf("%q", content)
			}
			content, _ = h.export(provisioning.ExportQuery{Query: identity.Query{Tenant: acme.ID}, Columns: []string{"email"}}, sheets.JSON)
			if want := "{\"email\":\"ada@acme.test\"}\n"; string(content) != want {
				t.Errorf("%q", content)
			}
		})
		for row, chosen := range map[string]struct {
			what, heading string
			columns       []string
		}{
			"FC-70 the audit":         {"audit", "\ufeffactor,type,at\r\n", []string{"actor", "type", "at"}},
			"FSM-55 who holds what":   {"access", "\ufeffrole,person\r\n", []string{"role", "person"}},
			"FSM-52 people as a list": {"users", "\ufeffstate,userName\r\n", []string{"state", "userName"}},
		} {
			t.Run(row+" with chosen columns", func(t *testing.T) {
				var b bytes.Buffer
				x, err := exportColumns(h, h.op, chosen.columns, sheets.CSV)[chosen.what](&b)
				if err != nil || !strings.HasPrefix(b.String(), chosen.heading) || x.Rows == 0 {
					t.Errorf("%v %.200q", err, b.String())
				}
			})
			t.Run(row+": a column that is not there is answered with the list, and nothing leaves", func(t *testing.T) {
				for _, bad := range [][]string{{"shoe size"}, {chosen.columns[0], chosen.columns[0]}} {
					var b bytes.Buffer
					_, err := exportColumns(h, h.op, bad, sheets.CSV)[chosen.what](&b)
					wantKind(t, err, identity.Invalid, "")
					if b.Len() > 0 || len(bad) == 1 && !strings.Contains(err.Error(), chosen.columns[1]) {
						t.Errorf("%v: %q", err, b.String())
					}
				}
			})
		}
		t.Run("FSM-52 FSM-55 FC-70 somebody of a tenant takes out that tenant alone", func(t *testing.T) {
			boss := h.as(must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("boss@acme.test"), acme.ID), Role: "administrator"})).ID)
			for what, write := range exportColumns(h, boss, nil, sheets.JSON) {
				var b bytes.Buffer
				if _, err := write(&b); err != nil {
					t.Errorf("%s: %v", what, err)
				}
				if strings.Contains(b.String(), "beta") || strings.Contains(b.String(), "Beta") {
					t.Errorf("%s has people of another tenant: %s", what, b.String())
				}
			}
		})
	})
}

// heapWatch is a writer that counts, and looks now and then how much memory is in use.
type heapWatch struct{ written, next, most uint64 }

func (w *heapWatch) Write(p []byte) (int, error) {
	if w.written += uint64(len(p)); w.written >= w.next {
		w.next = w.written + 256<<10
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.most = max(w.most, m.HeapAlloc)
	}
	return len(p), nil
}

func TestAnExportIsStreamed(t *testing.T) {
	h := houseOn(t, transformHouse(t).db, "etlworks")
	acme := h.tenant("Acme")
	bring := func(from, to int) {
		lines := []string{"email,displayName,title"}
		for i := from; i < to; i++ {
			lines = append(lines, "p"+strings.Repeat("x", i%7)+itoaExport(i)+"@acme.test,Somebody,"+strings.Repeat("long title ", 30))
		}
		h.bring(provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"}, lines...)
	}
	most := func() uint64 {
		var w heapWatch
		if _, err := h.ExportUsers(h.ctx, h.op, provisioning.ExportQuery{Query: identity.Query{Tenant: acme.ID}}, sheets.CSV, &w); err != nil {
			t.Fatal(err)
		}
		return w.most
	}
	bring(0, 1000)
	few := most()
	bring(1000, 6000)
	t.Run("FSM-52 six times as many people take no more memory", func(t *testing.T) {
		if many := most(); many > few+2<<20 {
			t.Errorf("%d bytes in use with 6,000 people, %d with 1,000", many, few)
		}
	})
}

func itoaExport(n int) string {
	return string(rune('a'+n/676%26)) + string(rune('a'+n/26%26)) + string(rune('a'+n%26))
}
