//go:build unix

package update

import (
	"os"
	"syscall"
)

// replaceProcess puts a program in the place of this process: the service manager's unit,
// process id and limits stay. It returns only if that fails.
func (u *Updater) replaceProcess(path string) error {
	return syscall.Exec(path, append([]string{path}, os.Args[1:]...), u.environ(path, ""))
}
