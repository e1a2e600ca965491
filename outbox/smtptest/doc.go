// Package smtptest is a real SMTP server with STARTTLS and a password, in the process of a test: it shows that mails arrive, and what happens when a server says no. It knows
// nothing of Drawbridge.
package smtptest
