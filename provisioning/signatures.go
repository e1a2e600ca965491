package provisioning

// Sign returns a MAC of 32 bytes over what a door hands out and wants to know again, such as a cursor of SCIM. It proves that this installation
// made it, whichever replica; the message must name everything that it is bound to. What was signed for one purpose is worth nothing for another.
func (s *Service) Sign(purpose string, message []byte) ([]byte, error) {
	return s.db.Sign(purpose, message)
}

// Signed reports whether Sign made the MAC for this purpose and message, also with a secret key that was replaced meanwhile.
func (s *Service) Signed(purpose string, message, mac []byte) bool {
	return s.db.Signed(purpose, message, mac)
}
