package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"anagrafe/protocol"
	"anagrafe/protocol/wholefile"
)

// cmdReceipt checks a receipt that an owner saved from the agent's pages. It needs
// no running collector: the public half of the key is enough, here or elsewhere.
func cmdReceipt(_ context.Context, c *call, args []string) error {
	f := c.flags()
	key := f.String("key", "", "the collector's verifier key of receipts (default: the one in DIR/keys/receipt.pub)")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	if *key == "" {
		if *key, err = ownReceiptKey(c.dir); err != nil {
			return err
		}
	}
	signed, err := readReceipt(words[0])
	if err != nil {
		return err
	}
	r, err := protocol.OpenReceipt(signed, *key)
	if err != nil {
		return fmt.Errorf("%w; give the file as the agent's page saved it, and the key of the collector that gave the receipt", err)
	}
	if c.json {
		return c.print(struct {
			Verified   bool      `json:"verified"`
			Message    string    `json:"message"`
			Site       string    `json:"site"`
			SHA256     string    `json:"sha256"`
			RecordedAt time.Time `json:"recorded_at"`
		}{true, r.MessageID, r.SiteID, fmt.Sprintf("%x", r.SHA256), r.RecordedAt})
	}
	fmt.Fprintf(c.out, "verified: this collector recorded message %s of site %s on %s; its SHA-256 is %x\n",
		r.MessageID, r.SiteID, r.RecordedAt.Local().Format(time.DateTime), r.SHA256)
	return nil
}

func ownReceiptKey(dir string) (string, error) {
	path := filepath.Join(dir, "keys", "receipt.pub")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is not there: give the collector's directory with -data DIR, or the key itself with -key VKEY", path)
	}
	if err != nil {
		return "", fmt.Errorf("reading the key of receipts: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// readReceipt reads no more than a receipt can have.
func readReceipt(path string) (string, error) {
	b, err := wholefile.Read(path, protocol.MaxReceipt)
	if err != nil {
		return "", fmt.Errorf("reading the receipt: %w", err)
	}
	return string(b), nil
}
