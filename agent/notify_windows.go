package main

import (
	"context"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

var wtsSendMessage = windows.NewLazySystemDLL("wtsapi32.dll").NewProc("WTSSendMessageW")

// noSession is what WTSGetActiveConsoleSessionId gives where nobody is in front of
// the computer.
const noSession = 0xFFFFFFFF

// desktopMessage shows a box in the session in front of the computer: a service has
// no desktop of its own, and this is the call by which it may reach another's
// (WTSSendMessageW of wtsapi32). It does not wait for the answer. Where nobody is
// logged in nothing is done.
func desktopMessage(_ context.Context, title, text string) error {
	session := windows.WTSGetActiveConsoleSessionId()
	if session == noSession {
		return nil
	}
	t, err := windows.UTF16FromString(title)
	if err != nil {
		return err
	}
	m, err := windows.UTF16FromString(text)
	if err != nil {
		return err
	}
	const size = 2 // of a UTF-16 unit: lengths are in bytes, without the zero at the end
	var response uint32
	ok, _, err := wtsSendMessage.Call(0, uintptr(session),
		uintptr(unsafe.Pointer(&t[0])), uintptr((len(t)-1)*size), uintptr(unsafe.Pointer(&m[0])), uintptr((len(m)-1)*size),
		windows.MB_OK|windows.MB_ICONINFORMATION, 0, uintptr(unsafe.Pointer(&response)), 0)
	if ok == 0 {
		return fmt.Errorf("WTSSendMessage: %w", err)
	}
	return nil
}
