package trail

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const maxCheckpoint = 64 << 10 // bytes; three lines and a few signatures are under 1 KiB

// signCheckpoint writes and signs the C2SP tlog-checkpoint of a tree.
func signCheckpoint(s note.Signer, tree tlog.Tree) ([]byte, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", s.Name(), tree.N, base64.StdEncoding.EncodeToString(tree.Hash[:]))
	return note.Sign(&note.Note{Text: text}, s)
}

// openCheckpoint checks the signature of a checkpoint by the one key, and reads it.
func openCheckpoint(raw []byte, v note.Verifier) (tlog.Tree, error) {
	if len(raw) > maxCheckpoint {
		return tlog.Tree{}, fmt.Errorf("it has %d bytes, more than %d", len(raw), maxCheckpoint)
	}
	n, err := note.Open(raw, note.VerifierList(v))
	if err != nil {
		return tlog.Tree{}, err
	}
	for _, s := range n.Sigs {
		if _, err := strict.DecodeString(s.Base64); err != nil { // note is lenient with bits that do not count
			return tlog.Tree{}, errors.New("its signature is not written in the one way")
		}
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 || lines[0] != v.Name() {
		return tlog.Tree{}, fmt.Errorf("it is not a checkpoint of %s", v.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, errors.New("its number of entries is not a number")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tlog.Tree{}, errors.New("its root is not a hash")
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

// Sign signs another text about the trail, such as a dossier, as a note with the key of
// the checkpoints. Its first line must say what it is, so that it cannot pass for a
// checkpoint, whose first line is the key's name.
func (t *Trail) Sign(text string) ([]byte, error) {
	purpose, _, ok := strings.Cut(text, "\n")
	if !ok || purpose == "" || purpose == t.signer.Name() {
		return nil, errors.New("sign a text: its first line must say what it is, and may not be the name of the key")
	}
	return note.Sign(&note.Note{Text: text}, t.signer)
}
