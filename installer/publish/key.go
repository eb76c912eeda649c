package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"golang.org/x/term"

	"anagrafe/protocol/wholefile"
)

// minPassphrase is in characters: a thief of the file can guess offline.
const minPassphrase = 16

// workFactor is age's own: about a second a try.
var workFactor = 18

// key signs; its public half is in the root.
type key struct {
	signature.Signer
	id string
}

// newKey makes a key: FILE sealed, FILE.pub in the open.
func newKey(file, from string) error {
	secret, err := passphrase(from, true)
	if err != nil {
		return err
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	recipient, err := age.NewScryptRecipient(secret)
	if err != nil {
		return err
	}
	recipient.SetWorkFactor(workFactor)
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipient)
	if err != nil {
		return err
	}
	if err := pem.Encode(w, &pem.Block{Type: "PRIVATE KEY", Bytes: der}); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := wholefile.WriteNew(file, sealed.Bytes(), 0o600); err != nil {
		return err
	}
	return wholefile.Write(file+".pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}), 0o644)
}

// openKey opens a sealed key.
func openKey(file, from string) (key, error) {
	if file == "" {
		return key{}, errors.New("name the key with -key FILE")
	}
	f, err := os.Open(file)
	if err != nil {
		return key{}, err
	}
	defer f.Close()
	secret, err := passphrase(from, false)
	if err != nil {
		return key{}, err
	}
	identity, err := age.NewScryptIdentity(secret)
	if err != nil {
		return key{}, err
	}
	r, err := age.Decrypt(io.LimitReader(f, 1<<16), identity)
	if err != nil {
		return key{}, fmt.Errorf("opening %s: %w (is it the right pass phrase?)", file, err)
	}
	raw, err := io.ReadAll(io.LimitReader(r, 1<<16))
	if err != nil {
		return key{}, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return key{}, fmt.Errorf("%s holds no key", file)
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return key{}, fmt.Errorf("%s holds no key: %w", file, err)
	}
	signer, err := signature.LoadSigner(private, crypto.Hash(0)) // Ed25519 hashes by itself
	if err != nil {
		return key{}, err
	}
	public, err := signer.PublicKey()
	if err != nil {
		return key{}, err
	}
	k, err := metadata.KeyFromPublicKey(public)
	if err != nil {
		return key{}, err
	}
	id, err := k.ID()
	return key{signer, id}, err
}

// publicKey reads a FILE.pub.
func publicKey(file string) (*metadata.Key, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("%s holds no public key", file)
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return metadata.KeyFromPublicKey(public)
}

// passphrase is the first line of a file, or is typed, twice where it is new.
func passphrase(from string, fresh bool) (string, error) {
	var secret string
	if from != "" {
		raw, err := os.ReadFile(from)
		if err != nil {
			return "", err
		}
		secret, _, _ = strings.Cut(string(raw), "\n")
	} else {
		var err error
		if secret, err = typed("Pass phrase: "); err != nil {
			return "", err
		}
		if fresh {
			if again, err := typed("Once more: "); err != nil || again != secret {
				return "", errors.Join(errors.New("the two pass phrases are not the same"), err)
			}
		}
	}
	if len([]rune(secret)) < minPassphrase {
		return "", fmt.Errorf("a pass phrase has %d characters at least: five words that nobody knows you for", minPassphrase)
	}
	return secret, nil
}

func typed(prompt string) (string, error) {
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		return "", errors.New("there is no terminal to type the pass phrase on: name its file with -passphrase FILE")
	}
	fmt.Fprint(os.Stderr, prompt)
	raw, err := term.ReadPassword(in)
	fmt.Fprintln(os.Stderr)
	return string(raw), err
}
