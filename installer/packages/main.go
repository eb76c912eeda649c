// Command packages writes a program's bill of materials (CycloneDX 1.6, JSON), the licences of all
// that is linked into it, and its manual page, and draws the packages' icon. It hides where the
// parts are listed: Go modules in the program itself, the front end's in npm's lock file, SQLite's
// version in SQLite; the caller names the C library. "materials" calls it for each program.
package main

import (
	"debug/buildinfo"
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "packages:", err)
		os.Exit(1)
	}
}

// run reads the command line: packages -libc NAME@VERSION -bom FILE -licences FILE
// PROGRAM, called in the root of the project, or packages -page FILE PROGRAM, or packages
// -icon FILE.ico, or packages -icon FILE.png -size PIXELS.
func run() error {
	libc := flag.String("libc", "", "Debian's package of the C library that is linked in, NAME@VERSION; empty: none is")
	bomFile := flag.String("bom", "", "where the bill of materials is written")
	licencesFile := flag.String("licences", "", "where the licences are written")
	pageFile := flag.String("page", "", "where the manual page is written, and nothing else; PROGRAM is one of this machine")
	iconFile := flag.String("icon", "", "where the icon is drawn, and nothing else: FILE.ico or FILE.png")
	size := flag.Int("size", 256, "of a PNG, in pixels")
	flag.Parse()
	if *iconFile != "" {
		icon, err := iconOf(*iconFile, *size)
		if err != nil {
			return err
		}
		return os.WriteFile(*iconFile, icon, 0o644)
	}
	epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH is the second that all packages bear: %w", err)
	}
	made := time.Unix(epoch, 0)
	if *pageFile != "" {
		roff, err := pageOf(flag.Arg(0), os.Getenv("VERSION"), made)
		if err != nil {
			return err
		}
		return os.WriteFile(*pageFile, roff, 0o644)
	}
	info, err := buildinfo.ReadFile(flag.Arg(0))
	if err != nil {
		return err
	}
	frontEnd, err := bundledLicences("protocol/pages/dist", flag.Arg(0))
	if err != nil {
		return err
	}
	var bundled []bundle
	if frontEnd != nil {
		if bundled, err = readLock("protocol/pages/package-lock.json", frontEnd); err != nil {
			return err
		}
	}
	bom, err := billOf(info, bundled, *libc, os.Getenv("VERSION"), made)
	if err != nil {
		return err
	}
	if err := os.WriteFile(*bomFile, bom, 0o644); err != nil {
		return err
	}
	texts, err := licencesOf(info, frontEnd, *libc)
	if err != nil {
		return err
	}
	return os.WriteFile(*licencesFile, texts, 0o644)
}
