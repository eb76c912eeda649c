package adhere

import (
	"errors"
	"net/http"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// receiptView is what who adhered keeps.
type receiptView struct {
	registry.HandReceipt
	Base     string
	SiteLink string // address of the owner's page
	Link     string // brings Enrol to an agent; "" without one
	Note     string // the receipt, signed
	Trust    string
}

// receipt shows the receipt of the newest declaration of the site that is open.
func (a *Adhere) receipt(rw http.ResponseWriter, r *http.Request) {
	site, ok, err := a.Web.Owner(r)
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	if !ok {
		http.Redirect(rw, r, sitePath, http.StatusSeeOther)
		return
	}
	h, err := a.Registry.HandReceipt(r.Context(), site, a.Web.Now())
	if errors.Is(err, registry.ErrTakenOver) {
		http.Redirect(rw, r, sitePath, http.StatusSeeOther)
		return
	}
	v := receiptView{HandReceipt: h, Base: a.base, SiteLink: a.Web.PublicURL + sitePath, Trust: a.words(r).T("trust." + h.Trust)}
	if err == nil {
		v.Note, err = a.Sign(h.Receipt)
	}
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	if h.Enrol != (protocol.Code{}) {
		v.Link = a.Link(h.Enrol)
	}
	a.show(rw, r, pages.Page{Template: "receipt.html", Title: "receipt.title", Rating: pages.RateService, Data: v})
}
