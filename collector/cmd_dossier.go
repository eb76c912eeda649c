package main

import (
	"context"
	"fmt"
	"time"

	"anagrafe/collector/dossier"
	"anagrafe/protocol/wholefile"
)

// cmdDossierVerify proves a dossier offline, on any machine: it needs the file and
// the key alone.
func cmdDossierVerify(_ context.Context, c *call, args []string) error {
	d, err := c.openDossier(args, "-key is needed, and must come from outside the file: ask the force's auditor")
	if err != nil {
		return err
	}
	if c.json {
		return c.print(struct {
			Verified bool `json:"verified"`
			dossier.Head
			Parts   int `json:"parts"`
			Entries int `json:"entries"`
		}{true, d.Head, len(d.Parts), len(d.Entries)})
	}
	fmt.Fprintf(c.out, "verified: the dossier of case %s of %s, made by %s at %s: not a byte was changed; proven on the trail: %s\n",
		d.Head.Case, d.Head.Force, d.Head.MadeBy, d.Head.Made.Format(time.RFC3339), counted(len(d.Entries), "entry", "entries"))
	return nil
}

// cmdDossierShow prints what is in a dossier, once it is verified: of one that was
// altered nothing is to be believed.
func cmdDossierShow(_ context.Context, c *call, args []string) error {
	d, err := c.openDossier(args, "-key is needed: what was not verified is not shown")
	if err != nil {
		return err
	}
	if c.json {
		return c.print(struct {
			dossier.Head
			Parts []dossier.Part `json:"parts"`
		}{d.Head, d.Parts})
	}
	fmt.Fprintf(c.out, "case %s of %s, made by %s at %s\n", d.Head.Case, d.Head.Force, d.Head.MadeBy, d.Head.Made.Format(time.RFC3339))
	for _, p := range d.Parts {
		entry := "not on the trail by itself"
		if p.Index != dossier.NoEntry {
			entry = fmt.Sprintf("entry %d", p.Index)
		}
		fmt.Fprintf(c.out, "\n%s  %s  %s  (%s)\n%s\n", p.At.Format(time.RFC3339), p.Kind, p.By, entry, p.Body)
	}
	return nil
}

// openDossier reads and verifies the file that a command names, with the key that it
// gives; keyless is what to say where it gives none.
func (c *call) openDossier(args []string, keyless string) (dossier.Dossier, error) {
	flags := c.flags()
	key := flags.String("key", "", "the trail's verifier key, as the force's auditor has it")
	words, err := c.parse(flags, args, 1)
	if err != nil {
		return dossier.Dossier{}, err
	}
	if *key == "" {
		return dossier.Dossier{}, misuse(keyless)
	}
	raw, err := wholefile.Read(words[0], dossier.MaxSize)
	if err != nil {
		return dossier.Dossier{}, fmt.Errorf("reading the dossier: %w", err)
	}
	return dossier.Verify(raw, *key)
}
