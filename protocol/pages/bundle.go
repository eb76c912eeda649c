//go:build bundle

// Command bundle builds the front end into protocol/pages/dist. Run from the
// module's root, after npm ci:
//
//	go run -tags bundle ./protocol/pages/bundle.go
//
// Entry points are base.css, shell.css, fov.css and every *.ts and *.css below agent/review and
// collector/web (a name that begins with "_" is a part that others import).
// Third-party code comes from node_modules, exact by package-lock.json. Each
// file gets a name with a content hash, a .gz and a .br; manifest.json tells
// which is which; licences.txt carries the notices of all that went in.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

const (
	home    = "protocol/pages"
	modules = home + "/node_modules"
	dist    = home + "/dist"
	prefix  = "/static/" // pages.Prefix
)

// roots is where the pages are whose scripts and styles are bundled.
var roots = []string{"agent/review", "collector/web"}

// fonts are the three weights that base.css names.
var fonts = map[string]string{
	"titillium-400.woff2": "titillium-web-v10-latin-ext_latin-regular.woff2",
	"titillium-600.woff2": "titillium-web-v10-latin-ext_latin-600.woff2",
	"titillium-700.woff2": "titillium-web-v10-latin-ext_latin-700.woff2",
}

// output collects what goes into dist before anything is written.
type output struct {
	files map[string][]byte // hashed name -> content
	names map[string]string // plain name -> hashed name
	used  map[string]bool   // npm packages whose code is in
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bundle: ")
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	if _, err := os.Stat(modules); err != nil {
		return fmt.Errorf("%s is missing: run npm ci --ignore-scripts in %s", modules, home)
	}
	o := output{files: map[string][]byte{}, names: map[string]string{}, used: map[string]bool{}}
	for _, step := range []func() error{o.addFonts, o.addCopies, o.addSprite, o.addBundles, o.addLicences} {
		if err := step(); err != nil {
			return err
		}
	}
	return o.write()
}

// add keeps one file under a name with the hash of its content.
func (o *output) add(name string, content []byte) {
	sum := sha256.Sum256(content)
	ext := filepath.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:5]) + ext
	o.files[hashed] = content
	o.names[name] = hashed
}

func (o *output) addFonts() error {
	o.used["bootstrap-italia"] = true
	for name, file := range fonts {
		content, err := os.ReadFile(filepath.Join(modules, "bootstrap-italia/dist/fonts/Titillium_Web", file))
		if err != nil {
			return err
		}
		o.add(name, content)
	}
	return nil
}

// addCopies takes what is shipped ready-made. The map's worker must be of the
// same version as the library and stay a file of its own.
func (o *output) addCopies() error {
	for name, file := range map[string]string{
		"htmx.js":        "htmx.org/dist/htmx.min.js",
		"map-worker.mjs": "maplibre-gl/dist/maplibre-gl-worker.mjs",
	} {
		content, err := os.ReadFile(filepath.Join(modules, file))
		if err != nil {
			return err
		}
		o.used[strings.SplitN(file, "/", 2)[0]] = true
		o.add(name, sourceMap.ReplaceAll(content, nil))
	}
	return nil
}

var (
	sourceMap = regexp.MustCompile(`(?m)^//# sourceMappingURL=.*$`)
	iconName  = regexp.MustCompile(`"(it-[a-z0-9-]+)"`)
	symbol    = regexp.MustCompile(`(?s)<symbol id="(it-[a-z0-9-]+)".*?</symbol>`)
)

