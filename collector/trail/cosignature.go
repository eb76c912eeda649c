package trail

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/mod/sumdb/note"
)

// A witness's signature is a C2SP tlog-cosignature, v1 with Ed25519
// (https://c2sp.org/tlog-cosignature): a signature line of the note whose bytes
// are the time (POSIX seconds, 8 bytes, big endian) and an Ed25519 signature of
//
//	cosignature/v1
//	time SECONDS
//	the three lines of the checkpoint
//
// each line ended by a newline. It says that at that time this was the largest
// checkpoint that the witness had seen, and that it continued all before it. The
// key's type byte is 4, so that a key that signs logs never passes for a witness.
const (
	typeCosignature = 4
	timeSize        = 8 // bytes of the time before the signature
)

var errWitnessKey = errors.New("it is not a key of a witness (NAME+HASH+KEY of type 4)")

// witness signs or checks cosignatures; it is a note.Verifier and, with a private
// key, a note.Signer.
type witness struct {
	name   string
	hash   uint32
	public ed25519.PublicKey
	key    ed25519.PrivateKey // nil: it only checks
	now    func() time.Time
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }

func (w *witness) Sign(text []byte) ([]byte, error) {
	at := uint64(w.now().Unix())
	return append(binary.BigEndian.AppendUint64(nil, at), ed25519.Sign(w.key, cosigned(at, text))...), nil
}

func (w *witness) Verify(text, sig []byte) bool {
	return len(sig) == timeSize+ed25519.SignatureSize &&
		ed25519.Verify(w.public, cosigned(binary.BigEndian.Uint64(sig), text), sig[timeSize:])
}

// cosigned is what a cosignature signs.
func cosigned(at uint64, text []byte) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text)
}

// vkey is the public half as people hand it on.
func (w *witness) vkey() string {
	return fmt.Sprintf("%s+%08x+%s", w.name, w.hash, base64.StdEncoding.EncodeToString(append([]byte{typeCosignature}, w.public...)))
}

func newWitness(name string, public ed25519.PublicKey) *witness {
	sum := sha256.Sum256(append([]byte(name+"\n\x04"), public...))
	return &witness{name: name, hash: binary.BigEndian.Uint32(sum[:]), public: public}
}

// NewWitnessKey makes the key of a witness, whose name should be a host name of
// its own (procura.example.it): private is for the file that the witness keeps,
// public for the collector's configuration and for auditors.
func NewWitnessKey(name string) (private, public string, err error) {
	if name == "" || len(name) > maxField || strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r == '+' || !unicode.IsPrint(r) }) {
		return "", "", fmt.Errorf("the name %q of a witness may have no spaces and no +: take a host name of yours", name)
	}
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", "", fmt.Errorf("make the key of a witness: %w", err)
	}
	w := newWitness(name, pub)
	seed := base64.StdEncoding.EncodeToString(append([]byte{typeCosignature}, key.Seed()...))
	return fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, w.hash, seed), w.vkey(), nil
}

// parseWitness reads a public key.
func parseWitness(vkey string) (*witness, error) {
	name, hash, key, err := parseKey(strings.TrimSpace(vkey))
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, errWitnessKey
	}
	return checkHash(newWitness(name, key), hash)
}

// witnessSigner reads a private key.
func witnessSigner(skey string, now func() time.Time) (*witness, error) {
	rest, private := strings.CutPrefix(strings.TrimSpace(skey), "PRIVATE+KEY+")
	name, hash, seed, err := parseKey(rest)
	if !private || err != nil || len(seed) != ed25519.SeedSize {
		return nil, errWitnessKey
	}
	key := ed25519.NewKeyFromSeed(seed)
	w := newWitness(name, key.Public().(ed25519.PublicKey))
	w.key, w.now = key, now
	return checkHash(w, hash)
}

func checkHash(w *witness, hash string) (*witness, error) {
	if fmt.Sprintf("%08x", w.hash) != hash {
		return nil, errWitnessKey
	}
	return w, nil
}

// parseKey takes NAME+HASH+BASE64 apart, and the type byte off the key.
func parseKey(s string) (name, hash string, key []byte, err error) {
	name, rest, ok1 := strings.Cut(s, "+")
	hash, text, ok2 := strings.Cut(rest, "+")
	key, err = base64.StdEncoding.DecodeString(text)
	if !ok1 || !ok2 || err != nil || name == "" || len(key) == 0 || key[0] != typeCosignature {
		return "", "", nil, errWitnessKey
	}
	return name, hash, key[1:], nil
}

// CheckWitnessKey checks the public key of a witness.
func CheckWitnessKey(vkey string) error {
	_, err := parseWitness(vkey)
	return err
}

// cosignedAt is when the witness signed n; false: it did not.
func cosignedAt(n *note.Note, w *witness) (time.Time, bool) {
	for _, s := range n.Sigs {
		if s.Name != w.name || s.Hash != w.hash {
			continue
		}
		if raw, err := strict.DecodeString(s.Base64); err == nil && len(raw) > 4+timeSize {
			return time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC(), true
		}
	}
	return time.Time{}, false
}
