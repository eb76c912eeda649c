package dossier

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"anagrafe/collector/trail"
)

// Write returns the file. Every part with an index has its entry among the entries.
// sign makes a note of a text with the key of the trail (trail.Sign).
func Write(h Head, parts []Part, entries []trail.Inclusion, sign func(text string) ([]byte, error)) ([]byte, error) {
	raw, err := write(h, parts, entries, sign)
	if err != nil {
		return nil, fmt.Errorf("write the dossier of case %s: %w", h.Case, err)
	}
	return raw, nil
}

func write(h Head, parts []Part, entries []trail.Inclusion, sign func(text string) ([]byte, error)) ([]byte, error) {
	h.Format = format
	var out bytes.Buffer
	var hashes []string
	add := func(v any) error {
		raw, err := json.Marshal(v)
		if err != nil {
			return err
		}
		raw = append(raw, '\n')
		if out.Len()+len(raw) > MaxSize {
			return errors.New("it would be larger than 512 MiB")
		}
		out.Write(raw)
		hashes = append(hashes, hashOf(raw))
		return nil
	}
	if err := add(h); err != nil {
		return nil, err
	}
	for i := range parts {
		if err := add(line{Part: &parts[i]}); err != nil {
			return nil, err
		}
	}
	for i := range entries {
		if err := add(line{Entry: &entries[i]}); err != nil {
			return nil, err
		}
	}
	signed, err := sign(textOf(h.Case, hashes))
	if err != nil {
		return nil, err
	}
	if err := add(last{hashes, string(signed)}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// textOf is what is signed: the case, how many lines, and a hash of all their hashes.
func textOf(caseID string, hashes []string) string {
	all := sha256.New()
	for _, h := range hashes {
		all.Write([]byte(h))
	}
	return fmt.Sprintf("%s\n%s\n%d\n%x\n", purpose, caseID, len(hashes), all.Sum(nil))
}
