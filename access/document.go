package access

import (
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// version is the only format that this package reads.
const version = "drawbridge.access-model/v1"

// document is a model as it stands in its file. The words are the file's; what they mean is written where they are checked.
type document struct {
	APIVersion    string             `yaml:"apiVersion"`
	Name          string             `yaml:"name"`
	Title         string             `yaml:"title"`
	Tenancy       tenancy            `yaml:"tenancy"`
	BusinessUnits *businessUnits     `yaml:"business_units"`
	DataAccess    *dataAccess        `yaml:"data_access"`
	AdminFlag     *adminFlag         `yaml:"admin_flag"`
	EnabledFlag   *label             `yaml:"enabled_flag"`
	Catalogue     []resource         `yaml:"catalogue"`
	Levels        map[string]choice  `yaml:"levels"`
	Roles         []roleEntry        `yaml:"roles"`
	RolesEditable bool               `yaml:"roles_editable"`
	RoleFields    []string           `yaml:"role_fields"`
	UserTypes     *userTypes         `yaml:"user_types"`
	Assignment    bounds             `yaml:"assignment"`
	Links         []link             `yaml:"links"`
	Fields        *fields            `yaml:"fields"`
	Login         login              `yaml:"login"`
	Onboarding    onboarding         `yaml:"onboarding"`
	Lifecycle     lifecycle          `yaml:"lifecycle"`
	APIKeys       *apiKeys           `yaml:"api_keys"`
	Policies      policies           `yaml:"policies"`
	Invariants    []invariant        `yaml:"invariants"`
	SSO           *signOn            `yaml:"sso"`
	Reviews       *reviews           `yaml:"reviews"`
	Console       map[string]caption `yaml:"console"`
}

type tenancy struct {
	Mode             string  `yaml:"mode"`
	MainAccount      string  `yaml:"main_account"`
	SelfRegistration bool    `yaml:"self_registration"`
	Landing          landing `yaml:"landing"`
	MoveUsers        string  `yaml:"move_users"`
}

type landing struct {
	Tenant     string          `yaml:"tenant"`
	Holding    bool            `yaml:"holding"`
	Role       identity.RoleID `yaml:"role"`
	DataAccess string          `yaml:"data_access"`
}

type businessUnits struct {
	Label      string `yaml:"label"`
	Required   bool   `yaml:"required"`
	Teams      bool   `yaml:"teams"`
	Root       string `yaml:"root"`
	Visibility string `yaml:"visibility"`
}

type dataAccess struct {
	Levels  []string `yaml:"levels"`
	Where   string   `yaml:"where"`
	Default string   `yaml:"default"`
}

type label struct {
	Label string `yaml:"label"`
}

type adminFlag struct {
	Label  string            `yaml:"label"`
	Grants map[string]choice `yaml:"grants"`
}

// resource is one row of the catalogue. A gate must be granted before a role's other grants count; a resource of the scope platform is for
// platform roles only; a resource marked self is everybody's own.
type resource struct {
	ID           string            `yaml:"id"`
	Title        string            `yaml:"title"`
	Owner        string            `yaml:"owner"`
	Scope        string            `yaml:"scope"`
	Scoped       bool              `yaml:"scoped"`
	Sensitive    bool              `yaml:"sensitive"`
	Gate         bool              `yaml:"gate"`
	Self         bool              `yaml:"self"`
	RequiresLink string            `yaml:"requires_link"`
	Actions      []string          `yaml:"actions"`
	Binds        map[string]string `yaml:"binds"`
}

type roleEntry struct {
	ID          identity.RoleID    `yaml:"id"`
	Title       string             `yaml:"title"`
	Scope       identity.RoleScope `yaml:"scope"`
	Interactive *bool              `yaml:"interactive"`
	Assignable  *bool              `yaml:"assignable"`
	Grants      map[string]choice  `yaml:"grants"`
	Levels      map[string]string  `yaml:"levels"`
}

type userTypes struct {
	Items      []userType `yaml:"items"`
	Default    string     `yaml:"default"`
	Extensible bool       `yaml:"extensible"`
}

type userType struct {
	ID          string          `yaml:"id"`
	Title       string          `yaml:"title"`
	DefaultRole identity.RoleID `yaml:"default_role"`
	MaxUsers    int             `yaml:"max_users"`
}

type bounds struct {
	Min            int  `yaml:"min"`
	Max            int  `yaml:"max"`
	ReasonRequired bool `yaml:"reason_required"`
}

type link struct {
	Type   string `yaml:"type"`
	Title  string `yaml:"title"`
	Unique bool   `yaml:"unique"`
}

type fields struct {
	External bool       `yaml:"external"`
	Email    emailField `yaml:"email"`
}

type emailField struct {
	RequiredFor []string `yaml:"required_for"`
}

type login struct {
	Identifier        string   `yaml:"identifier"`
	Methods           []string `yaml:"methods"`
	UsernameMutableBy []string `yaml:"username_mutable_by"`
}

type onboarding struct {
	Default            string        `yaml:"default"`
	InviteTTL          time.Duration `yaml:"invite_ttl"`
	AcceptFields       []string      `yaml:"accept_fields"`
	AcceptButton       string        `yaml:"accept_button"`
	MailButton         string        `yaml:"mail_button"`
	ResendLabel        string        `yaml:"resend_label"`
	SetsPassword       bool          `yaml:"sets_password"`
	MustChangePassword bool          `yaml:"must_change_password"`
	ConfirmPassword    bool          `yaml:"confirm_password"`
	WelcomeMail        bool          `yaml:"welcome_mail"`
}

type lifecycle struct {
	Delete     string `yaml:"delete"`
	Deactivate bool   `yaml:"deactivate"`
}

type apiKeys struct {
	Enabled                bool   `yaml:"enabled"`
	Format                 string `yaml:"format"`
	Expires                span   `yaml:"expires"`
	AllowedRoles           choice `yaml:"allowed_roles"`
	Reveal                 string `yaml:"reveal"`
	SurvivesPasswordChange bool   `yaml:"survives_password_change"`
	OnDeactivate           string `yaml:"on_deactivate"`
}

type policies struct {
	Password    passwordPolicy  `yaml:"password"`
	Lockout     lockoutPolicy   `yaml:"lockout"`
	Session     sessionPolicy   `yaml:"session"`
	TwoFactor   twoFactorPolicy `yaml:"two_factor"`
	SelfService selfService     `yaml:"self_service"`
}

type passwordPolicy struct {
	MinLength int           `yaml:"min_length"`
	Classes   int           `yaml:"classes"`
	History   int           `yaml:"history"`
	MaxAge    time.Duration `yaml:"max_age"`
}

type lockoutPolicy struct {
	MaxRetries int           `yaml:"max_retries"`
	Window     time.Duration `yaml:"window"`
	AutoUnlock span          `yaml:"auto_unlock"`
}

type sessionPolicy struct {
	Idle     time.Duration `yaml:"idle"`
	Absolute time.Duration `yaml:"absolute"`
}

type twoFactorPolicy struct {
	EnforceRoles []identity.RoleID `yaml:"enforce_roles"`
}

type selfService struct {
	Email string `yaml:"email"`
}

type invariant struct {
	Kind     string          `yaml:"kind"`
	Role     identity.RoleID `yaml:"role"`
	Flag     bool            `yaml:"flag"`
	Type     string          `yaml:"type"`
	Count    int             `yaml:"count"`
	Mode     string          `yaml:"mode"`
	Deny     []string        `yaml:"deny"`
	OnPerson string          `yaml:"on_person"`
	OnSCIM   string          `yaml:"on_scim"`
}

type signOn struct {
	Match []string `yaml:"match"`
	JIT   string   `yaml:"jit"`
}

type reviews struct {
	AdminsEvery time.Duration `yaml:"admins_every"`
}

// caption is one text of the pages or a list of them.
type caption = choice
