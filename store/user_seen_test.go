package store_test

import (
	"context"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// seenHome is a tenant with two directories; the first one knows somebody.
func seenHome(t *testing.T, db *store.DB) (u identity.User, first, second identity.DirectoryID, scope store.Scope) {
	t.Helper()
	home := identity.Tenant{ID: identity.NewID[identity.TenantID](), Name: "Seen"}
	first, second = identity.NewID[identity.DirectoryID](), identity.NewID[identity.DirectoryID]()
	u = newUser(home.ID)
	change(t, db, func(tx *store.Tx) error {
		if err := tx.InsertTenant(t.Context(), home); err != nil {
			return err
		}
		for _, id := range []identity.DirectoryID{first, second} {
			if err := tx.InsertDirectory(t.Context(), identity.Directory{ID: id, TenantID: home.ID, Name: string(id), Dialect: "standard", Enabled: true}); err != nil {
				return err
			}
		}
		if err := tx.InsertUser(t.Context(), u); err != nil {
			return err
		}
		return tx.PutDirectoryLink(t.Context(), identity.DirectoryLink{DirectoryID: first, UserID: u.ID, Active: true})
	})
	return u, first, second, store.OfDirectory(first, home.ID)
}

// TestWhatWasSeenOfAUserMustStillBeSo shows that a change without a lock notices everything that happened to what it looked at.
func TestWhatWasSeenOfAUserMustStillBeSo(t *testing.T) {
	ctx := t.Context()
	db := storetest.Postgres(t)
	u, first, second, scope := seenHome(t, db)
	light := func(between func(*store.Tx) error) error {
		return db.UpdateLight(ctx, func(tx *store.Tx) error {
			before, facts, err := tx.UserSeen(ctx, scope, u.ID)
			if err != nil {
				return err
			}
			if len(facts.Links) == 0 {
				t.Error("the directory's link was not seen")
			}
			if between != nil {
				change(t, db, between)
			}
			after := before
			after.Enabled, after.Version = !before.Enabled, before.Version+1
			return tx.UpdateUser(ctx, before, after)
		})
	}
	if err := light(nil); err != nil {
		t.Fatalf("nothing happened between the look and the write, and yet: %v", err)
	}
	for name, between := range seenBetween(ctx, u, first, second) {
		was := read(t, db, u.ID)
		if err := light(between); identity.KindOf(err) != identity.Conflict {
			t.Errorf("%s: %v", name, err)
		}
		if is := read(t, db, u.ID); is.Enabled != was.Enabled {
			t.Errorf("%s: the change was made all the same", name)
		}
	}
}

// seenBetween is what others may do, each of which leaves the user's own record as it is.
func seenBetween(ctx context.Context, u identity.User, first, second identity.DirectoryID) map[string]func(*store.Tx) error {
	return map[string]func(*store.Tx) error{
		"a directory comes": func(tx *store.Tx) error {
			return tx.PutDirectoryLink(ctx, identity.DirectoryLink{DirectoryID: second, UserID: u.ID, Active: false})
		},
		"a directory says another word": func(tx *store.Tx) error {
			return tx.PutDirectoryLink(ctx, identity.DirectoryLink{DirectoryID: first, UserID: u.ID, Active: false})
		},
		"a directory goes":  func(tx *store.Tx) error { return tx.DeleteDirectoryLink(ctx, second, u.ID) },
		"terms are written": func(tx *store.Tx) error { return tx.PutTerms(ctx, identity.Terms{UserID: u.ID, Ended: true}) },
		"terms are taken":   func(tx *store.Tx) error { return tx.DeleteTerms(ctx, u.ID) },
		"somebody signs in": func(tx *store.Tx) error { return tx.SetLastLogin(ctx, u.ID, tx.Now()) },
		"somebody is locked": func(tx *store.Tx) error {
			at := tx.Now()
			return tx.SetLocked(ctx, u.ID, &at)
		},
	}
}

// TestAChangeWithoutALockAsksNothingElse shows that whatever needs more than one statement is left to a change under a lock, and writes nothing.
func TestAChangeWithoutALockAsksNothingElse(t *testing.T) {
	ctx := t.Context()
	db := storetest.Postgres(t)
	u, first, _, scope := seenHome(t, db)
	for name, fn := range map[string]func(tx *store.Tx, before identity.User) error{
		"another query": func(tx *store.Tx, _ identity.User) error {
			_, err := tx.DirectoryLinks(ctx, u.ID)
			return err
		},
		"another name": func(tx *store.Tx, before identity.User) error {
			after := before
			after.DisplayName = "Another"
			return tx.UpdateUser(ctx, before, after)
		},
		"a fact without the user": func(tx *store.Tx, _ identity.User) error {
			return tx.PutDirectoryLink(ctx, identity.DirectoryLink{DirectoryID: first, UserID: u.ID, Active: false})
		},
	} {
		err := db.UpdateLight(ctx, func(tx *store.Tx) error {
			before, _, err := tx.UserSeen(ctx, scope, u.ID)
			if err != nil {
				return err
			}
			return fn(tx, before)
		})
		if identity.CodeOf(err) != store.NeedsLock {
			t.Errorf("%s: %v", name, err)
		}
	}
	if is := read(t, db, u.ID); is.DisplayName != u.DisplayName {
		t.Errorf("the name is %q now", is.DisplayName)
	}
}

// TestSomebodyNewIsWrittenOnlyWhenNobodyIsLikeThem shows that a push which found somebody wrote nothing.
func TestSomebodyNewIsWrittenOnlyWhenNobodyIsLikeThem(t *testing.T) {
	ctx := t.Context()
	db := storetest.Postgres(t)
	u, _, _, scope := seenHome(t, db)
	push := func(like string) (identity.User, error) {
		other := newUser(u.TenantID)
		return other, db.Update(ctx, func(tx *store.Tx) error {
			tx.NobodyLike(scope, like, "", "")
			return tx.InsertUser(ctx, other)
		})
	}
	if other, err := push("somebody-else"); err != nil || read(t, db, other.ID).ID != other.ID {
		t.Errorf("nobody is like them, and yet: %v", err)
	}
	other, err := push(u.UserName)
	if identity.KindOf(err) != identity.Conflict {
		t.Errorf("somebody is like them: %v", err)
	}
	err = db.View(ctx, func(tx *store.Tx) error {
		_, err := tx.User(ctx, store.Everything(), other.ID)
		return err
	})
	if identity.KindOf(err) != identity.NotFound {
		t.Errorf("the new user is written all the same: %v", err)
	}
}
