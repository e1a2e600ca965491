package provisioning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// How many rows are computed, and how many steps carried out, in one transaction; and how many of those that go by themselves.
const (
	planChunk   = 500
	planSingle  = 100
	applyChunk  = 500
	applySingle = 50
)

// Upload is a file that somebody brings.
type Upload struct {
	Name    string
	Content io.ReaderAt
	Size    int64 // in bytes
}

// ImportOptions say how a file is to be understood.
type ImportOptions struct {
	Tenant identity.TenantID // whose people the file has; a user's own tenant anyway
	Source string            // where it comes from; empty: "file"
	identity.PlanOptions

	Off         []string         // options that the source has on and that do not count this time, as JSON names them: clear, replace_roles, missing
	ElseWelcome identity.Welcome // where neither the options nor the source say how new people hear of it; empty: none

	// Hash returns the hash of a password that the policy allows, and CheckHash refuses what is no hash that a sign-in can verify; both say what holds for the
	// password. They are needed for a file with passwords only.
	Hash      func(ctx context.Context, by identity.Actor, u identity.User, password string) (string, identity.PasswordTerms, error)
	CheckHash func(hash string) (identity.PasswordTerms, error)
	Progress  func(rows int)      // called now and then with how many rows were read
	Made      func(identity.Plan) // called once, when the plan is there and its rows are about to be read

	repeats *lineSet // the keys that more than one row may have; nil: any
}

// DefaultSource is the source of a file that nobody names.
const DefaultSource = "file"

// PlanImport reads a file and computes what it would do, row by row. Nothing is written but the plan; ApplyPlan carries exactly that out. A row that cannot be used
// is an error step with its reason; only a file that cannot be read at all is an error.
func (s *Service) PlanImport(ctx context.Context, by identity.Actor, file Upload, o ImportOptions) (identity.Plan, error) {
	plan, scope, err := s.newPlan(ctx, by, file, o)
	if err != nil {
		return plan, err
	}
	table, columns, err := s.openTable(ctx, &plan, file)
	if err != nil {
		return plan, err
	}
	defer table.Close()
	shape, err := s.shape(table, &plan, columns)
	if err != nil {
		return plan, err
	}
	if plan.Summary.SHA256, err = fileSum(file); err != nil {
		return plan, err
	}
	if o.repeats, err = repeats(ctx, file, shape); err != nil {
		return plan, err
	}
	return s.makePlan(ctx, by, scope, plan, rowsOf(table, shape), o)
}

func fileSum(file Upload) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(file.Content, 0, file.Size)); err != nil {
		return "", identity.Errorf(identity.Invalid, "The file cannot be read.").WithField("file").WithCause(err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// newPlan checks what was chosen and returns an empty plan with the people whom it may see.
func (s *Service) newPlan(ctx context.Context, by identity.Actor, file Upload, o ImportOptions) (identity.Plan, store.Scope, error) {
	plan := identity.Plan{
		ID: identity.NewID[identity.PlanID](), TenantID: o.Tenant, Kind: identity.PlanImport, Source: identity.TidyText(o.Source), FileName: identity.TidyText(file.Name),
		State: identity.PlanComputing, Options: o.PlanOptions, CreatedBy: by.Label,
	}
	if plan.Source == "" {
		plan.Source = DefaultSource
	}
	scope, err := s.planScope(ctx, by, &plan)
	if err != nil {
		return plan, scope, err
	}
	if err := s.checkOptions(o.PlanOptions); err != nil {
		return plan, scope, err
	}
	if len(plan.Source) > maxSourceName || len(plan.FileName) > 255 {
		return plan, scope, identity.Errorf(identity.Invalid, "The name of a source has at most 100 bytes, that of a file 255.").WithField("source")
	}
	return plan, scope, s.takeSettings(ctx, &plan, o)
}

// planScope returns the people whom a plan may touch, and puts the tenant into it.
func (s *Service) planScope(ctx context.Context, by identity.Actor, plan *identity.Plan) (store.Scope, error) {
	if by.Kind == identity.ActorDirectory {
		return store.Scope{}, identity.Errorf(identity.Forbidden, "A directory pushes people; it imports no files.")
	}
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return scope, err
	}
	if !validIDs(&plan.TenantID) {
		return scope, noTenant()
	}
	if by.TenantID != "" {
		if plan.TenantID != "" && plan.TenantID != by.TenantID {
			return scope, identity.Errorf(identity.Forbidden, "You may import users into your own tenant only.").WithField("tenant")
		}
		plan.TenantID = by.TenantID
	}
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		plan.CreatedAt = tx.Now()
		if plan.TenantID == "" && s.model.Single() {
			var t identity.Tenant
			t, err = tx.MainTenant(ctx)
			plan.TenantID = t.ID
			return err
		}
		if plan.TenantID != "" {
			_, err = tx.Tenant(ctx, scope, plan.TenantID)
		}
		return sharpen(err, noTenant)
	})
	if plan.TenantID != "" {
		scope = store.OfTenant(plan.TenantID)
	}
	return scope, err
}
