package consult

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// exportBody is what the trail keeps of a file that was taken away, sealed.
type exportBody struct {
	whyBody
	Search int64  `json:"search_index"` // the search's own entry
	Format string `json:"format"`
}

// exportFound is what was in it. Whoever holds the file finds by its hash who took
// it, when and why.
type exportFound struct {
	SHA256 string   `json:"sha256"` // of the file, in hex
	Bytes  int      `json:"bytes"`
	Sites  []string `json:"contacts_of"` // sites whose contacts are in it
}

// exported is a file as it was made.
type exported struct {
	raw  []byte
	hash [sha256.Size]byte
}

// The kinds of file.
var exportTypes = map[string]string{"geojson": "application/geo+json", "csv": "text/csv; charset=utf-8"}

// export gives an answer as a file: all its pages, and the contacts of the sites
// that were revealed, and no others. It names who took it, and its entry on the
// trail has its hash, of which the file's name bears the beginning.
func (c *Consult) export(w http.ResponseWriter, r *http.Request) {
	u, ans, ok := c.named(w, r)
	if !ok {
		return
	}
	format := r.PostForm.Get("format")
	if exportTypes[format] == "" {
		c.refuseReveal(w, r, ans, http.StatusUnprocessableEntity, "error.export.format")
		return
	}
	file, err := c.exportAll(r, ans, u, format)
	if err != nil {
		c.Log.ErrorContext(r.Context(), "export refused", "err", err)
		c.refuseReveal(w, r, ans, http.StatusServiceUnavailable, "error.export.unrecorded")
		return
	}
	pages.SecureHeaders(w.Header())
	h := w.Header()
	h.Set("Content-Type", exportTypes[format])
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="consultazione-%d-%s.%s"`, ans.proof.Index, hex.EncodeToString(file.hash[:8]), format))
	h.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(file.hash[:])+":") // RFC 9530
	_, _ = w.Write(file.raw)                                                              // the client has gone: nobody to tell
}

// exportAll makes the file and puts it on the trail.
func (c *Consult) exportAll(r *http.Request, ans *answer, u officer, format string) (exported, error) {
	if err := c.turn(r, ans, ans.whole); err != nil {
		return exported{}, err
	}
	total := len(ans.results)
	entry := u.entry(c.Now(), act.Export, ans.question.Case.ID, 0, exportBody{ans.question.why(u), ans.proof.Index, format})
	var found exportFound
	file, proof, err := trail.Answer(r.Context(), c.Trail, entry, func(context.Context) (exported, int, any, error) {
		rows := c.rows(c.words(r), ans, 0, total)
		raw, err := exportFile(format, c.exportHead(r, ans, u, entry.At), rows)
		if err != nil {
			return exported{}, 0, nil, err
		}
		file := exported{raw, sha256.Sum256(raw)}
		found = exportFound{SHA256: hex.EncodeToString(file.hash[:]), Bytes: len(raw), Sites: []string{}}
		for _, row := range rows {
			if row.Revealed {
				found.Sites = append(found.Sites, row.R.SiteID)
			}
		}
		return file, len(rows), found, nil
	})
	if err == nil {
		err = c.remember(r.Context(), entry, proof, brief{Words: c.inWords(func(w *pages.Words) string {
			return whereWords(w, ans.question) + " · " + w.N("results.count", total) + " · " + strings.ToUpper(format) + " · SHA-256 " + found.SHA256
		})}, nil)
	}
	if err != nil {
		return exported{}, fmt.Errorf("export: %w", err)
	}
	return file, nil
}

// exportHead says whose file it is and what it answers.
type exportHead struct {
	By         string    `json:"exported_by"`
	Force      string    `json:"force"`
	At         time.Time `json:"exported_at"`
	Trail      int64     `json:"search_index"` // the search's entry on the trail
	AskedAt    time.Time `json:"asked_at"`
	Asked      jsonAsked `json:"asked"`
	AskedWords string    `json:"asked_words"` // the same in words
}

func (c *Consult) exportHead(r *http.Request, ans *answer, u officer, at time.Time) exportHead {
	q := ans.question
	return exportHead{u.Name, u.Force, at.UTC(), ans.proof.Index, ans.at.UTC(),
		q.json(), whereWords(c.words(r), q)}
}

// exportColumn is one value of a row, under the name that it has in both files.
type exportColumn struct {
	name  string
	value func(row) any // string, int, float64 or nil
}

// exportColumns are those of a camera, in words as the page has them. Contacts are
// empty where they were not revealed.
var exportColumns = []exportColumn{
	{"number", func(r row) any { return r.N }},
	{"class", func(r row) any { return string(r.R.Class) }},
	{"site_name", func(r row) any { return r.R.SiteName }},
	{"category", func(r row) any { return string(r.R.Category) }},
	{"address", func(r row) any { return r.R.Address }},
	{"recorder", func(r row) any { return r.Recorder }},
	{"camera_name", func(r row) any { return r.R.CameraName }},
	{"sight", func(r row) any { return r.Why.Lead + r.Why.Rest }},
	{"doubts", func(r row) any { return strings.Join(r.Why.Doubts, "; ") }},
	{"footage", func(r row) any { return r.Why.Footage }},
	{"left", func(r row) any { return r.Left.String() }},
	{"footage_until", func(r row) any { return moment(r.R.Footage.Until) }},
	{"ask", func(r row) any { return strings.TrimSpace(r.Ask + " " + r.ClockNote) }},
	{"oldest_fact", func(r row) any { return r.OldestAge }},
	{"declared_by", func(r row) any { return strings.TrimSpace(r.Trust + ". " + r.Why.Origin.Text) }},
	{"lon", func(r row) any { return lonOf(r.R.Camera.Position.Point) }},
	{"lat", func(r row) any { return latOf(r.R.Camera.Position.Point) }},
	{"accuracy_m", func(r row) any { return r.R.Camera.Position.AccuracyM }},
	{"direction_deg", func(r row) any { return known(r.R.Camera.View.DirectionDeg) }},
	{"angle_deg", func(r row) any { return known(r.R.Camera.View.AngleDeg) }},
	{"range_m", func(r row) any { return known(r.R.Camera.View.RangeM) }},
	{"contacts", func(r row) any { return contactLines(r.Contacts) }},
}

// moment writes a time as RFC 3339; "": not known.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func known(v *int) any {
	if v == nil {
		return nil
	}
	return *v
}

func contactLines(all []registry.Contact) string {
	lines := make([]string, len(all))
	for i, c := range all {
		var parts []string
		for _, p := range []string{c.Name, string(c.Role), c.Phone, c.Email, c.PEC, c.Hours} {
			if p != "" {
				parts = append(parts, p)
			}
		}
		lines[i] = strings.Join(parts, ", ")
	}
	return strings.Join(lines, "; ")
}

func exportFile(format string, head exportHead, rows []row) ([]byte, error) {
	if format == "csv" {
		return exportCSV(head, rows)
	}
	return exportGeoJSON(head, rows)
}

// exportGeoJSON is a FeatureCollection (RFC 7946) of the places where the cameras
// hang; who took it stands in the member "anagrafe".
func exportGeoJSON(head exportHead, rows []row) ([]byte, error) {
	type point struct {
		Type        string     `json:"type"`
		Coordinates [2]float64 `json:"coordinates"`
	}
	type camera struct {
		Type       string         `json:"type"`
		ID         string         `json:"id"`
		Geometry   point          `json:"geometry"`
		Properties map[string]any `json:"properties"`
	}
	all := struct {
		Type     string     `json:"type"`
		Anagrafe exportHead `json:"anagrafe"`
		Features []camera   `json:"features"`
	}{"FeatureCollection", head, []camera{}}
	for _, r := range rows {
		at := r.R.Camera.Position.Point
		one := camera{"Feature", r.R.CameraID, point{"Point", [2]float64{lonOf(at), latOf(at)}}, map[string]any{}}
		for _, column := range exportColumns {
			one.Properties[column.name] = column.value(r)
		}
		all.Features = append(all.Features, one)
	}
	return json.MarshalIndent(all, "", " ")
}

// exportCSV is a table for spreadsheets as they are set up in Italy. Who took it
// stands in each line, so that a line that is copied elsewhere still says so.
func exportCSV(head exportHead, rows []row) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\ufeff") // by which Excel knows UTF-8
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = ';', true
	var names []string
	for _, column := range exportColumns {
		names = append(names, column.name)
	}
	whose := []string{head.By, head.Force, moment(head.At), fmt.Sprint(head.Trail), moment(head.AskedAt), head.AskedWords, head.Asked.Case}
	lines := [][]string{append(names, "exported_by", "force", "exported_at", "search_index", "asked_at", "asked", "case")}
	for _, r := range rows {
		var cells []string
		for _, column := range exportColumns {
			cells = append(cells, cell(column.value(r)))
		}
		for _, v := range whose {
			cells = append(cells, cell(v))
		}
		lines = append(lines, cells)
	}
	if err := w.WriteAll(lines); err != nil {
		return nil, fmt.Errorf("write a table: %w", err)
	}
	return b.Bytes(), nil
}

// cell writes a value.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return web.CSVText(v)
	default:
		return fmt.Sprint(v)
	}
}
