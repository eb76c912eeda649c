package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"anagrafe/collector/letter"
	"anagrafe/collector/pdf"
)

// batchFlags ask for a batch of codes.
type batchFlags struct{ association, letters string }

func (b *batchFlags) on(f *flag.FlagSet) {
	f.StringVar(&b.association, "association", "", "make -count codes that name no site, for an association to hand to its members")
	f.StringVar(&b.letters, "letters", "", "write a letter for each of them to this new PDF file")
}

// batch is one as the handlers of /batches answer it.
type batch struct {
	ID          string    `json:"id"`
	Association string    `json:"association"`
	Codes       int       `json:"codes"`
	Used        int       `json:"used"`
	At          time.Time `json:"at"`
	ExpiresAt   time.Time `json:"expires_at"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
}

// batchMade is a batch with its codes, which are shown once.
type batchMade struct {
	batch
	Invitations []struct {
		Code string `json:"code"`
		Link string `json:"link"`
	} `json:"invitations"`
}

// inviteBatch makes codes for an association: printed, or with letters in a new file.
func (c *call) inviteBatch(ctx context.Context, b batchFlags, count int) error {
	config, err := c.readConfig()
	switch {
	case err != nil:
		return err
	case b.association == "":
		return misuse("-association NAME is missing: who sends the letters")
	case count < 1:
		return misuse("-count N is missing: how many codes")
	case b.letters != "" && count > letter.Most:
		return misuse(fmt.Sprintf("one file holds at most %d letters: make several batches", letter.Most))
	case b.letters != "" && (config.Controller == "" || config.ControllerContact == ""):
		return misuse("a letter says who keeps the register and whom to ask: set controller and controller_contact in the configuration first")
	}
	var made batchMade
	ask := func() error {
		return c.withCollector(ctx, func(cl client) error {
			return cl.do(ctx, http.MethodPost, "/batches", map[string]string{"association": b.association, "count": strconv.Itoa(count)}, &made)
		})
	}
	err = withNewFile(b.letters, ask, func(file io.Writer) error { return made.write(file, config) })
	switch {
	case err != nil && made.ID != "" && b.letters != "":
		return fmt.Errorf("the codes are made, but the letters are not in %s: %w; end this batch (batch end %s) and make another", b.letters, err, made.ID)
	case err != nil:
		return err
	case b.letters == "":
		return c.printBatch(made)
	case c.json:
		return c.print(made.batch)
	}
	fmt.Fprintf(c.out, "batch %s: %s for %s, until %s, in %s; who holds a letter holds its code\n", made.ID, counted(count, "letter", "letters"), made.Association, day(made.ExpiresAt), b.letters)
	return nil
}

func (c *call) printBatch(made batchMade) error {
	if c.json {
		return c.print(made)
	}
	for _, i := range made.Invitations {
		fmt.Fprintf(c.out, "%s  %s\n", i.Code, i.Link)
	}
	return nil
}

// write writes the letters.
func (b batchMade) write(file io.Writer, config Config) error {
	letters := letter.Association{Name: b.Association, Comune: config.Controller, Ask: config.ControllerContact, PublicURL: strings.TrimSuffix(config.PublicURL, "/"), Made: b.At, Expires: b.ExpiresAt}
	for _, i := range b.Invitations {
		letters.Codes = append(letters.Codes, letter.AssociationCode(i))
	}
	d, err := letters.Document()
	if err != nil {
		return err
	}
	raw, err := pdf.Write(d)
	if err != nil {
		return err
	}
	_, err = file.Write(raw)
	return err
}

// cmdBatchList lists the batches, and how many of their codes are used.
func cmdBatchList(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	page := f.Int("page", 1, "which page of the list, the newest first")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	if *page < 1 {
		return misuse("-page is a whole number from 1")
	}
	var answer struct {
		Batches []batch `json:"batches"`
		All     int     `json:"all"`
		Page    int     `json:"page"`
	}
	if err := c.withCollector(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodGet, "/batches?"+url.Values{"page": {strconv.Itoa(*page)}}.Encode(), nil, &answer)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "BATCH\tASSOCIATION\tCODES\tUSED\tMADE\tUNTIL\tENDED")
	for _, b := range answer.Batches {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\t%s\n", b.ID, b.Association, b.Codes, b.Used, day(b.At), day(b.ExpiresAt), day(b.EndedAt))
	}
	return w.Flush()
}

// cmdBatchEnd makes the unused codes of a batch good for nothing.
func cmdBatchEnd(ctx context.Context, c *call, args []string) error {
	words, err := c.parse(c.flags(), args, 1)
	if err != nil {
		return err
	}
	return c.withCollector(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/batches/"+url.PathEscape(words[0])+"/end", nil, nil)
	})
}
