package join

import (
	"bytes"
	"encoding/csv"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/csvfile"
)

// maxExportSites bounds one export.
const maxExportSites = maxLines

// exportRequest asks for all that is one owner's own: of a site, or of an
// organisation. There is no export of the whole register.
type exportRequest struct {
	Site         string `json:"site"`
	Organisation string `json:"organisation"` // id or name
	Format       string `json:"format"`       // "json" or "csv"
}

func (j *Join) export(rw http.ResponseWriter, r *http.Request) {
	web.Long(rw, bulkTime)
	var in exportRequest
	if !j.readJSON(rw, r, &in) {
		return
	}
	if in.Format != "json" && in.Format != "csv" || (in.Site == "") == (in.Organisation == "") {
		j.refuse(rw, r, "", "import.request")
		return
	}
	out := exported{At: j.Web.Now().UTC(), Sites: []exportedSite{}}
	sites, details := []string{in.Site}, map[string]string{"site": in.Site, "format": in.Format}
	if in.Organisation != "" {
		o, ok := j.organisation(rw, r, in.Organisation)
		if !ok {
			return
		}
		theirs, err := j.Registry.OrganisationSites(r.Context(), o.ID)
		if err != nil {
			j.Web.Broken(rw, r, err)
			return
		}
		sites = nil
		for _, s := range theirs {
			sites = append(sites, s.ID)
		}
		if out.Delegations, err = j.Registry.Delegations(r.Context(), o.ID); err != nil {
			j.Web.Broken(rw, r, err)
			return
		}
		out.Organisation, details = &o, map[string]string{"organisation": o.ID, "format": in.Format}
	}
	if len(sites) > maxExportSites {
		j.refuse(rw, r, "organisation", "import.lines", "n", maxExportSites)
		return
	}
	if !j.recordAct(rw, r, act.Export, len(sites), details) {
		return
	}
	for _, id := range sites {
		site, err := j.exportSite(r, id)
		switch {
		case errors.Is(err, registry.ErrUnknownSite) && in.Site == "": // withdrawn a moment ago
			continue
		case errors.Is(err, registry.ErrUnknownSite):
			j.refuse(rw, r, "site", "export.site")
			return
		case err != nil:
			j.Web.Broken(rw, r, err)
			return
		}
		out.Sites = append(out.Sites, site)
	}
	if in.Format == "json" {
		web.WriteJSON(rw, http.StatusOK, out)
		return
	}
	file, err := out.csv()
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	rw.Header().Set("Content-Type", "text/csv; charset=utf-8")
	_, _ = rw.Write(file) // the client has gone: nobody to tell
}

// write answers with it as a file to be kept.
func (e exported) write(rw http.ResponseWriter, format string) error {
	rw.Header().Set("Content-Disposition", `attachment; filename="telecamere.`+format+`"`)
	if format == "json" {
		web.WriteJSON(rw, http.StatusOK, e)
		return nil
	}
	file, err := e.csv()
	if err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "text/csv; charset=utf-8")
	_, _ = rw.Write(file) // the client has gone: nobody to tell
	return nil
}

// exported is all that the register holds of an owner: what export FILE.json
// writes.
type exported struct {
	At           time.Time              `json:"exported_at"`
	Organisation *protocol.Organisation `json:"organisation,omitempty"`
	Delegations  []protocol.Delegation  `json:"delegations,omitempty"`
	Sites        []exportedSite         `json:"sites"`
}

type exportedSite struct {
	ID          string         `json:"id"`
	Key         string         `json:"key,omitempty"` // the owner's own; "" of what was not imported
	State       registry.State `json:"state"`
	Trust       string         `json:"trust"`
	InvitedAt   time.Time      `json:"invited_at"`
	DeclaredAt  time.Time      `json:"declared_at"`
	HeardAt     time.Time      `json:"heard_at,omitzero"`
	SuspendedAt time.Time      `json:"suspended_at,omitzero"`
	// SuspendedUntil is when that ends by itself.
	SuspendedUntil time.Time           `json:"suspended_until,omitzero"`
	Site           protocol.Site       `json:"site"`
	Contacts       []protocol.Contact  `json:"contacts"`
	Inherited      bool                `json:"contacts_of_organisation"`
	Recorders      []protocol.Recorder `json:"recorders"`
	Cameras        []exportedCamera    `json:"cameras"`
	Acts           []ownerAct          `json:"owner_acts,omitempty"`
	History        exportedHistory     `json:"history"`
}

type ownerAct struct {
	Act protocol.SiteState `json:"act"`
	At  time.Time          `json:"at"`
}

type exportedCamera struct {
	Key string `json:"key,omitempty"`
	protocol.Camera
}

