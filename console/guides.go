package console

import (
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
)

// guide says where a provider's administrators find what, in the words of its own pages.
type guide struct {
	Key   string
	Title string
	Kind  identity.ConnectionKind
	Hint  string   // under the title, where one chooses
	Steps []string // to the place where our values go
	Ours  []guideValue
	Sends []guideClaim
	After []string // what to do there once our values are in
	Find  string   // where the provider shows its own values
	Like  string   // what its metadata's address or its issuer looks like
	More  bool     // listed below the big ones
}

// guideValue is a field of the provider's page with the value that goes there: one of ours by name, or a fixed text.
type guideValue struct{ Field, Ours, Text, Note string }

// guideClaim is one line of the table of what the provider sends.
type guideClaim struct{ Name, Value string }

// The names of our own values in guides.
const (
	oursACS        = "acs"
	oursEntity     = "entity"
	oursRedirect   = "redirect"
	oursLogin      = "login"
	oursSLO        = "slo"
	oursSignedOut  = "signed-out"
	oursBackLogout = "backchannel"
)

// IsSAML chooses what a page asks for.
func (g guide) IsSAML() bool { return g.Kind == identity.SAML }

// Next is the number of the first step after our values.
func (g guide) Next() int { return len(g.Steps) + 1 }

// guides are the providers that the wizard knows, the common ones first.
var guides = slices.Concat(commonGuides, moreGuides)

