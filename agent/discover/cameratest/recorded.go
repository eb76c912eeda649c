package cameratest

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxAnswer is the largest answer file that is read. The largest of the
// recordings has 300 KB.
const maxAnswer = 16 << 20

// LoadRecorded reads a camera that was recorded operation by operation, in the
// layout of the onvif-go captures: files NNN-Operation.httpSTATUS.xml with the
// raw bodies, and INDEX.tsv with the file, the endpoint's path and the request's
// body, which is cut at about 200 characters. Where dir's parent has a
// discovery_raw.log that lists this camera, its endpoint and scopes are taken
// from there.
func LoadRecorded(dir string) (*Conversation, error) {
	c := &Conversation{Name: filepath.Base(dir), Source: Recorded}
	index, err := readFile(filepath.Join(dir, "INDEX.tsv"))
	if err != nil {
		return nil, fmt.Errorf("load recorded camera: %w", err)
	}
	for i, line := range strings.Split(strings.TrimRight(string(index), "\n"), "\n") {
		if i == 0 {
			continue // the heading
		}
		a, err := recordedAnswer(dir, strings.TrimRight(line, "\r"))
		if err != nil {
			return nil, fmt.Errorf("load recorded camera %s: INDEX.tsv line %d: %w", c.Name, i+1, err)
		}
		c.Answers = append(c.Answers, a)
	}
	nameStreams(c.Answers)
	seen, err := discoveryLog(filepath.Join(filepath.Dir(dir), "discovery_raw.log"), c.Name)
	if err != nil {
		return nil, fmt.Errorf("load recorded camera %s: %w", c.Name, err)
	}
	c.Defaults = seen
	if err := c.complete(); err != nil {
		return nil, fmt.Errorf("load recorded camera: %w", err)
	}
	return c, nil
}

// recordedAnswer reads one line of INDEX.tsv and the file that it names.
func recordedAnswer(dir, line string) (Answer, error) {
	col := strings.SplitN(line, "\t", 3)
	if len(col) != 3 {
		return Answer{}, fmt.Errorf("%d columns, not 3", len(col))
	}
	_, rest, _ := strings.Cut(strings.TrimSuffix(col[0], ".xml"), "-")
	operation, status, ok := strings.Cut(rest, ".http")
	code, err := strconv.Atoi(status)
	if !ok || err != nil {
		return Answer{}, fmt.Errorf("file %q is not named NNN-Operation.httpSTATUS.xml", col[0])
	}
	body, err := readFile(filepath.Join(dir, filepath.Base(col[0])))
	if err != nil {
		return Answer{}, err
	}
	a := Answer{File: col[0], Path: "/" + strings.TrimPrefix(col[1], "/"), Operation: operation, Status: code, Body: body}
	a.Namespace, a.Asked = recordedRequest(col[2])
	return a, nil
}

// recordedRequest reads the request's body as far as it goes: it may be cut.
func recordedRequest(text string) (namespace string, asked map[string][]string) {
	asked = map[string][]string{}
	d := xml.NewDecoder(strings.NewReader(text))
	var path []xml.Name
	for {
		t, err := d.Token()
		if err != nil {
			return namespace, asked
		}
		switch t := t.(type) {
		case xml.StartElement:
			if len(path) == 0 {
				namespace = t.Name.Space
			}
			path = append(path, t.Name)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" && len(path) > 0 {
				name := path[len(path)-1].Local
				asked[name] = append(asked[name], text)
			}
		}
	}
}

// nameStreams gives back to GetStreamUri the profile token that the index lost:
// its long request is cut before the token. The recorder asked GetProfile,
// GetStreamUri and GetSnapshotUri in turn for each profile, so the token is that
// of the nearest neighbour which has one. A recording without such neighbours
// (Bosch indoor, 8.71.0066) keeps one answer for every profile.
func nameStreams(answers []Answer) {
	for i := range answers {
		if answers[i].Operation != "GetStreamUri" || answers[i].Asked["ProfileToken"] != nil {
			continue
		}
		for _, j := range []int{i + 1, i - 1} {
			if j < 0 || j >= len(answers) || (answers[j].Operation != "GetSnapshotUri" && answers[j].Operation != "GetProfile") {
				continue
			}
			if token := answers[j].Asked["ProfileToken"]; token != nil {
				answers[i].Asked["ProfileToken"] = token
				break
			}
		}
	}
}

// discoveryLog finds the camera of that folder in the text that a client printed
// about one real network, by the hardware scope: "hardware/P3818-PVE" is in
// AXIS_P3818-PVE_11.9.60. The zero Options if it is not there, or no log is.
func discoveryLog(file, folder string) (Options, error) {
	text, err := readFile(file)
	if os.IsNotExist(err) {
		return Options{}, nil
	}
	if err != nil {
		return Options{}, err
	}
	for _, block := range strings.Split(string(text), "\nCamera ")[1:] {
		var o Options
		mine := false
		for _, line := range strings.Split(block, "\n") {
			line = strings.TrimSpace(line)
			if v, ok := strings.CutPrefix(line, "Endpoint: "); ok {
				o.Endpoint = v
			}
			if v, ok := strings.CutPrefix(line, "- "); ok {
				o.Scopes = append(o.Scopes, v)
				_, hardware, ok := strings.Cut(v, "/hardware/")
				mine = mine || ok && strings.Contains(squeeze(folder), squeeze(hardware))
			}
		}
		if mine {
			return o, nil
		}
	}
	return Options{}, nil
}

// squeeze keeps letters and digits, in lower case.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxAnswer {
		return nil, fmt.Errorf("%s: %d bytes, more than an answer may have (%d)", name, info.Size(), maxAnswer)
	}
	return os.ReadFile(name)
}
