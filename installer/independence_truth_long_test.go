//go:build long

package installer

import (
	"encoding/xml"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// truth is what the XML on disk says of a device; what is not there is "".
type truth struct {
	name, maker, model, firmware, serial string
	offsetS                              float64
	sources                              int
	streams                              [][]string // tokens, of each list of profiles that there is
	resolutions                          []string
	retentions                           []string
	refuses                              bool // the recording is of a device that told nothing
}

// answers finds the answers to an operation in a device's folder, by the names
// that the three collections give their files.
func answers(t *testing.T, dir, operation string) [][]byte {
	t.Helper()
	name := regexp.MustCompile(`^(\d+-)?` + operation + `(\.Response|\.http200)?\.xml$`)
	var all [][]byte
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !name.MatchString(d.Name()) {
			return err
		}
		content, err := os.ReadFile(path)
		all = append(all, content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func readTruth(t *testing.T, shared string, d standIn) truth {
	t.Helper()
	dir := filepath.Join(shared, "devices", "onvif", strings.Replace(d.Name, "hawkeye64-", "hawkeye64/", 1))
	if _, err := os.Stat(dir); err != nil {
		dir = filepath.Join("..", "testdata", "cameras", d.Name)
	}
	tr := truth{name: d.Name, offsetS: d.OffsetS}
	for _, a := range answers(t, dir, "GetDeviceInformation") {
		tr.maker, tr.model = texts(t, a, "Manufacturer")[0], texts(t, a, "Model")[0]
		tr.firmware, tr.serial = texts(t, a, "FirmwareVersion")[0], texts(t, a, "SerialNumber")[0]
	}
	if tr.refuses = tr.serial == ""; tr.refuses {
		for _, scope := range d.Scopes { // it announces its model to everybody
			if text, ok := strings.CutPrefix(scope, "onvif://www.onvif.org/hardware/"); ok {
				tr.model = text
			}
		}
	}
	cameras := map[string]bool{}
	for _, a := range answers(t, dir, "GetProfiles") {
		tr.streams = append(tr.streams, attributes(t, a, "Profiles", "token"))
		for _, s := range texts(t, a, "VideoSourceConfiguration/SourceToken") {
			cameras[s] = true
		}
		w, h := texts(t, a, "Resolution/Width"), texts(t, a, "Resolution/Height")
		for i := range min(len(w), len(h)) {
			tr.resolutions = append(tr.resolutions, w[i]+"x"+h[i])
		}
	}
	tr.sources = len(cameras)
	for _, a := range answers(t, dir, "GetRecordings") {
		tr.retentions = append(tr.retentions, texts(t, a, "MaximumRetentionTime")...)
	}
	if d.Retention != "" {
		tr.retentions = []string{d.Retention}
	}
	return tr
}

// texts gives the texts of all elements whose path of local names ends so.
func texts(t *testing.T, document []byte, end string) []string {
	t.Helper()
	var found []string
	walk(t, document, func(path string, _ xml.StartElement, text string) {
		if strings.HasSuffix(path, "/"+end) {
			found = append(found, strings.TrimSpace(text))
		}
	})
	return found
}

func attributes(t *testing.T, document []byte, element, name string) []string {
	t.Helper()
	var found []string
	walk(t, document, func(path string, e xml.StartElement, _ string) {
		for _, a := range e.Attr {
			if strings.HasSuffix(path, "/"+element) && a.Name.Local == name {
				found = append(found, a.Value)
			}
		}
	})
	return found
}

// walk calls each at the end of every element, with its own text.
func walk(t *testing.T, document []byte, each func(path string, e xml.StartElement, text string)) {
	t.Helper()
	type open struct {
		xml.StartElement
		text strings.Builder
	}
	d := xml.NewDecoder(strings.NewReader(string(document)))
	d.Strict = false
	path, stack := "", []*open{}
	for {
		token, err := d.RawToken()
		if err != nil {
			if len(stack) != 0 {
				t.Fatalf("reading the XML on disk: %v", err)
			}
			return
		}
		switch token := token.(type) {
		case xml.StartElement:
			path += "/" + token.Name.Local
			stack = append(stack, &open{StartElement: token.Copy()})
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text.Write(token)
			}
		case xml.EndElement:
			top := stack[len(stack)-1]
			each(path, top.StartElement, top.text.String())
			stack, path = stack[:len(stack)-1], path[:strings.LastIndexByte(path, '/')]
		}
	}
}
