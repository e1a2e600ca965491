package identity

// accountFixes is what an administrator does about an account for which no session can begin, by the code of the refusal.
var accountFixes = map[string]string{
	"session.ended":        "The person signs in at the provider again; if it stays, compare the clocks, and what the provider sends as session_expiry.",
	"user.no_role":         "Place the person or give them a role, or let a rule of the connection give one.",
	"user.not_interactive": "Give the person a role for people beside the one for programs, if they are to sign in.",
	"user.out_of_time":     "Change the start or the end of the person's time, if it is wrong.",
	"user.inactive":        "Activate it where it was deactivated: at the directory, or here.",
	"user.locked":          "An administrator unlocks it.",
	"user.deleted":         "Restore it, or let the directory push the person again.",
}

// AccountFix is what an administrator does about an account for which no session can begin, by the code of the refusal; empty for other codes.
func AccountFix(code string) string { return accountFixes[code] }
