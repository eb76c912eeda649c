package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"
)

// browse opens a link in this person's browser. The Explorer hands it to the desktop
// that is there, which runs with the person's ordinary rights: an administrator's
// do not reach the browser. It ends with a code that says nothing; there is always a
// desktop.
func browse(ctx context.Context, link string) (there bool, err error) {
	dir, err := windows.GetSystemWindowsDirectory()
	if err != nil {
		return false, err
	}
	explorer := exec.CommandContext(ctx, filepath.Join(dir, "explorer.exe"))
	explorer.SysProcAttr = &syscall.SysProcAttr{CmdLine: `explorer.exe "` + link + `"`} // quoted: it would cut it at "="
	if err := explorer.Run(); err != nil {
		if _, ran := errors.AsType[*exec.ExitError](err); !ran {
			return false, err
		}
	}
	return true, nil
}

// elevate runs this very command again as administrator, for which Windows asks the
// person. It tells whether that began; whoever has the rights already is not asked.
func elevate() bool {
	if windows.GetCurrentProcessToken().IsElevated() {
		return false
	}
	program, err := os.Executable()
	if err != nil {
		return false
	}
	words := make([]string, 0, len(os.Args))
	for _, word := range os.Args[1:] {
		words = append(words, syscall.EscapeArg(word))
	}
	verb, file, args := windows.StringToUTF16Ptr("runas"), windows.StringToUTF16Ptr(program), windows.StringToUTF16Ptr(strings.Join(words, " "))
	return windows.ShellExecute(0, verb, file, args, nil, windows.SW_SHOWNORMAL) == nil
}

// showWindow shows a text on the screen: the console of a
// program that was started by a click is gone when it ends.
func showWindow(text string) {
	words, err := windows.UTF16PtrFromString(text)
	if err == nil {
		_, _ = windows.MessageBox(0, words, windows.StringToUTF16Ptr("Anagrafe Telecamere"), windows.MB_OK|windows.MB_ICONWARNING)
	}
}
