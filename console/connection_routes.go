package console

import "github.com/drawbridge-id/drawbridge/web"

// connectionRoutes are the pages of connections, of their tests, and of the links with which customers set up their own.
func (d *Door) connectionRoutes() []route {
	return []route{
		{"GET /console/connections", tenantsWrite, d.connections},
		{"GET /console/connections/new", tenantsWrite, d.newConnection},
		{"POST /console/connections/new", tenantsWrite, d.wizardStep},
		{"POST /console/connections", tenantsWrite, d.createConnection},
		{"GET /console/connections/{id}", tenantsWrite, d.connection},
		{"POST /console/connections/{id}", tenantsWrite, d.updateConnection},
		{"GET /console/connections/{id}/disable", tenantsWrite, d.confirmDisableConnection},
		{"POST /console/connections/{id}/disable", tenantsWrite, d.disableConnection},
		{"POST /console/connections/{id}/enable", tenantsWrite, d.enableConnection},
		{"POST /console/connections/{id}/test", tenantsWrite, d.beginTrial},
		{"GET /console/connections/{id}/provider", tenantsWrite, d.editProvider},
		{"POST /console/connections/{id}/provider", tenantsWrite, d.updateProvider},
		{"POST /console/connections/{id}/certificates", tenantsWrite, d.addCertificate},
		{"GET /console/connections/{id}/certificates/{print}/remove", tenantsWrite, d.confirmRemoveCertificate},
		{"POST /console/connections/{id}/certificates/{print}/remove", tenantsWrite, d.removeCertificate},
		{"GET /console/connections/{id}/keys", tenantsWrite, d.confirmKeyStep},
		{"POST /console/connections/{id}/keys", tenantsWrite, d.keyStep},
		{"POST /console/connections/{id}/metadata/refresh", tenantsWrite, d.refreshMetadata},
		{"POST /console/connections/{id}/metadata/{word}", tenantsWrite, d.settleMetadata},
		{"GET /console/connections/{id}/matching", tenantsWrite, d.matching},
		{"POST /console/connections/{id}/matching", tenantsWrite, d.updateMatching},
		{"GET /console/connections/{id}/delete", tenantsWrite, d.confirmDeleteConnection},
		{"POST /console/connections/{id}/delete", tenantsWrite, d.deleteConnection},
		{"GET /console/setup-links", tenantsWrite, d.setupLinks},
		{"GET /console/setup-links/new", tenantsWrite, d.newSetupLink},
		{"POST /console/setup-links", tenantsWrite, d.createSetupLink},
		{"GET /console/setup-links/{id}/revoke", tenantsWrite, d.confirmRevokeSetupLink},
		{"POST /console/setup-links/{id}/revoke", tenantsWrite, d.revokeSetupLink},
		{"GET /setup/{secret}", anybody, d.openSetup},
		{"GET /setup", anybody, d.setup},
		{"POST /setup", anybody, d.saveSetup},
		{"POST /setup/test", anybody, d.testSetup},
		{"POST /setup/finish", anybody, d.finishSetup},
		{"GET " + web.TrialPath + "{id}", anybody, d.trial},
	}
}
