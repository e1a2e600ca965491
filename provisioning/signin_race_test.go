package provisioning_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// raceHouse is a house on PostgreSQL, where two change the same at once, with a look at who waits there.
type raceHouse struct {
	*house
	look *sql.DB
}

func newRaceHouse(t *testing.T, preset string) *raceHouse {
	t.Helper()
	url := storetest.PostgresURL(t)
	look, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = look.Close() })
	return &raceHouse{house: houseOn(t, storetest.Open(t, url), preset), look: look}
}

// overtake locks a row, starts an act, and when that waits for the row deletes it. It returns what became of the act.
func (h *raceHouse) overtake(lock, remove func(ctx context.Context, tx *store.Tx) error, act func() error) error {
	h.t.Helper()
	done := make(chan error, 1)
	err := h.db.Update(h.ctx, func(tx *store.Tx) error {
		if err := lock(h.ctx, tx); err != nil {
			return err
		}
		go func() { done <- act() }()
		for waits := false; !waits; {
			if len(done) > 0 {
				return errors.New("the act did not wait")
			}
			err := h.look.QueryRowContext(h.ctx, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.datname = current_database() AND a.wait_event_type = 'Lock') FROM pg_sleep(0.01)`).Scan(&waits)
			if err != nil {
				return err
			}
		}
		return remove(h.ctx, tx)
	})
	if err != nil {
		h.t.Fatal(err, <-done)
	}
	return <-done
}

// whileErased runs an act that meets the erasure of a user.
func (h *raceHouse) whileErased(id identity.UserID, act func() error) error {
	h.t.Helper()
	var u identity.User
	return h.overtake(func(ctx context.Context, tx *store.Tx) (err error) {
		u, err = tx.AnyUserForUpdate(ctx, store.Everything(), id)
		return err
	}, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteUser(ctx, u) }, act)
}

func TestASignInThatMeetsADeletionIsDecidedByWhatIsThereThen(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		t.Run("whoever is erased before the first link is written comes in as a new person", func(t *testing.T) {
			h, c, ada := raced(t)
			var u identity.User
			err := h.whileErased(ada.ID, func() (err error) {
				u, err = h.signIn(c, claims("s1", "ada@example.com"))
				return err
			})
			if err != nil || u.ID == ada.ID || u.UserName != "ada@example.com" {
				t.Errorf("%v, %+v", err, u)
			}
		})
		t.Run("whoever is erased before a link waits for their word gets none", func(t *testing.T) {
			h, c, ada := raced(t)
			err := h.whileErased(ada.ID, func() error {
				return h.SavePendingLink(h.ctx, c, claims("s1", "ada@example.com"), ada.ID, []byte("browser"), false)
			})
			wantKind(t, err, identity.NotFound, "")
		})
		t.Run("a connection that is deleted before the first link is written opens nothing", func(t *testing.T) {
			h, c, _ := raced(t)
			err := h.overtake(func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.ConnectionForUpdate(ctx, store.Everything(), c.ID)
				return err
			}, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteConnection(ctx, c.ID) }, func() error {
				_, err := h.signIn(c, claims("s1", "ada@example.com"))
				return err
			})
			wantKind(t, err, identity.Forbidden, "connection.unknown")
		})
		t.Run("whoever becomes an administrator before the first link is written is not linked by an address", func(t *testing.T) {
			h, c, ada := raced(t)
			err := h.overtake(func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.UserForUpdate(ctx, store.Everything(), ada.ID)
				return err
			}, func(ctx context.Context, tx *store.Tx) error {
				return tx.InsertAssignment(ctx, identity.Assignment{
					ID: identity.NewID[identity.AssignmentID](), UserID: ada.ID, RoleID: "administrator", Application: identity.DefaultApplication, Source: identity.SourceManual, CreatedAt: tx.Now(),
				})
			}, func() error {
				_, err := h.signIn(c, claims("s1", "ada@example.com"))
				return err
			})
			wantKind(t, err, identity.Forbidden, "link.requires_admin")
		})
	})
}

// raced makes a house with a connection and somebody who can come in through it.
func raced(t *testing.T) (*raceHouse, identity.Connection, identity.User) {
	t.Helper()
	h := newRaceHouse(t, "etlworks")
	c := h.connection("IdP", func(c *identity.Connection) { c.Enabled, c.Unknown = true, identity.UnknownLanding })
	return h, c, h.userIn(h.tenant("Acme").ID, "ada@example.com", "viewer")
}
