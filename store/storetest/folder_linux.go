package storetest

import "syscall"

// memory is the file system in memory that Linux systems have.
const memory = "/dev/shm"

// enoughMemory is what must be free there, in bytes: some dozens of databases and the server's log. Containers often have less.
const enoughMemory = 1 << 30

// parentFolder returns where the server's folder goes: into memory where there is room, since a clone is ten times quicker there than on
// a busy disk, else "" for the system's temporary folder.
func parentFolder() string {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < enoughMemory {
		return ""
	}
	return memory
}
