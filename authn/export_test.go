package authn

// Hashes sets how many hashes are computed at once, as on a machine with as many processors.
func (s *Service) Hashes(n int) { s.hashes = make(chan struct{}, n) }

// MostHashes is the bound whatever the machine has.
const MostHashes = mostHashes
