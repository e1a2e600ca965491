// Package outbox sends what leaves the building by mail: rows that a change wrote in its own transaction, through one SMTP server, with tries that
// become rarer. It knows nothing of what a mail is about and writes none itself.
//
// No mail is sent twice by intent. Before a mail is handed over, its row says so; if the program dies before the server's answer is written down, the mail
// counts as uncertain: it is reported and not sent again by itself, because it may have arrived. See docs/decisions/0018.
package outbox
