package provisioning

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// DriftReport says what is not as a source said it last: what would change if the source were run again.
type DriftReport struct {
	Source  string // its name, or the directory's
	Checked int    // people and groups
	Items   []DriftItem
	More    int           // items beyond those that are listed
	Plan    identity.Plan // that would put a source's people right; without an id when none was kept
}

// DriftItem is one thing that is not as the source said it.
type DriftItem struct {
	UserID  identity.UserID  // empty: a group
	GroupID identity.GroupID // empty: a person
	Who     string
	Field   string
	Said    string // by the source, last
	Now     string

	ChangedBy string // empty: nobody of whom the journal knows
	At        time.Time
	Event     identity.EventID
}

// maxDrift is how many items a report lists; the others are counted.
const maxDrift = 5000

func (d *DriftReport) add(item DriftItem) {
	if len(d.Items) == maxDrift {
		d.More++
		return
	}
	d.Items = append(d.Items, item)
}

// driftPage is how many people are looked at at once.
const driftPage = 200

// DirectoryDrift holds what a directory pushed last, by field, against what is there now, and says whose change it was that came between. Nothing is changed. Only the platform asks.
func (s *Service) DirectoryDrift(ctx context.Context, by identity.Actor, id identity.DirectoryID) (DriftReport, error) {
	var out DriftReport
	d, err := s.Directory(ctx, by, id)
	if err != nil {
		return out, err
	}
	out.Source = d.Name
	var after identity.UserID
	for {
		var links []identity.DirectoryLink
		err := s.db.View(ctx, func(tx *store.Tx) (err error) {
			if links, err = tx.KnownToDirectory(ctx, d.ID, after, driftPage); err != nil || len(links) == 0 {
				return err
			}
			return s.driftOfPeople(ctx, tx, d, links, &out)
		})
		if err != nil {
			return out, err
		}
		if len(links) == 0 {
			return out, s.driftOfGroups(ctx, d, &out)
		}
		after = links[len(links)-1].UserID
	}
}

// word is the last that a directory said about a field, and the last that somebody else did about it since.
type word struct {
	said  any
	spoke bool // the directory
	other *identity.Event
}

// words are what was said about one person or group, by field.
type words map[string]*word

// hear takes in what an event says of its fields.
func (w words) hear(e identity.Event, from identity.DirectoryID) {
	own := e.ActorKind == identity.ActorDirectory && e.ActorID == string(from)
	for _, c := range e.Changes {
		last, known := w[c.Field]
		if !known {
			last = &word{}
			w[c.Field] = last
		}
		if own {
			last.said, last.spoke, last.other = c.After, true, nil
		} else {
			last.other = &e
		}
	}
}

// personal are the types of event that say something of a person.
var personal = []identity.EventType{
	identity.UserCreated, identity.UserUpdated, identity.UserActivated, identity.UserDeactivated, identity.UserAdopted, identity.UserRestored, identity.UserDeleted, identity.UserPlaced,
}

func (s *Service) driftOfPeople(ctx context.Context, tx *store.Tx, d identity.Directory, links []identity.DirectoryLink, out *DriftReport) error {
	ids := make([]identity.UserID, len(links))
	for i, l := range links {
		ids[i] = l.UserID
	}
	people, err := tx.UsersOf(ctx, ids)
	if err != nil {
		return err
	}
	told := map[identity.UserID]words{}
	last := map[identity.UserID]identity.Event{} // that ended the access, or deleted the person
	err = tx.EachEventOf(ctx, ids, nil, personal, func(e identity.Event) error {
		if told[e.UserID] == nil {
			told[e.UserID] = words{}
		}
		told[e.UserID].hear(e, d.ID)
		if e.Type == identity.UserDeactivated || e.Type == identity.UserDeleted {
			last[e.UserID] = e
		}
		return nil
	})
	for _, l := range links {
		u, there := people[l.UserID]
		if !there {
			continue
		}
		out.Checked++
		if l.Active && !u.Enabled {
			e := last[u.ID]
			now := "no"
			if u.DeletedAt != nil {
				now = "deleted"
			}
			out.add(DriftItem{UserID: u.ID, Who: u.UserName, Field: "active", Said: "yes", Now: now, ChangedBy: e.ActorLabel, At: e.At, Event: e.ID})
		}
		if u.DeletedAt == nil {
			told[u.ID].drift(valuesOf(u), DriftItem{UserID: u.ID, Who: u.UserName}, out)
		}
	}
	return err
}

// valuesOf are the fields of a person as events name them.
func valuesOf(u identity.User) map[string]any {
	out := object(u.Attributes)
	if out == nil {
		out = map[string]any{}
	}
	out["userName"], out["displayName"], out["emails"] = u.UserName, orNil(u.DisplayName), emailTexts(u.Emails)
	return out
}

// notSaid are fields of which a directory's word is looked at otherwise, or is none.
var notSaid = append([]string{"active", "held", "externalId", "groups", "roles"}, noAttributes...)

// drift adds what is not as the directory said it.
func (w words) drift(now map[string]any, item DriftItem, out *DriftReport) {
	for _, field := range slices.Sorted(maps.Keys(w)) {
		last := w[field]
		if !last.spoke || slices.Contains(notSaid, field) || strings.HasPrefix(field, "active at ") {
			continue
		}
		value, there := namelessManager(field, last.said), namelessManager(field, now[field])
		said, is := jsonText(value), jsonText(there)
		if said == is || strings.Contains(said, `"`+hiddenValue+`"`) {
			continue
		}
		item.Field, item.Said, item.Now = field, changeValue(value), changeValue(plain(there))
		item.ChangedBy, item.At, item.Event = "", time.Time{}, ""
		if last.other != nil {
			item.ChangedBy, item.At, item.Event = last.other.ActorLabel, last.other.At, last.other.ID
		}
		out.add(item)
	}
}

// jsonText writes a value so that equal values are equal texts; none is empty.
func jsonText(v any) string {
	raw, err := json.Marshal(v)
	if err != nil || string(raw) == "null" {
		return ""
	}
	return string(raw)
}

// plain is a value as JSON has it.
func plain(v any) any {
	var out any
	_ = json.Unmarshal([]byte(jsonText(v)), &out) // what cannot be written is nothing
	return out
}
