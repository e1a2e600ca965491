package console

import "github.com/drawbridge-id/drawbridge/identity"

// moreGuides are the providers that are chosen less often.
var moreGuides = []guide{
	{
		Key: "adfs", Title: "AD FS", Kind: identity.SAML, Hint: "SAML 2.0", More: true,
		Steps: []string{"In AD FS Management open Relying Party Trusts › Add Relying Party Trust › Claims aware.", "Enter data about the relying party manually, name it, and tick “Enable support for the SAML 2.0 WebSSO protocol”:"},
		Ours: []guideValue{
			{Field: "Relying party SAML 2.0 SSO service URL", Ours: oursACS},
			{Field: "Relying party trust identifier", Ours: oursEntity},
			{Field: "Secure hash algorithm", Text: "SHA-256", Note: "Properties › Advanced"},
			{Field: "SAML Logout Endpoint", Ours: oursSLO, Note: "Properties › Endpoints, binding Redirect; optional"},
		},
		Sends: []guideClaim{{"E-Mail Address", "Send LDAP Attributes as Claims: E-Mail-Addresses"}, {"Given Name, Surname", "the same rule"}, {"Name ID", "objectGUID, by a rule with the outgoing format Persistent Identifier"}, {"Group", "Token-Groups – Unqualified Names, optional"}},
		After: []string{"Choose an access control policy that lets your people in."},
		Find:  "The federation metadata of the farm.", Like: "https://adfs.acme.com/FederationMetadata/2007-06/FederationMetadata.xml",
	},
	{
		Key: "keycloak", Title: "Keycloak", Kind: identity.OIDC, Hint: "OpenID Connect", More: true,
		Steps: []string{"In the realm open Clients › Create client, type OpenID Connect.", "Switch Client authentication on; of the flows leave Standard flow only.", "Under Login settings fill in:"},
		Ours: []guideValue{
			{Field: "Valid redirect URIs", Ours: oursRedirect},
			{Field: "Valid post logout redirect URIs", Ours: oursSignedOut},
			{Field: "Backchannel logout URL", Ours: oursBackLogout, Note: "after saving, under Logout settings"},
		},
		Sends: []guideClaim{{"email, given_name, family_name", "in the default scopes: nothing to do"}, {"groups", "Client scopes › … -dedicated › Add mapper › Group Membership, name groups, full path off"}},
		Find:  "Client secret: the tab Credentials. The issuer has the realm at its end.", Like: "https://keycloak.acme.com/realms/acme",
	},
	{
		Key: "onelogin", Title: "OneLogin", Kind: identity.SAML, Hint: "SAML 2.0", More: true,
		Steps: []string{"In the OneLogin administration open Applications › Add App and choose SAML Custom Connector (Advanced).", "On the page Configuration fill in:"},
		Ours: []guideValue{
			{Field: "Audience (EntityID)", Ours: oursEntity},
			{Field: "Recipient", Ours: oursACS},
			{Field: "ACS (Consumer) URL Validator", Text: "the ACS URL as a regular expression", Note: "^ and $ around it, a backslash before each dot"},
			{Field: "ACS (Consumer) URL", Ours: oursACS},
			{Field: "Single Logout URL", Ours: oursSLO, Note: "optional"},
			{Field: "SAML nameID format", Text: "Persistent"},
			{Field: "SAML signature element", Text: "Assertion"},
		},
		Sends: []guideClaim{{"email", "Parameters › + › email, Email, include in SAML assertion"}, {"firstName, lastName", "the same with First Name and Last Name"}, {"groups", "User Roles or MemberOf, optional"}},
		After: []string{"On SSO set SAML Signature Algorithm to SHA-256 and Save.", "Give people access under Users or Roles."},
		Find:  "On SSO: Issuer URL. It is the address of the metadata.", Like: "https://app.onelogin.com/saml/metadata/…",
	},
	{
		Key: "pingfederate", Title: "PingFederate", Kind: identity.SAML, Hint: "SAML 2.0", More: true,
		Steps: []string{"Open Applications › SP Connections › Create Connection › Browser SSO Profiles, protocol SAML 2.0.", "On General Info and under Protocol Settings fill in:"},
		Ours: []guideValue{
			{Field: "Partner’s Entity ID (Connection ID)", Ours: oursEntity},
			{Field: "Assertion Consumer Service URL", Ours: oursACS, Note: "binding POST, index 0, default"},
			{Field: "SLO Service URL", Ours: oursSLO, Note: "optional; binding Redirect or POST"},
			{Field: "SAML profiles", Text: "SP-Initiated SSO"},
			{Field: "Signature policy", Text: "Always sign assertion"},
		},
		Sends: []guideClaim{{"SAML_SUBJECT", "an id that stays, such as objectGUID; format persistent"}, {"email", "mail"}, {"firstName, lastName", "givenName, sn"}, {"groups", "memberOf, optional"}},
		After: []string{"Choose a signing certificate with RSA SHA256 and activate the connection."},
		Find:  "System › Protocol Metadata › Metadata Export: a file.",
	},
}
