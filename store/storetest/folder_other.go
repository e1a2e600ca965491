//go:build unix && !linux

package storetest

// parentFolder returns "" for the system's temporary folder.
func parentFolder() string { return "" }
