// Package identity is the vocabulary of Drawbridge: the records, their ids, the kinds of errors and the events.
// It holds no rule that needs a database and it imports the standard library only, apart from the Unicode tables
// that an e-mail address cannot be compared without (docs/decisions/0002-email-keys.md).
package identity
