//go:build !linux

package daemon

// AsOwner does nothing: on Windows what an administrator writes the service's account
// may read by the access list of the directory, and other systems are for development.
func AsOwner(string) (back func() error, err error) {
	return func() error { return nil }, nil
}