// commonGuides are the providers that are chosen most often, and the generic ones.
var commonGuides = []guide{
	{
		Key: "okta-saml", Title: "Okta", Kind: identity.SAML, Hint: "SAML 2.0",
		Steps: []string{"In the Okta Admin Console open Applications › Applications.", "Create App Integration › SAML 2.0 › Next.", "Give it a name, for example Drawbridge, and choose Next.", "On the page Configure SAML fill in:"},
		Ours: []guideValue{
			{Field: "Single sign-on URL", Ours: oursACS, Note: "leave “Use this for Recipient URL and Destination URL” ticked"},
			{Field: "Audience URI (SP Entity ID)", Ours: oursEntity},
			{Field: "Name ID format", Text: "Persistent"},
			{Field: "Application username", Text: `Custom: user.getInternalProperty("id")`, Note: "an id that stays when the address changes; “Okta username” works too"},
		},
		Sends: []guideClaim{{"email", "user.email"}, {"firstName", "user.firstName"}, {"lastName", "user.lastName"}, {"groups", "Group Attribute Statements: Matches regex .*"}},
		After: []string{"Choose Next, then Finish.", "On the tab Assignments assign the people or groups who may sign in."},
		Find:  "On the tab Sign On: “Metadata URL” in the box Metadata details.", Like: "https://acme.okta.com/app/…/sso/saml/metadata",
	},
	{
		Key: "okta-oidc", Title: "Okta", Kind: identity.OIDC, Hint: "OpenID Connect",
		Steps: []string{"In the Okta Admin Console open Applications › Applications.", "Create App Integration › OIDC – OpenID Connect › Web Application › Next.", "Leave Grant type at Authorization Code and fill in:"},
		Ours: []guideValue{
			{Field: "Sign-in redirect URIs", Ours: oursRedirect},
			{Field: "Sign-out redirect URIs", Ours: oursSignedOut},
			{Field: "Initiate login URI", Ours: oursLogin, Note: "General Settings › Login, once the app is there; optional"},
		},
		Sends: []guideClaim{{"email, name", "in the scopes email and profile: nothing to do"}, {"groups", "Sign On › OpenID Connect ID Token › Groups claim filter: groups, Matches regex, .*"}},
		After: []string{"Under Assignments choose who may sign in, and Save."},
		Find:  "On the tab General: Client ID and the client secret. The issuer is the address of your Okta, or of the authorization server that you use.", Like: "https://acme.okta.com",
	},
	{
		Key: "entra-saml", Title: "Microsoft Entra ID", Kind: identity.SAML, Hint: "SAML 2.0",
		Steps: []string{"In the Microsoft Entra admin center open Enterprise applications › New application › Create your own application.", "Name it, choose “Integrate any other application you don’t find in the gallery (Non-gallery)” and Create.", "Open Single sign-on › SAML, and edit Basic SAML Configuration:"},
		Ours: []guideValue{
			{Field: "Identifier (Entity ID)", Ours: oursEntity},
			{Field: "Reply URL (Assertion Consumer Service URL)", Ours: oursACS},
			{Field: "Sign on URL", Ours: oursLogin, Note: "optional: lets people start at My Apps"},
			{Field: "Logout Url", Ours: oursSLO, Note: "optional: signing out there signs out here"},
		},
		Sends: []guideClaim{{"Unique User Identifier (Name ID)", "user.objectid, format Persistent"}, {"emailaddress", "user.mail"}, {"givenname, surname", "as they are"}, {"groups", "Add a group claim › Groups assigned to the application"}},
		After: []string{"Edit Attributes & Claims as in the table.", "Open Users and groups and assign who may sign in."},
		Find:  "In the box SAML Certificates: App Federation Metadata Url.", Like: "https://login.microsoftonline.com/…/federationmetadata/2007-06/federationmetadata.xml?appid=…",
	},
	{
		Key: "entra-oidc", Title: "Microsoft Entra ID", Kind: identity.OIDC, Hint: "OpenID Connect",
		Steps: []string{"In the Microsoft Entra admin center open App registrations › New registration.", "Name it and choose who may use it: Accounts in this organizational directory only.", "Under Redirect URI choose the platform Web, enter our redirect URI and Register.", "The other addresses go to Authentication:"},
		Ours: []guideValue{
			{Field: "Redirect URI (Web)", Ours: oursRedirect},
			{Field: "Redirect URI, a second one", Ours: oursSignedOut, Note: "where people come back to after signing out"},
		},
		Sends: []guideClaim{{"email", "Token configuration › Add optional claim › ID › email"}, {"given_name, family_name", "Token configuration › Add optional claim › ID"}, {"groups", "Token configuration › Add groups claim › Groups assigned to the application"}},
		After: []string{"Certificates & secrets › New client secret: copy the Value (not the Secret ID), and note when it expires: 24 months at most."},
		Find:  "On the Overview: Application (client) ID, and Directory (tenant) ID, which is part of the issuer.", Like: "https://login.microsoftonline.com/TENANT-ID/v2.0",
	},
	{
		Key: "google-saml", Title: "Google Workspace", Kind: identity.SAML, Hint: "SAML 2.0",
		Steps: []string{"In the Google Admin console open Apps › Web and mobile apps › Add app › Add custom SAML app.", "Name it and choose Continue.", "Download Metadata: that is the file that you need below. Continue.", "Under Service provider details fill in:"},
		Ours: []guideValue{
			{Field: "ACS URL", Ours: oursACS},
			{Field: "Entity ID", Ours: oursEntity},
			{Field: "Start URL", Text: "leave it empty"},
			{Field: "Signed response", Text: "not ticked", Note: "Google then signs the assertion, which is what counts"},
			{Field: "Name ID format", Text: "PERSISTENT"},
			{Field: "Name ID", Text: "Basic Information › Primary email", Note: "Google offers nothing that outlives a change of the address"},
		},
		Sends: []guideClaim{{"email", "Basic Information › Primary email"}, {"firstName", "Basic Information › First name"}, {"lastName", "Basic Information › Last name"}, {"groups", "Group membership: choose the groups that may be told"}},
		After: []string{"Finish.", "Open User access and switch the app ON for everyone or for some organisational units. It can take a while until Google follows."},
		Find:  "Google has no address for its metadata: upload the file GoogleIDPMetadata.xml that you downloaded.",
	},
	{
		Key: "google-oidc", Title: "Google", Kind: identity.OIDC, Hint: "OpenID Connect",
		Steps: []string{"In the Google Cloud console open Google Auth Platform (APIs & Services › OAuth consent screen). Choose Internal, so that only your organisation can sign in.", "Open Clients › Create client › Web application.", "Fill in:"},
		Ours:  []guideValue{{Field: "Authorized redirect URIs", Ours: oursRedirect}},
		Sends: []guideClaim{{"email, name", "in the scopes email and profile: nothing to do"}, {"groups", "Google sends none"}},
		After: []string{"Create, and copy the client ID and the client secret."},
		Find:  "The issuer is the same for everybody.", Like: "https://accounts.google.com",
	},
	{
		Key: "saml", Title: "Another provider", Kind: identity.SAML, Hint: "SAML 2.0",
		Steps: []string{"Add a service provider (also called relying party, or SAML application) with these values:"},
		Ours: []guideValue{
			{Field: "ACS URL", Ours: oursACS, Note: "also: Reply URL, Single sign-on URL, Recipient, Destination; binding HTTP-POST"},
			{Field: "Entity ID", Ours: oursEntity, Note: "also: Audience, Identifier, SP Issuer; once the connection is made, our metadata is at this address"},
			{Field: "Single logout URL", Ours: oursSLO, Note: "optional; binding HTTP-Redirect or HTTP-POST"},
			{Field: "Name ID format", Text: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", Note: "an id that stays when the address changes"},
		},
		Sends: []guideClaim{{"email", "the e-mail address"}, {"firstName", "given name"}, {"lastName", "family name"}, {"groups", "the names of the groups, optional"}},
		After: []string{"Let it sign the assertion, or the response, with SHA-256."},
		Find:  "Its metadata: an address that ends in /metadata or .xml, or a file.", Like: "https://idp.example.com/metadata",
	},
	{
		Key: "oidc", Title: "Another provider", Kind: identity.OIDC, Hint: "OpenID Connect",
		Steps: []string{"Register a confidential web client with the authorization code flow and PKCE (S256):"},
		Ours: []guideValue{
			{Field: "Redirect URI", Ours: oursRedirect},
			{Field: "Post-logout redirect URI", Ours: oursSignedOut},
			{Field: "Back-channel logout URI", Ours: oursBackLogout, Note: "optional: signing out there signs out here"},
			{Field: "Initiate login URI", Ours: oursLogin, Note: "optional"},
		},
		Sends: []guideClaim{{"email", "scope email"}, {"given_name, family_name, name", "scope profile"}, {"groups", "the names of the groups, optional"}},
		Find:  "The issuer: what its discovery document (/.well-known/openid-configuration) calls issuer.", Like: "https://login.example.com",
	},
}

// guideOf returns the guide with the key, or the generic one of the protocol.
func guideOf(key string, kind identity.ConnectionKind) guide {
	for _, g := range guides {
		if g.Key == key && (kind == "" || g.Kind == kind) {
			return g
		}
	}
	if kind == "" {
		return guide{}
	}
	return guideOf(string(kind), "")
}
