package provisioning

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

// stepTexts are values of rows, of which some need an escape.
var stepTexts = []string{"", "Ada", "Zoë", "}{", "+49 30 1", "viewer", "a<b", `"x"`, `\`, "\u2028"}

// stepFields makes up what a row says of somebody new.
func stepFields(r *rand.Rand) personFields {
	f := personFields{}
	texts := stepTexts[:[]int{6, len(stepTexts)}[r.IntN(2)]]
	for _, known := range allFields {
		if r.IntN(3) == 0 {
			f[known.Name] = texts[r.IntN(len(texts))]
		}
	}
	return f
}

func TestAStepIsReadAsItWasWritten(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	plain := 0
	for range 5000 {
		d := stepData{Who: stepTexts[r.IntN(4)], Fields: stepFields(r), Tenant: identity.NewID[identity.TenantID](), Left: stepFields(r)}
		if r.IntN(2) == 0 { // most of what will be is what the row says
			d.Left = leftBy(d.Fields, personFields{fieldActive: "yes"})
		}
		switch r.IntN(8) {
		case 0:
			d.Hash = "hash"
		case 1:
			d.Terms.MustChange = true
		case 2:
			d.Left = nil
		}
		step := identity.PlanStep{Action: identity.StepCreate}
		if err := writeStep(&step, d); err != nil {
			t.Fatal(err)
		}
		var want stepData
		if err := json.Unmarshal(step.Data, &want); err != nil {
			t.Fatal(err)
		}
		if _, ok := plainStep(string(step.Data)); ok {
			plain++
		}
		got, err := decodeStep(step)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s:\n got %+v, %v\nwant %+v", step.Data, got, err, want)
		}
		whole := got.whole(step)
		for _, after := range []personFields{whole.Left, stepFields(r)} {
			if got.leaves(after) != sameFields(after, whole.Left) {
				t.Fatalf("%s: leaves %v says %v", step.Data, after, got.leaves(after))
			}
		}
	}
	if plain < 100 || plain > 4000 {
		t.Errorf("%d of 5000 steps are plain: one of both ways is hardly tried", plain)
	}
}

func TestWhatIsNoPlainStepIsLeftAlone(t *testing.T) {
	whole := `{"who":"Ada","fields":{"userName":"ada"},"more":{}}`
	if _, ok := plainStep(whole); !ok {
		t.Fatal("a plain step is none")
	}
	for end := range len(whole) {
		if d, ok := plainStep(whole[:end]); ok {
			t.Errorf("%q is read as %+v", whole[:end], d)
		}
	}
	for _, text := range []string{whole + "}", " " + whole, `{"who":"Ada","x":1}`, `{"who":null}`, `{"who":"A\u0064a"}`, `{"fields":[]}`, `{"fields":{"a":1}}`, `{"who":"Ada",}`} {
		if d, ok := plainStep(text); ok {
			t.Errorf("%q is read as %+v", text, d)
		}
	}
}

func TestAttributesOfSomebodyNewAreAsIfTheyWereRead(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 3000 {
		row := importRow{fields: stepFields(r)}
		if r.IntN(4) == 0 {
			row.manager, row.leader = identity.NewID[identity.UserID](), stepTexts[r.IntN(len(stepTexts))]
		}
		var u identity.User
		all, err := row.putInto(&u, r.IntN(2) == 0)
		if err != nil {
			t.Fatal(err)
		}
		if all == nil {
			continue
		}
		read := &readOnce{u.Attributes, tableOf(all), all}
		if got, want := diffNew(u, read), diffUsers(identity.User{}, u); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s:\n got %v\nwant %v", u.Attributes, got, want)
		}
		is, want := read.is, readAttributes(u.Attributes)
		if is.phone() != want.phone() || is.location() != want.location() || is.manager() != want.manager() {
			t.Fatalf("%s: %+v", u.Attributes, is)
		}
		is.shown, is.Enterprise.Manager, want.Phones, want.Addresses, want.Enterprise.Manager = nil, nil, nil, nil, nil
		if !reflect.DeepEqual(is, want) {
			t.Fatalf("%s:\n got %+v\nwant %+v", u.Attributes, is, want)
		}
	}
}
