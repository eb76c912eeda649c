package main

import "golang.org/x/sys/windows/registry"

// packaged reports whether the MSI has installed the service: its own table registers it,
// and it will remove it.
func packaged() bool {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `Software\Anagrafe Telecamere`, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return false
	}
	_ = key.Close()
	return true
}
