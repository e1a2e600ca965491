package provisioning

import (
	"errors"
	"fmt"

	"github.com/drawbridge-id/drawbridge/identity"
)

func noUser() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such user here.")
}

func noGroup() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such group here.")
}

func noResource() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such resource here.")
}

func stale() *identity.Error {
	return identity.Errorf(identity.Precondition, "It was changed by somebody else meanwhile; read it again and repeat.")
}

// taken is the answer to a user name that somebody has.
func taken(name string) *identity.Error {
	if name == "" {
		return identity.Errorf(identity.Conflict, "This user name is taken; choose another.").WithField("userName").WithCode("uniqueness")
	}
	return identity.Errorf(identity.Conflict, "The user name %q is taken; choose another.", name).WithField("userName").WithCode("uniqueness")
}

// takenBy is taken for those who may see who has the name.
func takenBy(name string, id identity.UserID) *identity.Error {
	e := taken(name)
	e.Message = fmt.Sprintf("The user name %q is taken by the user with the id %s; change that one, or choose another.", name, id)
	return e
}

// protected is the answer to a user name of somebody whom a directory may not take over. It sees who that is, unless it is a tombstone.
func protected(name string, who identity.User) *identity.Error {
	account := "an account"
	if who.DeletedAt == nil {
		account = "the account with the id " + string(who.ID)
	}
	return identity.Errorf(identity.Conflict, "The user name %q belongs to %s, which this directory may not take over; an administrator must link it.", name, account).
		WithField("userName").WithCode("uniqueness")
}

// sharpen replaces the store's bare NotFound or Conflict by what a client can use. An error that already has a message for clients stays.
func sharpen(err error, better func() *identity.Error) error {
	if err == nil {
		return nil
	}
	b := better()
	if identity.KindOf(err) != b.Kind || identity.CodeOf(err) != "" {
		return err
	}
	var e *identity.Error
	if ok := errors.As(err, &e); ok && e.Message != "not found" && e.Message != "this already exists" {
		return err
	}
	return b.WithCause(err)
}

// messageFor returns the message of the first Error in the chain, which is for clients.
func messageFor(err error) string {
	var e *identity.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return ""
}
