package console

import (
	"context"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// nameIDs writes the names of tenants and connections in place of their ids, as far as the visitor may see them.
func (d *Door) nameIDs(ctx context.Context, v visit, events []identity.Event) error {
	if !v.Can(tenantsWrite) {
		return nil
	}
	tenants, err := d.tenantOptions(ctx, v)
	if err != nil {
		return err
	}
	connections, _, err := d.connectionNames(ctx, v)
	names := map[string]string{}
	for _, t := range tenants {
		names[string(t.ID)] = t.Name
	}
	for _, c := range connections {
		names[string(c.ID)] = c.Name
	}
	named := func(value any) any {
		if id, isText := value.(string); isText && names[id] != "" {
			return names[id]
		}
		return value
	}
	for _, e := range events {
		for i, change := range e.Changes {
			e.Changes[i].Before, e.Changes[i].After = named(change.Before), named(change.After)
		}
	}
	return err
}

// eventNames are the words of the event types in a list; a type that is not here is shown as it is written.
var eventNames = map[identity.EventType]string{
	identity.UserCreated:      "Created",
	identity.UserUpdated:      "Changed",
	identity.UserDeactivated:  "Deactivated",
	identity.UserActivated:    "Activated",
	identity.UserDeleted:      "Deleted",
	identity.UserRestored:     "Restored",
	identity.UserAdopted:      "Taken over by a directory",
	identity.UserPlaced:       "Placed",
	identity.UserTermsChanged: "Start or end changed",
	identity.UserLinked:       "Linked to a provider",
	identity.UserUnlinked:     "Untied from a provider",
	identity.UserEmailSaid:    "Another address at the provider",
	identity.ReviewOpened:     "Waits for an administrator",
	identity.ReviewClosed:     "Review closed",
	identity.RoleAssigned:     "Role given",
	identity.RoleRemoved:      "Role taken away",
	identity.GroupCreated:     "Group created",
	identity.GroupUpdated:     "Group changed",
	identity.GroupDeleted:     "Group deleted",
	identity.MembersAdded:     "Members added",
	identity.MembersRemoved:   "Members removed",
	identity.SessionStarted:   "Signed in",
	identity.SessionEnded:     "Session ended",
	identity.TracesShared:     "Sign-ins shown outside",
	identity.TracesUnshared:   "Link to sign-ins revoked",

	identity.PlanMade:          "Import planned",
	identity.PlanApplied:       "Import carried out",
	identity.PlanReverted:      "Import undone",
	identity.PlanDropped:       "Import thrown away",
	identity.PlanApproved:      "Plan approved",
	identity.PlanRefused:       "Plan rejected",
	identity.PlanStopped:       "Plan stopped",
	identity.BurstOpened:       "Many deactivations held",
	identity.BurstAllowed:      "Many deactivations approved",
	identity.BurstRefused:      "Many deactivations rejected",
	identity.SourceChanged:     "Source of people changed",
	identity.SourceDeleted:     "Source of people forgotten",
	identity.UsersExported:     "Users exported",
	identity.EventsExported:    "Audit exported",
	identity.ModelApplied:      "Access model applied",
	identity.SignInRefused:     "Sign-in refused",
	identity.PasswordSet:       "Password set",
	identity.PasswordLocked:    "Locked for a while after wrong passwords",
	identity.PasswordChanged:   "Password changed",
	identity.PasswordDemanded:  "Change of password demanded",
	identity.UserLocked:        "Locked after wrong passwords",
	identity.UserUnlocked:      "Unlocked",
	identity.TenantCreated:     "Tenant created",
	identity.DirectoryCreated:  "Directory created",
	identity.DirectoryUpdated:  "Directory changed",
	identity.TokenIssued:       "Token made",
	identity.TokenRevoked:      "Token revoked",
	identity.TokenExpiring:     "Token ends soon",
	identity.ClientCreated:     "OAuth client created",
	identity.ClientRevoked:     "OAuth client revoked",
	identity.ConnectionCreated: "Connection created",
	identity.ConnectionUpdated: "Connection changed",
	identity.TenantUpdated:     "Tenant changed",
	identity.ConnectionDeleted: "Connection deleted",
	identity.ConnectionTested:  "Connection tested",
	identity.SetupLinkCreated:  "Setup link made",
	identity.SetupLinkFinished: "Setup by link finished",
	identity.SetupLinkRevoked:  "Setup link revoked",
	identity.ResourceCreated:   "Object created",
	identity.ResourceUpdated:   "Object changed",
	identity.ResourceDeleted:   "Object deleted",
	identity.TenantHanded:      "Owner changed",

	identity.SecondFactorOn:       "Second factor on",
	identity.SecondFactorOff:      "Second factor off",
	identity.SecondFactorReset:    "Second factor taken away",
	identity.SecondFactorLocked:   "Locked after wrong codes",
	identity.RecoveryCodeUsed:     "Recovery code used",
	identity.RecoveryCodesRenewed: "New recovery codes",
	identity.SignInBreakGlass:     "Emergency sign-in",
	identity.BreakGlassGranted:    "Made an account for emergencies",
	identity.BreakGlassRevoked:    "No account for emergencies any more",

	identity.DomainClaimed:    "Domain claimed",
	identity.DomainVerified:   "Domain verified",
	identity.DomainOverridden: "Domain given by word",
	identity.DomainFailing:    "Record of a domain gone",
	identity.DomainRecovered:  "Record of a domain back",
	identity.DomainRemoved:    "Domain removed",

	identity.ConnectionKeyRotated: "Own key changed",
	identity.MetadataChanged:      "Metadata changed",
	identity.MetadataHeld:         "Metadata waits for approval",
	identity.MetadataApproved:     "Metadata approved",
	identity.MetadataRejected:     "Metadata rejected",
	identity.MetadataRefused:      "Metadata refused",
	identity.ConnectionEnding:     "Certificate or secret ends soon",
	identity.MailResent:           "Mail sent again",
	identity.MailTested:           "Mail tested",
	identity.InvitationSent:       "Invited",
	identity.InvitationResent:     "Invited again",
	identity.InvitationRevoked:    "Invitation taken back",
	identity.InvitationUsed:       "Joined",
	identity.ResetSent:            "Link to a new password sent",
	identity.EmailChangeAsked:     "Wants another e-mail address",
	identity.EmailChangeProven:    "New e-mail address proven",
	identity.EmailChangeStopped:   "Change of e-mail address stopped",
	identity.TenantRegistered:     "Tenant registered",
	identity.WelcomeSent:          "Welcome mail sent",
	identity.MailTemplateSet:      "Words of a mail changed",
	identity.MailTemplateReset:    "Words of a mail taken back",

	identity.RoleCreated:         "Role made",
	identity.RoleUpdated:         "Role changed",
	identity.RoleDeleted:         "Role deleted",
	identity.RoleReviewed:        "Role looked at",
	identity.AccessReported:      "Report of access taken out",
	identity.AccessReviewStarted: "Review of access began",
	identity.AccessReviewDecided: "Decided in a review of access",
	identity.AccessReviewClosed:  "Review of access closed",
	identity.AccessReviewCopied:  "Evidence of a review taken out",

	identity.APIKeyCreated:        "API key made",
	identity.APIKeyRevealed:       "API key shown again",
	identity.APIKeyRevoked:        "API key revoked",
	identity.KeyRolesChanged:      "Whose API keys work changed",
	identity.UserPositioned:       "Position changed",
	identity.UnitCreated:          "Unit created",
	identity.UnitUpdated:          "Unit changed",
	identity.UnitDeleted:          "Unit deleted",
	identity.UserTypeCreated:      "User type created",
	identity.UserTypeUpdated:      "User type changed",
	identity.UserTypeDeleted:      "User type deleted",
	identity.RecordCreated:        "Record created",
	identity.RecordUpdated:        "Record changed",
	identity.RecordLinked:         "Record tied to a person",
	identity.RecordUnlinked:       "Record untied",
	identity.UserErased:           "Erased",
	identity.UserMerged:           "Joined with another user",
	identity.HoldingSet:           "Owns or has to do",
	identity.HoldingRemoved:       "Owned or to be done no more",
	identity.TransferRequested:    "Handed over, waits for the application",
	identity.TransferAcknowledged: "Hand-over acknowledged",
	identity.TransferWithdrawn:    "Hand-over withdrawn",
	identity.OffboardingBegun:     "Offboarding begun",
	identity.OffboardingClosed:    "Offboarding closed",
	identity.OffboardingCancelled: "Offboarding cancelled, back again",
	identity.OffboardingReported:  "Evidence of an offboarding exported",
}

func eventName(t identity.EventType) string {
	if name, ok := eventNames[t]; ok {
		return name
	}
	return string(t)
}

// badEvents are those that a page marks as bad, beside those whose names say so.
var badEvents = map[identity.EventType]bool{
	identity.ClientRevoked:      true,
	identity.DomainFailing:      true,
	identity.GroupDeleted:       true,
	identity.MetadataRefused:    true,
	identity.PasswordLocked:     true,
	identity.RoleRemoved:        true,
	identity.SecondFactorLocked: true,
	identity.SecondFactorReset:  true,
	identity.SignInBreakGlass:   true,
	identity.SignInRefused:      true,
	identity.TokenRevoked:       true,
	identity.UserDeactivated:    true,
	identity.UserDeleted:        true,
	identity.UserErased:         true,
	identity.UserLocked:         true,
}

// eventTone is "good", "bad" or "calm": the mark beside an event.
func eventTone(t identity.EventType) string {
	switch {
	case badEvents[t]:
		return "bad"
	case t == identity.UserActivated, t == identity.UserRestored, t == identity.UserPlaced, t == identity.UserAdopted, strings.HasSuffix(string(t), ".created"):
		return "good"
	}
	return "calm"
}
