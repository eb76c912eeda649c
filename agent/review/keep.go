package review

import (
	"encoding/base64"
	"html/template"
	"net/http"

	"anagrafe/agent/inventory"
	"anagrafe/protocol/pages"
)

// keepView is what the owner keeps on paper: how a site is suspended or withdrawn
// from any browser.
type keepView struct {
	inventory.OwnerAccess
	QR template.URL // of the link alone: who photographs the sheet's square has no code yet
}

// keepJSON is a site of GET /keep for the command line.
type keepJSON struct {
	SiteID   string `json:"site_id"`
	SiteName string `json:"site_name"`
	Link     string `json:"link"`
	Code     string `json:"code"`
	Leaving  bool   `json:"leaving"` // its withdrawal waits: the register still shows it
}

func (v *Review) keep(r *http.Request) (answer, error) {
	all, err := v.Inventory.OwnerAccess(r.Context())
	if err != nil {
		return answer{}, err
	}
	sites, views := []keepJSON{}, []keepView{}
	for _, a := range all {
		code, err := pages.QRSource(a.Link)
		if err != nil {
			return answer{}, err
		}
		sites = append(sites, keepJSON{a.SiteID, a.SiteName, a.Link, a.Code.String(), a.Leaving})
		views = append(views, keepView{a, code})
	}
	a := page("keep.html", "keep.title", views)
	a.json = struct {
		Sites []keepJSON `json:"sites"`
	}{sites}
	return a, nil
}

// asFile is a text for the href of a link that saves it.
func asFile(text string) template.URL {
	return template.URL("data:text/plain;charset=utf-8;base64," + base64.StdEncoding.EncodeToString([]byte(text)))
}
