// Package access evaluates the access model: which roles exist, what each may do, and why. A model is one YAML file; five presets are built in.
// It decides about one subject at a time: which roles somebody has, and in which tenant a decision counts, is known above.
//
// A file is right or wrong as a whole: unknown words are mistakes, and every mistake is named with its line. What a model says beside roles (tenancy,
// business units, user types, onboarding, API keys, policies, invariants, the words of the pages) is answered here and enforced above.
package access
