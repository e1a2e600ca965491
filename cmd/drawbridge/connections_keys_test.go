package main

import (
	"strings"
	"testing"
)

func TestTheKeyOfAConnectionIsChangedInThreeSteps(t *testing.T) {
	sh := newShell(t)
	var c connectionView
	sh.json(&c, "connection", "create-saml", "Acme SAML", "--metadata", metadataFile(t), "--domain", "acme.example")
	sh.refused(1, []string{"one key only"}, "connection", "rotate-key", "Acme SAML", "--use")
	sh.refused(2, []string{"add", "use", "drop"}, "connection", "rotate-key", "Acme SAML")
	sh.refused(1, []string{`no connection "Nobody"`}, "connection", "rotate-key", "Nobody", "--add")

	var added, used, dropped keysView
	sh.json(&added, "connection", "rotate-key", "Acme SAML", "--add")
	sh.json(&used, "connection", "rotate-key", string(c.ID), "--use")
	sh.json(&dropped, "connection", "rotate-key", "Acme SAML", "--drop")
	if len(added.Keys) != 2 || !added.Keys[0].InUse || added.Keys[1].InUse || added.Keys[0].NotAfter.IsZero() {
		t.Fatalf("after --add: %+v", added)
	}
	if len(used.Keys) != 2 || used.Keys[0].SHA256 != added.Keys[1].SHA256 || len(dropped.Keys) != 1 || dropped.Keys[0].SHA256 != added.Keys[1].SHA256 {
		t.Errorf("after --use %+v, after --drop %+v", used, dropped)
	}
	if out := sh.must("connection", "rotate-key", "Acme SAML", "--add"); !strings.Contains(out, c.MetadataURL) || !strings.Contains(out, "reads only") {
		t.Errorf("it says\n%s", out)
	}
	if out := sh.must("events", "--json"); !strings.Contains(out, "connection.key_rotated") {
		t.Errorf("the events are\n%s", out)
	}
}
