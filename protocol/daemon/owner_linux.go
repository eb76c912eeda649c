package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// AsOwner has root act as the owner of dir until back is called. What root left
// there by a command the service could not open any more, and a service that was
// taken over could lead root elsewhere by a link. For any other user, and where dir
// is root's own, it does nothing. The real user stays root's, so that back works:
// it guards files, and is no jail.
//
// The identity is the whole process's: no two of its parts may act as different
// owners at a time.
func AsOwner(dir string) (back func() error, err error) {
	nothing := func() error { return nil }
	if os.Geteuid() != 0 {
		return nothing, nil
	}
	uid, gid, err := owner(dir)
	if err != nil || uid == 0 {
		return nothing, err
	}
	groups, err := os.Getgroups()
	if err != nil {
		return nothing, fmt.Errorf("asking for the groups of this process: %w", err)
	}
	former := os.Getegid()
	back = func() error {
		return errors.Join(syscall.Setresuid(-1, 0, -1), syscall.Setresgid(-1, former, -1), syscall.Setgroups(groups))
	}
	if err := errors.Join(syscall.Setgroups(groupsOf(uid, gid)), syscall.Setresgid(-1, gid, -1), syscall.Setresuid(-1, uid, -1)); err != nil {
		return nothing, errors.Join(fmt.Errorf("acting as user %d, to whom %s belongs: %w", uid, dir, err), back())
	}
	return back, nil
}

// owner is whose dir is; of one that is not there yet, whose its nearest parent is:
// root makes a directory below its own.
func owner(dir string) (uid, gid int, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return 0, 0, err
	}
	info, err := os.Stat(dir)
	for errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		info, err = os.Stat(dir)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("finding whose directory %s is: %w", dir, err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, nil
	}
	return int(stat.Uid), int(stat.Gid), nil
}

// groupsOf are the groups that the owner has: its socket of PostgreSQL or its
// certificate may be a group's.
func groupsOf(uid, gid int) []int {
	groups := []int{gid}
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return groups // a user without a name has no others
	}
	ids, err := u.GroupIds()
	if err != nil {
		return groups
	}
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil && n != gid {
			groups = append(groups, n)
		}
	}
	return groups
}
