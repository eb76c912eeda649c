package keyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// service is the account under which the agent's service runs, NT SERVICE\anagrafe-agent:
// Windows derives it from the service's name (S-1-5-80 and the SHA-1 of the name in
// capitals), so that it may be named before the service is there.
const service = "S-1-5-80-2316987306-315152314-120664392-3167844595-608863572"

// access lets in the system, the administrators, who may become anybody anyway,
// the service and the owner; nobody else, and nothing that the folder above grants
// (D:P). A folder hands it on to what is put into it.
const (
	access    = "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;" + service + ")(A;;FA;;;OW)"
	dirAccess = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;" + service + ")(A;OICI;FA;;;OW)"
)

// seal encrypts for this machine: a copy of the file, of a backup or of the disk
// opens nowhere else. It is the machine's key and not the user's, since one file is
// used by two accounts: the service runs under its own, and whoever enrols or
// asks the doctor with no service running is an administrator, who would find a
// file that the other had sealed shut. Who may read the file on this machine is
// for its access list.
func seal(secret []byte) ([]byte, error) {
	return protect(secret, func(in, out *windows.DataBlob) error {
		return windows.CryptProtectData(in, nil, nil, 0, nil, windows.CRYPTPROTECT_LOCAL_MACHINE|windows.CRYPTPROTECT_UI_FORBIDDEN, out)
	})
}

func unseal(b []byte) ([]byte, error) {
	secret, err := protect(b, func(in, out *windows.DataBlob) error {
		return windows.CryptUnprotectData(in, nil, nil, 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, out)
	})
	if err != nil {
		return nil, fmt.Errorf("it does not open on this machine: it is damaged, or was sealed on another one: %w", err)
	}
	return secret, nil
}

func protect(b []byte, call func(in, out *windows.DataBlob) error) ([]byte, error) {
	if len(b) == 0 {
		return nil, errors.New("it is empty")
	}
	in, out := windows.DataBlob{Size: uint32(len(b)), Data: &b[0]}, windows.DataBlob{}
	if err := call(&in, &out); err != nil {
		return nil, err
	}
	defer func() { _, _ = windows.LocalFree(windows.Handle(unsafe.Pointer(out.Data))) }()
	plain := unsafe.Slice(out.Data, out.Size)
	result := append([]byte(nil), plain...)
	clear(plain)
	return result, nil
}

// closed is for the access list, which closeToOthers has set and the sealed
// content does not rest on alone: an administrator who has changed it has meant to.
func closed(*os.File) error { return nil }

func closeToOthers(f *os.File) error { return restrict(f.Name(), access) }

func makeDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); errors.Is(err, fs.ErrExist) {
		return nil // as the installer closed it, or an administrator opened it
	} else if err != nil {
		return err
	}
	return restrict(dir, dirAccess)
}

func restrict(path, list string) error {
	descriptor, err := windows.SecurityDescriptorFromString(list)
	if err != nil {
		return err
	}
	dacl, _, err := descriptor.DACL()
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil)
}
