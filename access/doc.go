// Package access evaluates the access model: which roles exist, what each may do, and why. A model is one YAML file; five presets are built in.
// It decides about roles only: which roles somebody has, and in which tenant a decision counts, is known above.
//
// A model describes more than is evaluated here: business units, levels of data access, user types, invariants, API keys and the words of the pages
// are read and checked, so that a file is right or wrong as a whole, and are kept for the floors that enforce them. Of the policies, the lockout, the
// session's ages and the length and classes of passwords are in force (Policy); password history and age are not yet.
package access
