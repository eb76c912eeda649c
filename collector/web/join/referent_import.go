package join

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// maxUpload bounds a file that is sent by page, in bytes; a bigger one goes through the
// Comune's command line.
const maxUpload = 4 << 20

// importView is the page of an owner's file: what to send, and what was found in it. The
// file itself is not kept: who confirms sends it again, and it must be the same.
type importView struct {
	Organisations []named // for all sites of which the referent may prepare
	Chosen        string  // id
	Report        *report
	Sum           string // SHA-256 of the file that was checked, in hexadecimal; "" of one that cannot be imported
	MayApprove    bool   // of the chosen
}

// forAll returns the delegation by which who asks may use a power for every site of an
// organisation, those to come too: a file may bring any.
func (f *Referents) forAll(r *http.Request, organisation string, p protocol.Power) (protocol.Delegation, bool, error) {
	given, err := f.Registry.DelegatedTo(r.Context(), referentOf(r).ID)
	now := f.web.Now()
	i := slices.IndexFunc(given, func(d protocol.Delegation) bool {
		return d.OrganisationID == organisation && len(d.Sites) == 0 && d.InForce(now) && slices.Contains(d.Powers, p)
	})
	if err != nil || i < 0 {
		return protocol.Delegation{}, false, err
	}
	return given[i], true, nil
}

// prepared lists the organisations for all sites of which who asks may prepare.
func (f *Referents) prepared(r *http.Request) (all []named, err error) {
	given, err := f.Registry.DelegatedTo(r.Context(), referentOf(r).ID)
	if err != nil {
		return nil, err
	}
	for _, d := range given {
		known := slices.ContainsFunc(all, func(n named) bool { return n.ID == d.OrganisationID })
		if known || len(d.Sites) > 0 || !d.InForce(f.web.Now()) || !slices.Contains(d.Powers, protocol.MayPrepare) {
			continue
		}
		o, err := f.Registry.Organisation(r.Context(), d.OrganisationID)
		if err != nil {
			return nil, err
		}
		all = append(all, named{o.ID, o.Name})
	}
	return all, nil
}

func (f *Referents) importPage(rw http.ResponseWriter, r *http.Request) {
	f.showImport(rw, r, http.StatusOK, importView{}, "")
}

func (f *Referents) showImport(rw http.ResponseWriter, r *http.Request, status int, v importView, problem string) {
	var err error
	if v.Organisations, err = f.prepared(r); err != nil {
		f.web.Broken(rw, r, err)
		return
	}
	p := pages.Page{Template: "referent_import.html", Title: "upload.title", Status: status, Data: v}
	if problem != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: problem}}
	}
	f.show(rw, r, p)
}

