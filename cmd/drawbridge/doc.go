// Drawbridge stands between the places that know people and the applications they use.
//
// This command reads the settings, builds the floors in their order (store, access, provisioning, authn, the doors, web) and runs them.
// Its subcommands are a door like any other: they call the same methods as the console, with the operator as the actor, and decide nothing themselves.
package main
