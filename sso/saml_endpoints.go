package sso

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/crewjam/saml"

	"github.com/drawbridge-id/drawbridge/identity"
)

const bindingSOAP = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"

// maxArtifactURLs is how many artifact resolution services a provider may have.
const maxArtifactURLs = 16

// otherEndpoints reads where log-outs go and where artifacts are resolved (SAML metadata 2.4.2). Both are extras: an address that cannot be used is passed over.
func otherEndpoints(s *identity.SAMLSettings, idp idpDescriptor, allowPrivate bool) {
	for _, binding := range []struct {
		uri  string
		name identity.SAMLBinding
	}{{saml.HTTPPostBinding, identity.BindingPost}, {saml.HTTPRedirectBinding, identity.BindingRedirect}} { // the last one wins: redirects need no script, and the first in the document
		for _, e := range slices.Backward(idp.SLO) {
			if location := trimmed(e.Location); e.Binding == binding.uri && usableAddress(location, allowPrivate) {
				s.SLOURL, s.SLOBinding, s.SLOResponseURL = location, binding.name, ""
				if answer := trimmed(e.ResponseLocation); usableAddress(answer, allowPrivate) {
					s.SLOResponseURL = answer
				}
			}
		}
	}
	for _, e := range idp.Artifacts {
		index, err := strconv.ParseUint(trimmed(e.Index), 10, 16)
		location := trimmed(e.Location)
		if err != nil || e.Binding != bindingSOAP || !usableAddress(location, allowPrivate) || len(s.ArtifactURLs) >= maxArtifactURLs {
			continue
		}
		if s.ArtifactURLs == nil {
			s.ArtifactURLs = map[int]string{}
		}
		s.ArtifactURLs[int(index)] = location
	}
}

// usableAddress reports whether an address of a provider is https, or http where that is allowed.
func usableAddress(location string, allowPrivate bool) bool {
	u, err := url.Parse(location)
	return err == nil && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http" && allowPrivate)
}
