package provisioning_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// transformed are import options with transforms.
func transformed(list ...identity.Transform) provisioning.ImportOptions {
	return provisioning.ImportOptions{PlanOptions: identity.PlanOptions{Transforms: list}}
}

// transformHouse is a house for what no database says otherwise about.
func transformHouse(t *testing.T) *house {
	t.Helper()
	return houseOn(t, storetest.SQLite(t), "etlworks")
}

func transform(field string, kind identity.TransformKind, args ...string) identity.Transform {
	return identity.Transform{Field: field, Kind: kind, Args: args}
}

func TestValuesAreTransformedOnTheirWayFromAFile(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		t.Run("FSM-49 each kind of transform, one after the other, also into fields without a column", func(t *testing.T) {
			o := transformed(
				transform("email", identity.TransformTrim, ".;"),
				transform("email", identity.TransformLower),
				transform("givenName", identity.TransformTitle),
				transform("familyName", identity.TransformUpper),
				transform("displayName", identity.TransformJoin, " ", "Vorname", "familyName"),
				transform("title", identity.TransformMap, "mgr=Manager", "=Staff"),
				transform("phone", identity.TransformReplace, "0049", "+49"),
				transform("role", identity.TransformConstant, "viewer"),
				transform("employeeNumber", identity.TransformDefault, "unknown"),
			)
			p := must[provisioning.ImportPreview](t)(h.PreviewImport(h.ctx, h.op, file("E-Mail,Vorname,Nachname,Titel,Telefon,Personalnummer,Passwort", " ;ADA@Acme.Test.,jean-luc o'NEILL, van der berg,MGR,0049 1,,s3cret", "bob@acme.test,bob,,,,7,"),
				withColumn(o, "Titel", "title")))
			if p.Refused != nil || len(p.Rows) != 2 || p.More {
				t.Fatalf("%+v", p)
			}
			for field, want := range map[string]string{
				"email": "ada@acme.test", "givenName": "Jean-Luc O'Neill", "familyName": "VAN DER BERG", "displayName": "Jean-Luc O'Neill VAN DER BERG",
				"title": "Manager", "phone": "+49 1", "role": "viewer", "employeeNumber": "unknown",
			} {
				if got := p.Rows[0].Fields[field]; got != want {
					t.Errorf("%s is %q, want %q", field, got, want)
				}
			}
			if r := p.Rows[1]; r.Fields["title"] != "Staff" || r.Fields["displayName"] != "Bob" || r.Fields["employeeNumber"] != "7" || r.Error != nil {
				t.Errorf("%+v", r)
			}
			if raw := strings.Join(p.Rows[0].Cells, "|"); !strings.Contains(raw, "jean-luc o'NEILL") || strings.Contains(raw, "s3cret") || p.Rows[0].Fields["password"] != "" {
				t.Error(raw, p.Rows[0].Fields)
			}
		})
		t.Run("FSM-49 the transforms of a plan that was carried out are those of the next file of its source", func(t *testing.T) {
			o := transformed(transform("displayName", identity.TransformUpper))
			home := h.tenant("Acme")
			o.Tenant, o.Source = home.ID, "hr"
			h.bring(o, "email,displayName", "ada@acme.test,Ada")
			h.bring(provisioning.ImportOptions{Tenant: home.ID, Source: "hr"}, "email,displayName", "bob@acme.test,Bob")
			if name := h.known("bob@acme.test").DisplayName; name != "BOB" {
				t.Error(name)
			}
		})
		t.Run("FSM-49 somebody may be known by what was joined", func(t *testing.T) {
			o := transformed(transform("email", identity.TransformJoin, "@", "Kuerzel", "Haus"))
			o.Tenant = h.tenant("Beta").ID
			p := h.plan(o, "Kuerzel,Haus", "cid,acme.test")
			h.wantSteps(t, p.ID, "2 create open cid@acme.test")
		})
	})
}

// withColumn says what a column is.
func withColumn(o provisioning.ImportOptions, heading, field string) provisioning.ImportOptions {
	o.Mapping = identity.Mapping{heading: field}
	return o
}

func TestDatesAreReadInTheFormsThatPeopleWrite(t *testing.T) {
	h := transformHouse(t)
	for _, c := range []struct{ form, value, want string }{
		{"DD.MM.YYYY", "31.01.2026", "2026-01-31"},
		{"DD.MM.YYYY", "1.2.2026", "2026-02-01"},
		{"dd.MM.yyyy", "01.02.2026", "2026-02-01"},
		{"TT.MM.JJJJ", "01.02.2026", "2026-02-01"},
		{"MM/DD/YYYY", "1/31/2026", "2026-01-31"},
		{"D-MMM-YY", "3-Feb-26", "2026-02-03"},
		{"YYYYMMDD", "20260203", "2026-02-03"},
		{"YYYY-MM-DDTHH:MM:SS", "2026-02-03T04:05:06", "2026-02-03"},
		{"02.01.2006", "03.02.2026", "2026-02-03"},
		{"January 2, 2006", "February 3, 2026", "2026-02-03"},
		{"iso", "2026-02-03T23:00:00-05:00", "2026-02-03"},
		{"excel", "46056", "2026-02-03"},
		{"excel", "46056.75", "2026-02-03"},
		{"excel", "1", "1900-01-01"},
		{"DD.MM.YYYY", "", ""},
	} {
		p := must[provisioning.ImportPreview](t)(h.PreviewImport(h.ctx, h.op, file("email,title", "ada@acme.test,\""+c.value+"\""), transformed(transform("title", identity.TransformDate, c.form))))
		if got := p.Rows[0]; got.Error != nil || got.Fields["title"] != c.want {
			t.Errorf("%s %s: %q, %v", c.form, c.value, got.Fields["title"], got.Error)
		}
	}
	for _, c := range []struct{ form, value string }{
		{"DD.MM.YYYY", "31.02.2026"},
		{"DD.MM.YYYY", "2026-01-31"},
		{"DD.MM.YYYY", "46056"},
		{"MM/DD/YYYY", "31/01/2026"},
		{"YYYYMMDD", "2026021"},
		{"excel", "60"},
		{"excel", "soon"},
	} {
		p := h.plan(transformed(transform("title", identity.TransformDate, c.form)), "email,title", "ada@acme.test,\""+c.value+"\"")
		if got := h.steps(p.ID); len(got) != 1 || !strings.HasPrefix(got[0], "2 error none ada@acme.test: title: title is ") {
			t.Errorf("%s %s: %v", c.form, c.value, got)
		}
	}
}

