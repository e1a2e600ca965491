package scim

import (
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// dialect is what a directory's client does differently from the standard. It is a value that is passed down; the zero value is the standard.
type dialect struct {
	booleans      func(string) (bool, bool) // reads a boolean sent as a string; nil: such a value is wrong
	filterStrings bool                      // active eq "True" matches
	createMissing bool                      // a value path that selects nothing: replace creates it, remove is done
	removeListed  bool                      // remove with a list of values removes those
	complexString bool                      // a complex attribute may be sent as the string of its value
	complexArray  bool                      // … or as an array of one; "" unassigns it
	bareNames     bool                      // attributes of an extension may be named without its URN
	foldPaths     bool                      // /users is /Users
	quietGroups   bool                      // PATCH of a group answers 204

	limits Limits     // of filters and paths: no matter of the dialect, but needed wherever it is; zero: the defaults
	types  *catalogue // what the installation serves, in every dialect; nil: what the standard has
}

// dialectOf returns the dialect of a directory.
func dialectOf(name identity.Dialect) dialect {
	switch name {
	case identity.DialectEntra:
		return dialect{
			booleans: foldedBoolean, filterStrings: true, createMissing: true, removeListed: true,
			complexString: true, complexArray: true, bareNames: true, foldPaths: true, quietGroups: true,
		}
	case identity.DialectOkta:
		return dialect{booleans: exactBoolean, filterStrings: true, createMissing: true, removeListed: true, complexString: true}
	}
	return dialect{}
}

func exactBoolean(s string) (value, ok bool) {
	return s == "true", s == "true" || s == "false"
}

func foldedBoolean(s string) (value, ok bool) {
	return exactBoolean(strings.ToLower(s))
}
