package protocol

// Validate checks every field of a contact; the error is FieldErrors.
func (p Contact) Validate() error { return collect(func(c checker) { c.contact(p) }) }
