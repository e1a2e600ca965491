package access

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"go.yaml.in/yaml/v3"
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

// plain turns the decoder's messages, which speak of Go types, into words about the file.
var plain = []struct {
	find *regexp.Regexp
	say  string
}{
	{regexp.MustCompile(`field (\S+) not found in type \S+`), "unknown key $1"},
	{regexp.MustCompile(`field (\S+) already set in type \S+`), "the key $1 stands twice"},
	{regexp.MustCompile("cannot unmarshal !!\\w+ (`[^`]*`) into bool"), "$1 is not true or false"},
	{regexp.MustCompile("cannot unmarshal !!\\w+ (`[^`]*`) into int"), "$1 is no whole number"},
	{regexp.MustCompile("cannot unmarshal !!\\w+ (`[^`]*`) into time.Duration"), "$1 is no duration such as 72h"},
	{regexp.MustCompile("cannot unmarshal !!(\\w+)( `[^`]*`)? into \\S+"), "a $1$2 cannot stand here"},
}

// decode reads exactly one document; unknown and repeated keys are mistakes. What could be read is returned with the mistakes.
func decode(data []byte) (document, mistakes) {
	var d document
	var bad mistakes
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	err := dec.Decode(&d)
	var types *yaml.TypeError
	switch {
	case errors.Is(err, io.EOF):
		bad.add("the file is empty")
	case errors.As(err, &types):
		for _, text := range types.Errors {
			for _, p := range plain {
				text = p.find.ReplaceAllString(text, p.say)
			}
			bad.add("%s", text)
		}
	case err != nil:
		bad.add("%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return d, bad
	}
	if err := dec.Decode(new(yaml.Node)); err == nil {
		bad.add("the file has a second document; one file is one model")
	}
	return d, bad
}

// parse reads a file, or lists every mistake of it.
func parse(name string, data []byte) (document, error) {
	d, bad := decode(data)
	if d.APIVersion != "" || len(bad) == 0 {
		d.check(&bad)
	}
	if len(bad) > 0 {
		return d, identity.Errorf(identity.Invalid, "The access model %q has %s:\n%s", name, bad.count(), strings.Join(bad, "\n"))
	}
	return d, nil
}

// Parse makes a model of a file's text, or lists every mistake of it as Load does; name is for the message.
func Parse(name string, data []byte) (*Model, error) {
	d, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	m := &Model{}
	m.now.Store(compile(data, d, 0, nil))
	return m, nil
}

// mistakes collects what is wrong, so that all of it can be said at once.
type mistakes []string

func (m *mistakes) add(format string, args ...any) {
	*m = append(*m, fmt.Sprintf(format, args...))
}

func (m mistakes) count() string {
	if len(m) == 1 {
		return "one mistake"
	}
	return fmt.Sprintf("%d mistakes", len(m))
}