// transformBook is a workbook as a spreadsheet writes it, with the rows of its only sheet.
func transformBook(t *testing.T, rows string) []byte {
	t.Helper()
	const of = "http://schemas.openxmlformats.org/"
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	for name, content := range map[string]string{
		"[Content_Types].xml":        `<Types xmlns="` + of + `package/2006/content-types"/>`,
		"_rels/.rels":                `<Relationships xmlns="` + of + `package/2006/relationships"><Relationship Id="rId1" Type="` + of + `officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<workbook xmlns="` + of + `spreadsheetml/2006/main" xmlns:r="` + of + `officeDocument/2006/relationships"><sheets><sheet name="HR" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships xmlns="` + of + `package/2006/relationships"><Relationship Id="rId1" Type="` + of + `officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   `<worksheet xmlns="` + of + `spreadsheetml/2006/main"><sheetData>` + rows + `</sheetData></worksheet>`,
	} {
		w, err := out.Create(name)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestADateOfAWorkbookIsANumber(t *testing.T) {
	h := transformHouse(t)
	book := transformBook(t, `<row r="1"><c t="str"><v>email</v></c><c t="str"><v>title</v></c></row>
		<row r="2"><c r="A2" t="str"><v>ada@acme.test</v></c><c r="B2"><v>46056</v></c></row>
		<row r="3"><c r="A3" t="str"><v>bob@acme.test</v></c><c r="B3" t="str"><v>03.02.2026</v></c></row>
		<row r="5"><c r="A5" t="str"><v>cid@acme.test</v></c><c r="B5"><f>TODAY()</f></c></row>
		<row r="6"><c r="A6" t="str"><v>dan@acme.test</v></c><c r="B6" t="e"><f>VLOOKUP(1,A1:A2,1)</f><v>#N/A</v></c></row>`)
	p := must[provisioning.ImportPreview](t)(h.PreviewImport(h.ctx, h.op, upload("people.xlsx", book), transformed(transform("title", identity.TransformDate, "DD.MM.YYYY"))))
	if len(p.Rows) != 4 {
		t.Fatalf("%+v", p)
	}
	for _, r := range p.Rows[:2] {
		if r.Fields["title"] != "2026-02-03" {
			t.Errorf("%+v", r)
		}
	}
	t.Run("FSM-47 and needs no transform where the field is a date", func(t *testing.T) {
		book := transformBook(t, `<row r="1"><c t="str"><v>email</v></c><c t="str"><v>startDate</v></c></row><row r="2"><c t="str"><v>ada@acme.test</v></c><c><v>46056</v></c></row>`)
		p := must[provisioning.ImportPreview](t)(h.PreviewImport(h.ctx, h.op, upload("people.xlsx", book), provisioning.ImportOptions{}))
		if len(p.Rows) != 1 || p.Rows[0].Error != nil || p.Rows[0].Fields["startDate"] != "2026-02-03" {
			t.Errorf("%+v", p)
		}
	})
	for i, line := range []int{5, 6} {
		t.Run("FSM-47 a formula without a value is an error of its row", func(t *testing.T) {
			if r := p.Rows[2+i]; r.Line != line || r.Error == nil || r.Error.Field != "title" || !strings.Contains(r.Error.Message, "formula whose value was not saved") {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestTransformsThatCannotBeAreRefused(t *testing.T) {
	h := transformHouse(t)
	for says, bad := range map[string]identity.Transform{
		"no transform":           transform("title", "rot13"),
		"not there":              transform("shoe size", identity.TransformUpper),
		"as it stands":           transform("password", identity.TransformConstant, "x"),
		"takes one text":         transform("title", identity.TransformConstant),
		"takes nothing":          transform("title", identity.TransformUpper, "x"),
		"a separator":            transform("title", identity.TransformJoin, " "),
		"neither a column":       transform("title", identity.TransformJoin, " ", "nowhere"),
		"which would be shown":   transform("title", identity.TransformJoin, " ", "password"),
		"no form of a date":      transform("title", identity.TransformDate, "MM/YYYY"),
		"FROM=TO":                transform("title", identity.TransformMap, "x"),
		"replaces an empty text": transform("title", identity.TransformReplace, "", "x"),
		"nobody sees":            transform("title", identity.TransformConstant, "a\x00b"),
	} {
		_, err := h.PlanImport(h.ctx, h.op, file("email,title,password", "ada@acme.test,x,y"), transformed(bad))
		if identity.KindOf(err) != identity.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v", bad, err)
		}
		p, err := h.PreviewImport(h.ctx, h.op, file("email,title,password", "ada@acme.test,x,y"), transformed(bad))
		if identity.KindOf(err) != identity.Invalid && (p.Refused == nil || len(p.Rows) != 1) {
			t.Errorf("%+v: %+v", bad, p)
		}
	}
}
