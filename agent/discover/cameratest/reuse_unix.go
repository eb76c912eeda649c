//go:build unix

package cameratest

import "syscall"

// reuse lets several sockets of one host have a UDP port each on an address of
// its own, beside those that have it on every address.
func reuse(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) }); e != nil {
		return e
	}
	return err
}
