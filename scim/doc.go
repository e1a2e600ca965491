// Package scim is the door through which people are pushed to Drawbridge: SCIM 2.0 (RFC 7643, RFC 7644) with cursors of RFC 9865.
// It turns requests of a directory into calls of package provisioning and the answers into resources; it knows HTTP, JSON, filters,
// paths, PATCH and projection, and no rule about people.
//
// Choices where the standard leaves room:
//   - A password that a client sends is accepted and not kept: identifiers of local sign-in are unique in the whole installation, so
//     no directory may set them. The served schema has no password and a filter on it is refused.
//   - PUT replaces, but what it leaves out is kept for active, externalId and the members of a group: null or [] clears the latter two.
//   - PATCH that changes the members of a group of more than a hundred is answered with 204, unless attributes says what the client wants
//     to see: 200 would need all members, and the cost of a change must not depend on the size of the group.
//   - What a client accepts is not asked: the header Accept chooses among representations, and there is one.
//   - The order of a list that nobody asked to be sorted is the order of creation.
package scim
