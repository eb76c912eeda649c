package update

// replaceProcess does nothing: Windows cannot put a program in the place of another, so that
// it runs as a child.
func (u *Updater) replaceProcess(string) error { return nil }
