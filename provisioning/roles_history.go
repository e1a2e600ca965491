package provisioning

import (
	"context"
	"fmt"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// RoleStep is one change of a person's roles.
type RoleStep struct {
	Event  identity.EventID
	At     time.Time
	Role   string // its title at that time
	Given  bool   // else taken away
	Source identity.SourceKind
	By     string
	Door   string
	Reason string
}

// RoleHistory returns how a person's roles changed, newest first: a page by After (the id of an event) and Limit. It needs the right to see users; everybody may see
// the own one.
func (s *Service) RoleHistory(ctx context.Context, by identity.Actor, id identity.UserID, q identity.Query) (identity.Page[RoleStep], error) {
	var page identity.Page[RoleStep]
	u, err := s.User(ctx, by, id)
	if err != nil {
		return page, err
	}
	if by.UserID() == u.ID {
		by = identity.System() // it is about nobody but the actor
	}
	events, err := s.Events(ctx, by, EventQuery{
		UserID: u.ID, Types: []identity.EventType{identity.UserCreated, identity.RoleAssigned, identity.RoleRemoved}, After: identity.EventID(q.After), Limit: q.Limit,
	})
	if err != nil {
		return page, err
	}
	page.More = events.More
	for _, e := range events.Items {
		page.Items = append(page.Items, roleSteps(e)...)
	}
	return page, nil
}

// roleSteps reads an event.
func roleSteps(e identity.Event) []RoleStep {
	var out []RoleStep
	source := identity.SourceManual
	if e.Type == identity.UserCreated && e.ActorKind != identity.ActorUser && e.ActorKind != identity.ActorOperator {
		source = identity.SourceDefault
	}
	for _, c := range e.Changes {
		if c.Field == "source" {
			source = identity.SourceKind(wordOf(c.After) + wordOf(c.Before))
		}
	}
	for _, c := range e.Changes {
		if c.Field != "role" {
			continue
		}
		step := RoleStep{Event: e.ID, At: e.At, Role: wordOf(c.After), Given: c.After != nil, Source: source, By: e.ActorLabel, Door: e.Door, Reason: e.Reason}
		if !step.Given {
			step.Role = wordOf(c.Before)
		}
		out = append(out, step)
	}
	return out
}

func wordOf(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