// exportedHistory is how it came to be so, each series by the time from which it
// holds, by the id of its recorder or camera.
type exportedHistory struct {
	Site       []protocol.Era[protocol.Site]                 `json:"site"`
	Recorders  map[string][]protocol.Era[protocol.Recorder]  `json:"recorders,omitempty"`
	Clocks     map[string][]protocol.Clock                   `json:"clocks,omitempty"`
	Cameras    map[string][]cameraVersion                    `json:"cameras,omitempty"`
	Schedules  map[string][]protocol.Era[protocol.Schedule]  `json:"schedules,omitempty"`
	Retentions map[string][]protocol.Era[protocol.Retention] `json:"retentions,omitempty"`
	Changes    []registry.Change                             `json:"changes"` // who changed what, as it became true
}

type cameraVersion struct {
	From       time.Time        `json:"from"`
	RecordedAt time.Time        `json:"recorded_at"`
	Camera     *protocol.Camera `json:"camera,omitempty"` // nil: withdrawn, nothing is kept of it
}

func (j *Join) exportSite(r *http.Request, id string) (exportedSite, error) {
	own, err := j.Registry.Own(r.Context(), id)
	if err != nil {
		return exportedSite{}, err
	}
	h, err := j.Registry.History(r.Context(), id, time.Time{})
	if err != nil {
		return exportedSite{}, err
	}
	changes, err := h.Changes(time.Time{}, j.Web.Now())
	if err != nil {
		return exportedSite{}, err
	}
	key, cameraKeys, err := j.Registry.ImportKeys(r.Context(), id)
	if err != nil {
		return exportedSite{}, err
	}
	contacts := make([]protocol.Contact, len(own.Contacts))
	for i, c := range own.Contacts {
		contacts[i] = c.Contact
	}
	out := exportedSite{ID: id, Key: key, State: own.State, Trust: own.Trust, InvitedAt: own.InvitedAt, DeclaredAt: own.DeclaredAt,
		HeardAt: own.HeardAt, SuspendedAt: own.SuspendedAt, SuspendedUntil: own.SuspendedUntil, Site: protocol.Site{Name: own.Name, Category: own.Category, Address: own.Address},
		Contacts: contacts, Inherited: own.Inherited, Recorders: []protocol.Recorder{}, Cameras: []exportedCamera{},
		History: exportedHistory{Site: h.Sites, Recorders: h.Recorders, Clocks: h.Clocks, Cameras: make(map[string][]cameraVersion),
			Schedules: h.Schedules, Retentions: h.Retentions, Changes: changes}}
	for _, a := range own.Acts {
		out.Acts = append(out.Acts, ownerAct{a.Act, a.At})
	}
	used := make(map[string]bool)
	for _, c := range own.Declared {
		out.Cameras = append(out.Cameras, exportedCamera{cameraKeys[c.ID], c})
		if eras := h.Recorders[c.RecorderID]; len(eras) > 0 && !used[c.RecorderID] {
			used[c.RecorderID] = true
			out.Recorders = append(out.Recorders, eras[len(eras)-1].Value)
		}
	}
	for id, versions := range h.Cameras {
		for _, v := range versions {
			one := cameraVersion{From: v.ValidFrom, RecordedAt: v.RecordedAt}
			if !v.Withdrawn {
				one.Camera = &v.Camera
			}
			out.History.Cameras[id] = append(out.History.Cameras[id], one)
		}
	}
	return out, nil
}

// csv is the file that import reads back: what stands now, a line a camera. What
// has no key of its owner's is called by its id.
func (e exported) csv() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\ufeff") // by which Excel knows UTF-8
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = ';', true
	written := slices.DeleteFunc(columns(), func(c column) bool { return c.write == nil })
	var header []string
	for _, c := range written {
		header = append(header, c.names[0])
	}
	if err := w.Write(header); err != nil {
		return nil, err
	}
	for _, s := range e.Sites {
		for _, c := range s.Cameras {
			rec := s.record(c)
			var fields []string
			for _, column := range written {
				fields = append(fields, csvfile.Marked(strings.TrimSpace(column.write(rec))))
			}
			if err := w.Write(fields); err != nil {
				return nil, err
			}
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// record is a camera as a line of a file.
func (s exportedSite) record(c exportedCamera) record {
	rec := record{key: c.Key, siteKey: s.Key, site: s.Site, camera: c.Camera}
	if rec.key == "" {
		rec.key = c.ID
	}
	if rec.siteKey == "" {
		rec.siteKey = s.ID
	}
	if len(s.Contacts) > 0 && !s.Inherited {
		rec.contact = s.Contacts[0]
	}
	if at := slices.IndexFunc(s.Recorders, func(r protocol.Recorder) bool { return r.ID == c.RecorderID }); at >= 0 {
		rec.recorder = s.Recorders[at]
	}
	return rec
}
