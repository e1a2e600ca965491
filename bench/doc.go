// Drawbridge bench measures the speed of the whole program from outside: the floor, which does the least that a SCIM server cannot
// avoid, and Drawbridge answer the same load by turns, on the same machine and the same database server.
//
// What counts is the ratio of the two in one session and the CPU time of a request; docs/performance.md says how to read the tables.
// It is a program that starts programs: it imports nothing of ours, so that it can only see what a client sees. It needs Linux (/proc).
package main
