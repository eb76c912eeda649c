package daemon

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// InJournal reports whether what is written to w goes to the journal, where more people
// read it than should a secret. systemd names the stream that it made; a program that
// was started from another one may have inherited the name, and writes elsewhere
// (systemd.exec(5), JOURNAL_STREAM).
func InJournal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}
