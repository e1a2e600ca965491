package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// userType returns the commands about user types.
func (p *program) userType() *cobra.Command {
	cmd := &cobra.Command{Use: "user-type", Short: "User types, which are words for people and grant nothing: list, create, rename, delete"}
	cmd.AddCommand(p.userTypeList(), p.userTypeCreate(), p.userTypeRename(), p.userTypeDelete())
	return p.group(cmd)
}

type userTypeView struct {
	ID      identity.UserTypeID `json:"id"`
	Title   string              `json:"title"`
	Role    identity.RoleID     `json:"proposed_role,omitempty"`
	Most    int                 `json:"max_users,omitempty"` // none: any number
	Shipped bool                `json:"shipped"`
	Users   int                 `json:"users"`
}

func viewUserType(t identity.UserType) userTypeView {
	return userTypeView{t.ID, t.Title, t.DefaultRole, t.MaxUsers, t.Shipped, t.Users}
}

func (p *program) userTypeList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the user types with how many people have each", Example: "  drawbridge user-type list", Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			return p.with(ctx, func(b *bridge) error {
				types, err := b.people.UserTypes(ctx, identity.Operator())
				if err != nil {
					return err
				}
				list := listView[userTypeView]{Items: make([]userTypeView, len(types))}
				t := table{heading: []string{"ID", "TITLE", "PROPOSED ROLE", "AT MOST", "PEOPLE"}, none: "The access model has no user types."}
				for i, ut := range types {
					list.Items[i] = viewUserType(ut)
					most := "-"
					if ut.MaxUsers > 0 {
						most = fmt.Sprint(ut.MaxUsers)
					}
					t.add(string(ut.ID), ut.Title, orDash(string(ut.DefaultRole)), most, fmt.Sprint(ut.Users))
				}
				return p.show(list, t.write)
			})
		}),
	}
}

func (p *program) showType(done string, t identity.UserType, err error) error {
	if err != nil {
		return err
	}
	return p.show(viewUserType(t), func(w io.Writer) { fmt.Fprintf(w, "%s the user type %s (%s).\n", done, clean(t.Title), t.ID) })
}

func (p *program) userTypeCreate() *cobra.Command {
	var t identity.UserType
	var role string
	cmd := &cobra.Command{
		Use: "create TITLE", Short: "Add a user type, where the access model lets types be added", Example: `  drawbridge user-type create "Branch partner" --role officer`, Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				if role != "" {
					r, err := b.findRole(role)
					if err != nil {
						return err
					}
					t.DefaultRole = r.ID
				}
				t.Title = args[0]
				made, err := b.people.CreateUserType(ctx, identity.Operator(), t)
				return p.showType("Created", made, err)
			})
		}),
	}
	cmd.Flags().StringVar(&role, "role", "", "the role that is proposed for new people of the type")
	cmd.Flags().StringVar((*string)(&t.ID), "id", "", "its id (default: made of the title)")
	return cmd
}

func (p *program) userTypeRename() *cobra.Command {
	return &cobra.Command{
		Use: "rename TYPE TITLE", Short: "Give a user type another title; nobody's rights change", Example: `  drawbridge user-type rename dnn_portal "Customer portal"`, Args: cobra.ExactArgs(2),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				t, err := b.people.UpdateUserType(ctx, identity.Operator(), identity.UserTypeID(args[0]), func(t *identity.UserType) error {
					t.Title = args[1]
					return nil
				})
				return p.showType("Renamed", t, err)
			})
		}),
	}
}

func (p *program) userTypeDelete() *cobra.Command {
	var sure bool
	cmd := &cobra.Command{
		Use: "delete TYPE", Short: "Delete a user type that nobody has", Example: "  drawbridge user-type delete branch_partner", Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				t := identity.UserType{ID: identity.UserTypeID(args[0]), Title: args[0]}
				if !sure && !p.json && p.asks() && !p.confirm(fmt.Sprintf("Delete the user type %s?", clean(t.Title))) {
					return identity.Errorf(identity.Precondition, "Nothing was deleted. Answer y, or repeat with --yes.")
				}
				return p.showType("Deleted", t, b.people.DeleteUserType(ctx, identity.Operator(), t.ID))
			})
		}),
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "do not ask")
	return cmd
}
