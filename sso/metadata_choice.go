package sso

import (
	"encoding/xml"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// mostChoices is how many providers of one document an error lists.
const mostChoices = 200

// oneProvider returns the identity provider in the document: the only one, or the one that was chosen by its entity id.
func oneProvider(raw []byte, chosen string) (idpEntity, error) {
	providers, err := providersIn(raw)
	if err != nil {
		return idpEntity{}, err
	}
	if len(providers) == 0 {
		return idpEntity{}, badMetadata("it describes no identity provider (no IDPSSODescriptor); was it a service provider's?")
	}
	if chosen == "" && len(providers) == 1 {
		return providers[0], nil
	}
	named := slices.DeleteFunc(slices.Clone(providers), func(p idpEntity) bool { return strings.TrimSpace(p.EntityID) != chosen })
	if chosen != "" && len(named) == 1 {
		return named[0], nil
	}
	return idpEntity{}, whichProvider(providers, chosen, len(named))
}

// whichProvider says that the document does not have exactly one provider of the chosen name, and what it has.
func whichProvider(providers []idpEntity, chosen string, found int) error {
	var names []string
	for _, p := range providers[:min(len(providers), mostChoices)] {
		names = append(names, shown(strings.TrimSpace(p.EntityID)))
	}
	list := strings.Join(names[:min(len(names), 20)], ", ")
	switch {
	case chosen == "":
		err := badMetadata("it describes %d identity providers; choose the entity id of one of them: %s", len(providers), list).WithField("entityid").WithCode("saml.several_providers")
		err.Choices = names
		return err
	case found > 1:
		return badMetadata("it describes %q %d times", shown(chosen), found)
	}
	err := badMetadata("it does not describe %q, but: %s", shown(chosen), list).WithField("entityid").WithCode("saml.other_provider")
	err.Choices = names
	return err
}

// providersIn returns every identity provider of the document.
func providersIn(raw []byte) ([]idpEntity, error) {
	var one idpEntity
	var many idpEntities
	if err := xml.Unmarshal(raw, &one); err != nil {
		return nil, badMetadata("its elements have unexpected values").WithCause(err)
	}
	if err := xml.Unmarshal(raw, &many); err != nil {
		return nil, badMetadata("its elements have unexpected values").WithCause(err)
	}
	providers := many.providers(nil)
	if len(one.IDPs) > 0 {
		providers = append(providers, one)
	}
	return providers, nil
}

func (e idpEntities) providers(untils []string) []idpEntity {
	untils = append(slices.Clone(untils), e.ValidUntil)
	var found []idpEntity
	for _, entity := range e.Entities {
		if len(entity.IDPs) > 0 {
			entity.untils = untils
			found = append(found, entity)
		}
	}
	for _, nested := range e.Nested {
		found = append(found, nested.providers(untils)...)
	}
	return found
}

// signedMetadata returns the document as its one signature covers it, when the signer (a certificate, DER) made that signature. What the signature itself
// says about keys is not believed.
func signedMetadata(raw, signer []byte) ([]byte, error) {
	root, err := parse(raw, metadataDocument)
	if err != nil {
		return nil, err
	}
	keys, err := pin(&identity.SAMLSettings{Certificates: [][]byte{signer}})
	if err != nil {
		return nil, badSignature("the certificate that it must be signed with cannot be used").WithCause(err)
	}
	signature := signatureOf(root)
	if signature == nil {
		return nil, badSignature("it is not signed, and this connection takes signed metadata only")
	}
	var t trail
	covered, err := keys.verify(root, signature, &t)
	if err != nil {
		return nil, badSignature("it is not signed by %s, or was changed after signing", keys).WithCause(err)
	}
	return canonical(covered, nil, canonicalization{}), nil
}

func badSignature(format string, args ...any) *identity.Error {
	return badMetadata(format, args...).WithCode("saml.metadata_signature").WithField("metadatasigner")
}
