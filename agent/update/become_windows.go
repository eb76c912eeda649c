package update

// become does nothing: Windows cannot put a program in the place of another, so that
// it runs as a child.
func (u *Updater) become(string) error { return nil }
