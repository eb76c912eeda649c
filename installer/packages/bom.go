package main

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/mattn/go-sqlite3"
)

// bundle is a package of the front end.
type bundle struct {
	name    string
	Version string `json:"version"`
}

// readLock reads of npm's lock file the packages of which code was bundled: those that
// the licences name.
func readLock(file string, licences []byte) ([]bundle, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var lock struct {
		Packages map[string]bundle `json:"packages"`
	}
	if err := json.Unmarshal(raw, &lock); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var all []bundle
	for where, b := range lock.Packages {
		b.name = strings.TrimPrefix(where, "node_modules/")
		if bytes.Contains(licences, []byte("==== "+b.name+": ")) || bytes.Contains(licences, []byte("==== "+b.name+" ====")) {
			all = append(all, b)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s names no package that was bundled: is it npm's lock file of version 3?", file)
	}
	slices.SortFunc(all, func(a, b bundle) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.Version, b.Version))
	})
	return all, nil
}

// billOf is the bill of materials of a program, the same bytes for the same program.
func billOf(info *debug.BuildInfo, bundled []bundle, libc, version string, made time.Time) ([]byte, error) {
	name := "anagrafe-" + path.Base(info.Path)
	parts := []cdx.Component{
		part("std", strings.TrimPrefix(info.GoVersion, "go"), "pkg:golang/std@"+strings.TrimPrefix(info.GoVersion, "go")),
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/mattn/go-sqlite3" {
			parts = append(parts, sqlite())
		}
		if m.Replace != nil {
			m = m.Replace
		}
		c := part(m.Path, m.Version, "pkg:golang/"+m.Path+"@"+m.Version)
		if sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:")); err == nil && len(sum) > 0 {
			c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
		}
		parts = append(parts, c)
	}
	for _, b := range bundled {
		parts = append(parts, part(b.name, b.Version, "pkg:npm/"+strings.Replace(b.name, "@", "%40", 1)+"@"+b.Version))
	}
	if name, version, ok := strings.Cut(libc, "@"); ok {
		parts = append(parts, part(name, version, "pkg:deb/debian/"+name+"@"+strings.ReplaceAll(version, "+", "%2B")))
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{
		Timestamp: made.UTC().Format(time.RFC3339),
		Component: &cdx.Component{Type: cdx.ComponentTypeApplication, BOMRef: name, Name: name, Version: version,
			Licenses: &cdx.Licenses{{License: &cdx.License{ID: "EUPL-1.2"}}}},
	}
	refs := make([]string, len(parts))
	for i, p := range parts {
		refs[i] = p.BOMRef
	}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: name, Dependencies: &refs}}
	var out bytes.Buffer
	err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
	return out.Bytes(), err
}

// sqlite is the database, whose C source is in a module of another version.
func sqlite() cdx.Component {
	version, _, _ := sqlite3.Version()
	c := part("sqlite", version, "pkg:generic/sqlite@"+version)
	c.CPE = "cpe:2.3:a:sqlite:sqlite:" + version + ":*:*:*:*:*:*:*"
	return c
}

func part(name, version, purl string) cdx.Component {
	return cdx.Component{Type: cdx.ComponentTypeLibrary, BOMRef: purl, Name: name, Version: version, PackageURL: purl}
}
