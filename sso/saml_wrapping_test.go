package sso

import (
	"testing"

	"github.com/beevik/etree"
)

// evil returns a copy of the signed assertion that speaks for somebody else, without a signature.
func evil(assertion *etree.Element, id string) *etree.Element {
	e := assertion.Copy()
	if signature := child(e, "Signature"); signature != nil {
		e.RemoveChild(signature)
	}
	if id != "" {
		e.CreateAttr("ID", id)
	}
	child(child(e, "Subject"), "NameID").SetText("evil")
	return e
}

// wrap arranges the signed document anew, as an attacker does who has one genuine signed assertion.
func wrap(arrange func(s *samlCase, r, assertion, signature *etree.Element)) func(*samlCase) {
	return func(s *samlCase) {
		s.answer.After = func(r *etree.Element) {
			assertion := child(r, "Assertion")
			arrange(s, r, assertion, child(assertion, "Signature"))
		}
	}
}

func TestS04AnEvilResponseThatWrapsTheOriginalIsRefused(t *testing.T) {
	hold(t, row{"XSW1", wrap(func(s *samlCase, r, assertion, signature *etree.Element) {
		original := r.Copy()
		outer := child(r, "Assertion")
		r.RemoveChild(outer)
		r.AddChild(evil(outer, "_evil"))
		moved := signature.Copy()
		moved.CreateElement("ds:Object").AddChild(original)
		r.InsertChildAt(1, moved)
		r.CreateAttr("ID", "_evilresponse")
	}), "saml.misplaced_assertion"})
}

func TestS05AnEvilResponseBesideTheDetachedOriginalIsRefused(t *testing.T) {
	hold(t, row{"XSW2", wrap(func(s *samlCase, r, assertion, signature *etree.Element) {
		original := r.Copy()
		r.CreateAttr("ID", "_evilresponse")
		child(r, "Assertion").CreateAttr("ID", "_evil")
		r.InsertChildAt(1, original)
		r.InsertChildAt(2, signature.Copy())
	}), "saml.misplaced_assertion"})
}

func TestS06AnEvilAssertionBeforeTheSignedOneIsRefused(t *testing.T) {
	hold(t, row{"XSW3", wrap(func(s *samlCase, r, assertion, _ *etree.Element) {
		r.InsertChildAt(assertion.Index(), evil(assertion, "_evil"))
	}), "saml.several_assertions"})
}

func TestS07AnEvilAssertionBehindTheSignedOneIsRefused(t *testing.T) {
	hold(t, row{"XSW3b", wrap(func(s *samlCase, r, assertion, _ *etree.Element) { r.AddChild(evil(assertion, "_evil")) }), "saml.several_assertions"})
}

func TestS08AnEvilAssertionAroundTheSignedOneIsRefused(t *testing.T) {
	hold(t, row{"XSW4", wrap(func(s *samlCase, r, assertion, _ *etree.Element) {
		e := evil(assertion, "_evil")
		r.RemoveChild(assertion)
		e.AddChild(assertion)
		r.AddChild(e)
	}), "saml.misplaced_assertion"})
}

func TestS09AnEvilAssertionWithTheCopiedSignatureIsRefused(t *testing.T) {
	hold(t, row{"XSW5", wrap(func(s *samlCase, r, assertion, signature *etree.Element) {
		original := evil(assertion, "")
		child(child(original, "Subject"), "NameID").SetText(ada.Subject)
		child(child(assertion, "Subject"), "NameID").SetText("evil")
		assertion.CreateAttr("ID", "_evil")
		r.AddChild(original)
	}), "saml.several_assertions"})
}

func TestS10AnEvilAssertionWhoseSignatureHoldsTheOriginalIsRefused(t *testing.T) {
	hold(t, row{"XSW6", wrap(func(s *samlCase, r, assertion, signature *etree.Element) {
		original := assertion.Copy()
		original.RemoveChild(child(original, "Signature"))
		child(child(assertion, "Subject"), "NameID").SetText("evil")
		assertion.CreateAttr("ID", "_evil")
		signature.AddChild(original)
	}), "saml.misplaced_assertion"})
}

func TestS11AnEvilAssertionInExtensionsIsRefused(t *testing.T) {
	hide := func(tag, id string) func(*samlCase) {
		return wrap(func(s *samlCase, r, assertion, _ *etree.Element) {
			extensions := etree.NewElement(tag)
			extensions.AddChild(evil(assertion, id))
			r.InsertChildAt(1, extensions)
		})
	}
	hold(t, row{"XSW7 with the same id", hide("samlp:Extensions", ""), "saml.misplaced_assertion"},
		row{"with another id", hide("samlp:Extensions", "_evil"), "saml.misplaced_assertion"},
		row{"in any other element", hide("samlp:Else", "_evil"), "saml.misplaced_assertion"})
}

func TestS12TheOriginalInAnObjectAndAnEvilAssertionOutsideAreRefused(t *testing.T) {
	hold(t, row{"XSW8", wrap(func(s *samlCase, r, assertion, signature *etree.Element) {
		original := evil(assertion, "")
		child(child(assertion, "Subject"), "NameID").SetText("evil")
		signature.CreateElement("ds:Object").AddChild(original)
	}), "saml.duplicate_id"})
}

func TestS13ADuplicatedAssertionIsRefused(t *testing.T) {
	hold(t, row{"XSW9, the first one unsigned", wrap(func(s *samlCase, r, assertion, _ *etree.Element) {
		r.InsertChildAt(assertion.Index(), evil(assertion, ""))
	}), "saml.duplicate_id"})
}

func TestS14TwoAssertionsOfTheProviderAreRefused(t *testing.T) {
	hold(t, row{"the first for another audience", wrap(func(s *samlCase, r, assertion, _ *etree.Element) {
		first := evil(assertion, "_first")
		first.FindElement(".//saml:Audience").SetText("urn:other")
		r.InsertChildAt(assertion.Index(), first)
		must(s.answer.Sign(first))
	}), "saml.several_assertions"})
}

func TestS15AnIDThatIsThereTwiceIsRefused(t *testing.T) {
	hold(t, row{"the assertion's on the status", wrap(func(s *samlCase, r, _, _ *etree.Element) { child(r, "Status").CreateAttr("ID", s.answer.AssertionID) }), "saml.duplicate_id"},
		row{"the response's on the assertion", func(s *samlCase) { s.answer.AssertionID = s.answer.ResponseID }, "saml.duplicate_id"},
		row{"of two elements that nobody reads", afterwards(func(r *etree.Element) {
			status := child(r, "Status")
			status.CreateAttr("Id", "_same")
			status.ChildElements()[0].CreateAttr("id", "_same")
		}), "saml.duplicate_id"})
}

func TestS16TwoSignaturesInOneElementAreRefused(t *testing.T) {
	hold(t, row{"two signatures", wrap(func(s *samlCase, r, assertion, signature *etree.Element) {
		assertion.InsertChildAt(signature.Index(), signature.Copy())
	}), "saml.misplaced_signature"})
}