// takeFile checks a file and, where its checked sum comes with it and who asks may
// approve, imports it.
func (f *Referents) takeFile(rw http.ResponseWriter, r *http.Request) {
	select {
	case f.upload <- struct{}{}:
		defer func() { <-f.upload }()
	default:
		f.showImport(rw, r, http.StatusServiceUnavailable, importView{}, "upload.busy")
		return
	}
	web.Long(rw, bulkTime)
	file, err := upload(r)
	if err != nil {
		f.web.Log.WarnContext(r.Context(), "a referent's file did not come whole", "err", err)
		f.showImport(rw, r, http.StatusUnprocessableEntity, importView{}, "upload.file")
		return
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	v := importView{Chosen: r.PostFormValue("organisation")}
	prepares, ok, err := f.forAll(r, v.Chosen, protocol.MayPrepare)
	if err != nil {
		f.web.Broken(rw, r, err)
		return
	}
	approves, mayApprove, err := f.forAll(r, v.Chosen, protocol.MayApprove)
	if err != nil {
		f.web.Broken(rw, r, err)
		return
	}
	checked := r.PostFormValue("sum")
	sum := sha256.Sum256(file)
	v.MayApprove = mayApprove
	switch {
	case !ok:
		f.showImport(rw, r, http.StatusForbidden, importView{}, "upload.power")
		return
	case checked != "" && !mayApprove:
		f.showImport(rw, r, http.StatusForbidden, v, "upload.approve.power")
		return
	case checked != "" && checked != hex.EncodeToString(sum[:]):
		f.showImport(rw, r, http.StatusUnprocessableEntity, v, "upload.other")
		return
	}
	o, err := f.Registry.Organisation(r.Context(), v.Chosen)
	if err != nil {
		f.web.Broken(rw, r, err)
		return
	}
	s := readSheet(file, f.Inside, f.web.Now())
	im := registry.Import{OrganisationID: o.ID, Sites: s.sites, By: referentOf(r).Name, Role: protocol.RoleReferent, At: f.web.Now(), DryRun: true}
	rep, ok := f.dryRun(rw, r, o, s, im)
	if !ok {
		return
	}
	v.Report = &rep
	if len(s.problems) == 0 && rep.changes() > 0 {
		v.Sum = hex.EncodeToString(sum[:])
	}
	if checked == "" || v.Sum == "" {
		f.showImport(rw, r, http.StatusOK, v, "")
		return
	}
	if !f.act(rw, r, act.Import, rep.changes(), map[string]any{"organisation": o.ID, "sites": rep.Sites, "delegation": approves.ID, "prepared_by": prepares.ID}) {
		return
	}
	im.DryRun = false
	results, err := f.Registry.Import(r.Context(), im)
	if err != nil {
		f.web.Broken(rw, r, err)
		return
	}
	rep = f.report(r, o, s, results)
	rep.Imported, v.Report, v.Sum = true, &rep, ""
	f.showImport(rw, r, http.StatusOK, v, "")
}

// dryRun reports what a file would do; when it returns false the answer is written.
func (f *Referents) dryRun(rw http.ResponseWriter, r *http.Request, o protocol.Organisation, s *sheet, im registry.Import) (report, bool) {
	var results []registry.ImportResult
	if len(s.records) > 0 {
		var err error
		if results, err = f.Registry.Import(r.Context(), im); err != nil {
			f.web.Broken(rw, r, err)
			return report{}, false
		}
	}
	for _, result := range results {
		if result.State == registry.ImportRefused {
			s.refused(result.Key, result.Err)
		}
	}
	return f.report(r, o, s, results), true
}

// upload reads the file of a form, in memory alone.
func upload(r *http.Request) ([]byte, error) {
	if err := r.ParseMultipartForm(maxUpload + 64<<10); err != nil {
		return nil, err
	}
	part, _, err := r.FormFile("file")
	if err != nil {
		return nil, err
	}
	defer part.Close()
	file, err := io.ReadAll(io.LimitReader(part, maxUpload+1))
	if err == nil && (len(file) == 0 || len(file) > maxUpload) {
		err = errors.New("no file, or a big one")
	}
	return file, err
}

// export gives what the register holds of the sites that a referent prepares.
func (f *Referents) export(rw http.ResponseWriter, r *http.Request) {
	format := r.PostFormValue("format")
	if format != "csv" && format != "json" {
		f.showImport(rw, r, http.StatusUnprocessableEntity, importView{}, "export.format")
		return
	}
	d, ok, err := f.forAll(r, r.PostFormValue("organisation"), protocol.MayPrepare)
	switch {
	case err != nil:
		f.web.Broken(rw, r, err)
		return
	case !ok:
		f.showImport(rw, r, http.StatusForbidden, importView{}, "upload.power")
		return
	}
	sites, err := f.Registry.OrganisationSites(r.Context(), d.OrganisationID)
	if err != nil {
		f.web.Broken(rw, r, err)
		return
	}
	if len(sites) > maxExportSites {
		f.showImport(rw, r, http.StatusUnprocessableEntity, importView{}, "upload.file")
		return
	}
	if !f.act(rw, r, act.Export, len(sites), map[string]any{"organisation": d.OrganisationID, "format": format, "delegation": d.ID}) {
		return
	}
	web.Long(rw, bulkTime)
	out := exported{At: f.web.Now().UTC(), Sites: []exportedSite{}}
	for _, s := range sites {
		one, err := f.exportSite(r, s.ID)
		if errors.Is(err, registry.ErrUnknownSite) { // withdrawn a moment ago
			continue
		}
		if err != nil {
			f.web.Broken(rw, r, err)
			return
		}
		out.Sites = append(out.Sites, one)
	}
	if err := out.write(rw, format); err != nil {
		f.web.Broken(rw, r, err)
	}
}