// addSprite keeps only the symbols that some template or Go file names, in
// double quotes; one that is not there stops the build.
func (o *output) addSprite() error {
	wanted := map[string]string{} // icon -> a file that names it
	for _, root := range append([]string{home}, roots...) {
		err := walk(root, func(path string) error {
			if !slices.Contains([]string{".html", ".go"}, filepath.Ext(path)) {
				return nil
			}
			content, err := os.ReadFile(path)
			for _, m := range iconName.FindAllSubmatch(content, -1) {
				wanted[string(m[1])] = path
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	all, err := os.ReadFile(filepath.Join(modules, "bootstrap-italia/dist/svg/sprites.svg"))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	out.WriteString(`<svg xmlns="http://www.w3.org/2000/svg">`)
	for _, m := range symbol.FindAllSubmatch(all, -1) {
		if _, ok := wanted[string(m[1])]; ok {
			out.Write(m[0])
			delete(wanted, string(m[1]))
		}
	}
	out.WriteString(`</svg>`)
	for name, path := range wanted {
		return fmt.Errorf("%s: bootstrap-italia has no icon %q", path, name)
	}
	o.add("sprite.svg", out.Bytes())
	return nil
}

func (o *output) addBundles() error {
	entries := []string{home + "/base.css", home + "/shell.css", home + "/fov.css"}
	for _, root := range roots {
		err := walk(root, func(path string) error {
			base := filepath.Base(path)
			if ext := filepath.Ext(base); (ext == ".ts" || ext == ".css") && !strings.HasPrefix(base, "_") && !strings.HasSuffix(base, ".d.ts") {
				entries = append(entries, path)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	result := api.Build(api.BuildOptions{
		EntryPoints: entries, Bundle: true, Splitting: true, Format: api.FormatESModule, Platform: api.PlatformBrowser,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true, LegalComments: api.LegalCommentsNone,
		Target: api.ES2022, NodePaths: []string{filepath.Join(here, modules)}, AbsWorkingDir: here,
		Outdir: filepath.Join(here, dist), EntryNames: "[name]-[hash]", ChunkNames: "chunk-[hash]", AssetNames: "[name]-[hash]",
		Define:   map[string]string{"MAP_WORKER": fmt.Sprintf("%q", prefix+o.names["map-worker.mjs"])},
		External: []string{"/static/*"}, Tsconfig: filepath.Join(here, home, "tsconfig.json"),
		Metafile: true, Write: false, LogLevel: api.LogLevelWarning, Plugins: []api.Plugin{o.fontPlugin()},
	})
	if len(result.Errors) > 0 {
		return fmt.Errorf("%d errors, see above", len(result.Errors))
	}
	for _, f := range result.OutputFiles {
		o.files[filepath.Base(f.Path)] = f.Contents
	}
	return o.readMeta(result.Metafile)
}

// inlineFont is a font inside a style sheet: bootstrap-italia carries one for
// its video player, which we do not use and the pages' policy refuses.
var inlineFont = regexp.MustCompile(`@font-face\s*\{[^{}]*url\(["']?data:[^{}]*\}`)

// fontPlugin lets base.css name a font by its plain name, and drops fonts that
// lie inside shipped css.
func (o *output) fontPlugin() api.Plugin {
	return api.Plugin{Name: "fonts", Setup: func(b api.PluginBuild) {
		b.OnLoad(api.OnLoadOptions{Filter: `node_modules/.*\.css$`}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			raw, err := os.ReadFile(a.Path)
			css := string(inlineFont.ReplaceAll(raw, nil))
			return api.OnLoadResult{Contents: &css, Loader: api.LoaderCSS, ResolveDir: filepath.Dir(a.Path)}, err
		})
		b.OnResolve(api.OnResolveOptions{Filter: `^titillium-\d+\.woff2$`}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: prefix + o.names[a.Path], External: true}, nil
		})
	}}
}

// readMeta learns from esbuild which output is which entry, and which packages
// their inputs come from.
func (o *output) readMeta(raw string) error {
	var meta struct {
		Inputs  map[string]any `json:"inputs"`
		Outputs map[string]struct {
			EntryPoint string `json:"entryPoint"`
		} `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(raw), &meta); err != nil {
		return err
	}
	for input := range meta.Inputs {
		_, inside, found := strings.Cut(input, "node_modules/")
		if !found {
			continue
		}
		parts := strings.SplitN(inside, "/", 3)
		if strings.HasPrefix(inside, "@") {
			o.used[parts[0]+"/"+parts[1]] = true
		} else {
			o.used[parts[0]] = true
		}
	}
	for path, out := range meta.Outputs {
		if out.EntryPoint == "" {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(out.EntryPoint), ".ts")
		if name != filepath.Base(out.EntryPoint) {
			name += ".js"
		}
		if other, twice := o.names[name]; twice {
			return fmt.Errorf("%s: there is already a %s (%s): file names of scripts and styles are unique", out.EntryPoint, name, other)
		}
		o.names[name] = filepath.Base(path)
	}
	return nil
}

// addLicences gathers the notices of every package whose code is in; a package
// without one stops the build.
func (o *output) addLicences() error {
	var out bytes.Buffer
	out.WriteString("Third-party software in these pages, with its licences.\n")
	var names []string
	for name := range o.used {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		files, err := licenceFiles(filepath.Join(modules, name))
		if err != nil {
			return err
		}
		if len(files) == 0 { // some packages name their licence and ship no text
			line, err := licenceLine(filepath.Join(modules, name))
			if err != nil {
				return fmt.Errorf("%s has no licence: %w", name, err)
			}
			fmt.Fprintf(&out, "\n\n==== %s ====\n\n%s\n", name, line)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, "\n\n==== %s: %s ====\n\n%s\n", name, filepath.Base(file), bytes.TrimSpace(content))
		}
	}
	font, err := os.ReadFile(filepath.Join(modules, "bootstrap-italia/dist/fonts/Titillium_Web/OFL.txt"))
	if err != nil {
		return err
	}
	fmt.Fprintf(&out, "\n\n==== Titillium Web ====\n\n%s\n", bytes.TrimSpace(font))
	o.add("licences.txt", out.Bytes())
	return nil
}

func licenceFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		upper := strings.ToUpper(e.Name())
		if !e.IsDir() && (strings.HasPrefix(upper, "LICENSE") || strings.HasPrefix(upper, "LICENCE") || strings.HasPrefix(upper, "COPYING")) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files, nil
}

// licenceLine says what a package's description says of its licence.
func licenceLine(dir string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return "", err
	}
	var about struct {
		Version  string `json:"version"`
		License  string `json:"license"`
		Author   any    `json:"author"`
		Homepage string `json:"homepage"`
	}
	if err := json.Unmarshal(raw, &about); err != nil || about.License == "" {
		return "", errors.Join(errors.New("package.json names none"), err)
	}
	return fmt.Sprintf("Version %s, licence %s, %v %s", about.Version, about.License, about.Author, about.Homepage), nil
}

// write puts the files into dist, then the manifest that names them, and only
// then removes what was there before: a build that runs meanwhile finds one
// front end or the other. What has not changed is not touched.
func (o *output) write() error {
	manifest := struct {
		Names map[string]string `json:"names"`
		Files map[string]string `json:"files"`
	}{o.names, map[string]string{}}
	kept := map[string]bool{"PLACEHOLDER": true, "manifest.json": true}
	total := 0
	for name, content := range o.files {
		sum := sha256.Sum256(content)
		manifest.Files[name] = hex.EncodeToString(sum[:8])
		forms, err := compress(name, content)
		if err != nil {
			return err
		}
		least := len(content)
		for form, content := range forms {
			kept[form] = true
			least = min(least, len(content))
			if err := put(form, content); err != nil {
				return err
			}
		}
		total += least
	}
	raw, err := json.MarshalIndent(manifest, "", "\t")
	if err != nil {
		return err
	}
	if err := put("manifest.json", raw); err != nil {
		return err
	}
	log.Printf("%d files, %d kB compressed, in %s", len(o.files), total/1000, dist)
	return sweep(kept)
}

// compress returns a file's forms by name: itself and, unless it is a font, gzip
// and brotli.
func compress(name string, content []byte) (map[string][]byte, error) {
	forms := map[string][]byte{name: content}
	if filepath.Ext(name) == ".woff2" {
		return forms, nil
	}
	var gz bytes.Buffer
	zw, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = zw.Write(content)
	if err = errors.Join(err, zw.Close()); err != nil {
		return nil, err
	}
	node := exec.Command("node", "-e", "process.stdout.write(zlib.brotliCompressSync(fs.readFileSync(0)))") // of the best quality
	node.Stdin = bytes.NewReader(content)
	br, err := node.Output()
	if err != nil {
		return nil, fmt.Errorf("compress %s with node: %w", name, err)
	}
	forms[name+".gz"], forms[name+".br"] = gz.Bytes(), br
	return forms, nil
}

// put writes a file of dist in one step, unless it is there already.
func put(name string, content []byte) error {
	path := filepath.Join(dist, name)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	f, err := os.CreateTemp(home, ".bundle-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it is renamed
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func sweep(kept map[string]bool) error {
	entries, err := os.ReadDir(dist)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !kept[e.Name()] {
			if err := os.RemoveAll(filepath.Join(dist, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// walk calls f for each file below root; a root that is not there has none.
func walk(root string, f func(path string) error) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if os.IsNotExist(err) && path == root {
			return nil
		}
		if err != nil {
			return err
		}
		if e.IsDir() {
			if e.Name() == "node_modules" || e.Name() == "dist" {
				return filepath.SkipDir
			}
			return nil
		}
		return f(filepath.ToSlash(path))
	})
}
