package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"anagrafe/collector/guide"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/wholefile"
)

// about is what the guides say of this register.
func (c Config) about() guide.About {
	return guide.About{Name: c.Controller, URL: c.public(), Contact: c.ControllerContact}
}

// The guides' paths on the public pages.
const (
	ownerGuide    = "/guida"
	referentGuide = "/guida/referenti"
	stickerFile   = "/vetrofania.pdf"
)

// guidePages are the guides on the public pages.
func (o *collector) guidePages() []web.Route {
	return []web.Route{
		{Pattern: "GET " + ownerGuide, Open: true, Handler: o.guides.Page(guide.Owner, ownerGuide+".pdf", stickerFile)},
		{Pattern: "GET " + ownerGuide + ".pdf", Open: true, Handler: o.guides.File(guide.Owner)},
		{Pattern: "GET " + stickerFile, Open: true, Handler: o.guides.File(guide.Sticker)},
		{Pattern: "GET " + referentGuide, Open: true, Handler: o.guides.Page(guide.Referent, referentGuide+".pdf", "")},
		{Pattern: "GET " + referentGuide + ".pdf", Open: true, Handler: o.guides.File(guide.Referent)},
	}
}

// manual is the operator's, on the console.
func (o *collector) manual() []web.Route {
	roles := []string{registry.RoleOps, registry.RoleAdmin}
	return []web.Route{
		{Pattern: "GET /manual", Roles: roles, Handler: o.guides.Page(guide.Operator, "/manual.pdf", "")},
		{Pattern: "GET /manual.pdf", Roles: roles, Handler: o.guides.File(guide.Operator)},
		{Pattern: "GET " + guide.Pictures + "{picture}", Roles: roles, Handler: o.guides.Picture()},
	}
}

// cmdGuide writes a guide as a PDF, as the configuration has it. It needs no register,
// so that one can read the manual before there is one.
func cmdGuide(_ context.Context, c *call, args []string) error {
	f := c.flags()
	lang := f.String("lang", string(pages.It), "language, it or en")
	words, err := c.parse(f, args, 2)
	if err != nil {
		return err
	}
	if !slices.Contains(guide.Names, words[0]) {
		return misuse(fmt.Sprintf("there is no guide %q: %s", words[0], strings.Join(guide.Names, ", ")))
	}
	if *lang != string(pages.It) && *lang != string(pages.En) {
		return misuse("-lang is it or en")
	}
	config, err := c.readConfig()
	if err != nil {
		return err
	}
	guides, err := guide.New(config.about(), c.log)
	if err != nil {
		return err
	}
	file, err := guides.PDF(words[0], pages.Lang(*lang))
	if err != nil {
		return err
	}
	err = wholefile.WriteNew(words[1], file, 0o644)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the folder of %s is not there: make it, or give another name", words[1])
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s is written\n", words[1])
	return nil
}
