package main

import (
	"fmt"
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rebind gives a socket another source port from its next packet on, as a router does
// that has lost its table of addresses: what is sent to the old port arrives nowhere, and
// nobody on the inside is told. Linux takes the port of a socket that did not ask for a
// certain one when it is disconnected (connect(2), AF_UNSPEC), and gives the next.
func rebind(socket *net.UDPConn) error {
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	nobody := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	var failed unix.Errno
	err = raw.Control(func(fd uintptr) {
		_, _, failed = unix.Syscall(unix.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&nobody)), unsafe.Sizeof(nobody))
	})
	if err == nil && failed != 0 {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("give a socket another port: %w", err)
	}
	return nil
}
