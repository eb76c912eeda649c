package daemon

import "runtime/debug"

// Version is that of a release, which the linker puts into the main package of a
// program, or what the Go tool stamped where it was built by hand.
func Version(release string) string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
