package trail

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"anagrafe/protocol/wholefile"
)

const keyFile = "checkpoint.key"

// loadKey reads the key that signs checkpoints. Only a trail that holds nothing
// yet gets a new one: a key that is lost or unreadable is never replaced in
// silence, since every older checkpoint would then look forged.
func loadKey(dir string, fresh bool) (note.Signer, string, error) {
	path := filepath.Join(dir, keyFile)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && fresh:
		return makeKey(dir, path)
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", fmt.Errorf("%s is missing, but the trail already holds checkpoints signed with it: put the file back from the backup of the keys; a "+
			"new key would make every older checkpoint look forged", path)
	case err != nil:
		return nil, "", fmt.Errorf("look at the checkpoint key: %w", err)
	case info.Mode().Perm()&0o077 != 0:
		return nil, "", fmt.Errorf("%s can be read by other users (mode %v): check who copied it, then run chmod 600 %s", path, info.Mode().Perm(), path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, "", fmt.Errorf("read the checkpoint key: %w: make %s readable for the collector's user, or put it back from the backup of the keys", err, path)
	}
	lines := strings.Fields(string(raw))
	if len(lines) != 2 {
		return nil, "", damagedKey(path, errors.New("it does not hold a signing key and a verifier key"))
	}
	signer, err := note.NewSigner(lines[0])
	if err != nil {
		return nil, "", damagedKey(path, err)
	}
	v, err := note.NewVerifier(lines[1])
	if err != nil {
		return nil, "", damagedKey(path, err)
	}
	if v.Name() != signer.Name() || v.KeyHash() != signer.KeyHash() {
		return nil, "", damagedKey(path, errors.New("its two halves do not belong together"))
	}
	return signer, lines[1], nil
}

func damagedKey(path string, why error) error {
	return fmt.Errorf("%s is damaged: %w: put it back from the backup of the keys; it is not replaced by a new one, since every older checkpoint would then look forged", path, why)
}

// makeKey writes a new key under a name that did not exist, complete or not at all.
func makeKey(dir, path string) (note.Signer, string, error) {
	var suffix [4]byte
	rand.Read(suffix[:]) // never fails
	skey, vkey, err := note.GenerateKey(rand.Reader, "anagrafe-trail-"+hex.EncodeToString(suffix[:]))
	if err != nil {
		return nil, "", fmt.Errorf("make the checkpoint key: %w", err)
	}
	err = os.MkdirAll(dir, 0o700)
	if err == nil {
		err = wholefile.WriteNew(path, []byte(skey+"\n"+vkey+"\n"), 0o600)
	}
	if err != nil {
		return nil, "", fmt.Errorf("write the checkpoint key: %w", err)
	}
	signer, err := note.NewSigner(skey)
	return signer, vkey, err
}
