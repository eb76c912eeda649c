// Package lan stores the owner's password and the TLS certificate that open the pages
// to the site's network, for machines without a screen. It hides the two files,
// DIR/lan.password and DIR/lan.pem, which other users cannot read.
//
// The agent's main loads both before it listens beyond this computer; package review
// serves the pages.
package lan

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"

	"anagrafe/agent/keyfile"
)

// What a password may be. bcrypt reads 72 bytes at most; NIST SP 800-63B asks for
// length and for nothing else.
const (
	minRunes = 12
	maxBytes = 72
)

// cost makes one comparison take some tenths of a second on a small machine; what
// slows a guesser down is that few are let through (package review), and who can read
// the file can read all that the password opens. Tests make it less.
var cost = bcrypt.DefaultCost

// ErrNone says that no password was set.
var ErrNone = errors.New("no password is set for access from the network")

// Errors of a password that cannot be set.
var (
	ErrShort = fmt.Errorf("the password has fewer than %d characters", minRunes)
	ErrLong  = fmt.Errorf("the password is longer than %d bytes", maxBytes)
)

func passwordFile(dir string) string { return filepath.Join(dir, "lan.password") }

// SetPassword keeps the password for access from the network, as bcrypt alone.
func SetPassword(dir, password string) error {
	switch {
	case utf8.RuneCountInString(password) < minRunes:
		return ErrShort
	case len(password) > maxBytes:
		return ErrLong
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		return err
	}
	if err := keyfile.Write(passwordFile(dir), hash); err != nil {
		return fmt.Errorf("keeping the password: %w", err)
	}
	return nil
}

// HasPassword reports whether one was set.
func HasPassword(dir string) (bool, error) {
	_, err := hash(dir)
	if errors.Is(err, ErrNone) {
		return false, nil
	}
	return err == nil, err
}

// Check reports whether password is the one that was set; ErrNone where none was.
func Check(dir, password string) (bool, error) {
	kept, err := hash(dir)
	if err != nil {
		return false, err
	}
	err = bcrypt.CompareHashAndPassword(kept, []byte(password))
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) || len(password) > maxBytes {
		return false, nil
	}
	return err == nil, err
}

func hash(dir string) ([]byte, error) {
	kept, err := keyfile.Read(passwordFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("reading the password for access from the network: %w", err)
	}
	return kept, nil
}
