package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// readUser decodes the form of a new user. The user name is the e-mail address unless another is given.
func (d *Door) readUser(r *http.Request, v visit, f form) (provisioning.NewUser, error) {
	ctx := r.Context()
	n := provisioning.NewUser{Role: identity.RoleID(f.Value("role")), Reason: f.Value("reason")}
	n.User = identity.User{UserName: f.Value("username"), DisplayName: f.Value("displayname"), Enabled: true, TenantID: v.Actor.TenantID}
	if v.Can(tenantsWrite) {
		if f.Value("tenant") == "" {
			return n, identity.Errorf(identity.Invalid, "Choose a tenant, or the platform for a platform role.").WithField("tenant")
		}
		n.User.TenantID = chosenTenant(f)
	}
	if mail := f.Value("email"); mail != "" {
		n.User.Emails = []identity.Email{{Value: mail, Type: "work", Primary: true}}
	}
	if n.User.UserName == "" {
		n.User.UserName = f.Value("email")
	}
	var err error
	if n.Position, err = d.readPosition(ctx, v, f, n.User.TenantID); err != nil {
		return n, err
	}
	if n.Role == "" && f.Value("type") != "" {
		if n.Role, err = d.prov.ProposedRole(ctx, v.Actor, identity.UserTypeID(f.Value("type"))); err != nil {
			return n, err
		}
	}
	if n.Furnishing, err = readFurnishing(r, v, f); err != nil {
		return n, err
	}
	if f.Value("start") == startInvite || f.Value("start") == startNone {
		return n, nil
	}
	first, err := d.authn.FirstPassword(ctx, v.Actor, n.User, givenPassword(f))
	n.PasswordHash, n.PasswordTerms = first.Hash, first.Terms
	return n, err
}

func givenPassword(f form) authn.GivenPassword {
	given := authn.GivenPassword{Password: f.Values.Get("password")}
	if f.Values.Has("confirm_password") {
		repeated := f.Values.Get("confirm_password")
		given.Repeated = &repeated
	}
	if f.Values.Has("mustask") { // the form had the box
		must := f.Value("mustchange") == "yes"
		given.MustChange = &must
	}
	return given
}

// readPosition decodes where somebody stands, as far as the model and the form have it.
func (d *Door) readPosition(ctx context.Context, v visit, f form, tenant identity.TenantID) (identity.Position, error) {
	m := v.prov.Model()
	p := identity.Position{Type: identity.UserTypeID(f.Value("type")), DataLevel: f.Value("level"), External: f.Value("external") == "yes", Admin: f.Value("admin") == "yes"}
	rule, ok := m.Units()
	if !ok || tenant == "" {
		return p, nil
	}
	if f.Value("unit") == "" {
		if rule.Required && f.Values.Has("unit") {
			return p, identity.Errorf(identity.Invalid, "Choose the %s to which the person belongs.", rule.Label).WithField("unit")
		}
		return p, nil
	}
	units, err := d.unitOptions(ctx, v, tenant, true)
	if err != nil {
		return p, err
	}
	p.UnitID = identity.UnitID(f.Value("unit"))
	for _, u := range units {
		if u.ID == p.UnitID && u.Kind == identity.KindTeam {
			p.UnitID, p.TeamID = "", u.ID
		}
	}
	return p, nil
}

// readFurnishing decodes the picture and the record of somebody new.
func readFurnishing(r *http.Request, v visit, f form) (out provisioning.Furnishing, err error) {
	for _, kind := range v.prov.Model().LinkTypes() {
		if id := f.Value("record-" + kind.Type); id != "" {
			out.Record = &provisioning.RecordKey{Type: kind.Type, ForeignID: id}
		}
	}
	out.Avatar, err = readAvatar(r)
	return out, err
}

// readAvatar reads the picture of a form; none where none was chosen.
func readAvatar(r *http.Request) ([]byte, error) {
	if r.MultipartForm == nil {
		return nil, nil
	}
	file, _, err := r.FormFile("avatar")
	if errors.Is(err, http.ErrMissingFile) {
		return nil, nil
	}
	if err != nil {
		return nil, identity.Errorf(identity.Invalid, "The picture could not be read. Choose it again.").WithField("avatar").WithCause(err)
	}
	content, err := io.ReadAll(io.LimitReader(file, identity.MaxAvatar+1))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("console: picture: %w", err)
	}
	return content, nil
}
