package provisioning

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// What a directory says as userType (RFC 7643 4.1.1) is the person's type where the access model has types and one of them is called so. A word that names none
// is kept as what it is, an attribute.

// followTypes gives people the types that a directory pushed with them.
func (s *Service) followTypes(ctx context.Context, tx *store.Tx, by identity.Actor, users ...identity.User) error {
	for _, u := range users {
		if err := s.followType(ctx, tx, by, identity.User{}, u); err != nil {
			return err
		}
	}
	return nil
}

// followType gives a person the type that a directory says from now on. A type that is full is a Conflict with the code "uniqueness".
func (s *Service) followType(ctx context.Context, tx *store.Tx, by identity.Actor, before, after identity.User) error {
	if len(s.model.UserTypes()) == 0 && !s.model.UserTypesExtensible() || by.Kind != identity.ActorDirectory {
		return nil
	}
	was, is := pushedType(before), pushedType(after)
	if is == "" || strings.EqualFold(was, is) {
		return nil
	}
	types, err := tx.UserTypes(ctx, identity.DefaultApplication)
	if err != nil {
		return err
	}
	for _, t := range types {
		if strings.EqualFold(string(t.ID), is) || strings.EqualFold(t.Title, is) {
			_, err := s.setPosition(ctx, tx, by, after, func(p *identity.Position) error { p.Type = t.ID; return nil }, "userType says so")
			return err
		}
	}
	return nil
}

// pushedType returns what a directory said as userType, or "".
func pushedType(u identity.User) string {
	var a struct {
		UserType string `json:"userType"`
	}
	_ = json.Unmarshal(u.Attributes, &a) // a door checked it; what is no text names no type
	return strings.TrimSpace(a.UserType)
}
