package join

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"slices"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/csvfile"
)

// codesHeader are the columns of the file of codes, named as import names them.
var codesHeader = []string{"chiave_sede", "nome", "codice", "link"}

// giveCodes makes an enrolment code for each site of the file that the import
// holds, so that their owner can install agents, and adds them to the report as a
// file of lines. A site that an agent declares already needs none. They are shown
// once; when it breaks off, those that are made are given all the same. When it
// returns false the answer is written.
func (j *Join) giveCodes(rw http.ResponseWriter, r *http.Request, o protocol.Organisation, s *sheet, results []registry.ImportResult, rep *report) bool {
	held := slices.DeleteFunc(slices.Clone(results), func(result registry.ImportResult) bool {
		return result.State != registry.ImportNew && result.State != registry.ImportChanged && result.State != registry.ImportUnchanged
	})
	if len(held) == 0 {
		return true
	}
	if !j.recordAct(rw, r, act.Invite, len(held), map[string]any{"organisation": o.ID, "sites": len(held)}) {
		return false
	}
	names := make(map[string]string)
	for _, site := range s.sites {
		names[site.Key] = site.Site.Name
	}
	lines := [][]string{codesHeader}
	for _, result := range held {
		i, err := j.invite(r.Context(), result.SiteID)
		if err != nil {
			j.Log.ErrorContext(r.Context(), "codes of an import could not be made", "organisation", o.ID, "made", rep.CodesMade, "of", len(held), "err", err)
			break
		}
		rep.CodesMade++
		lines = append(lines, []string{csvfile.Marked(result.Key), csvfile.Marked(names[result.Key]), i.Code, i.Link})
	}
	rep.CodesMissing = len(held) - rep.CodesMade
	var b bytes.Buffer
	b.WriteString("\ufeff") // by which Excel knows UTF-8
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = ';', true
	if err := w.WriteAll(lines); err != nil {
		j.Web.Broken(rw, r, err)
		return false
	}
	rep.Codes = b.Bytes()
	return true
}
