package review

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// receiptView is what the owner holds in hand after a decision on a site: what was
// decided, under which number the register has it, and how it is changed from any
// browser.
type receiptView struct {
	messageView
	Site    inventory.Site
	Number  string // short, to be read aloud
	Cameras int    // of an adhesion
	By      string
	Notice  string // version of the information notice that was read
	Access  *inventory.OwnerAccess
	QR      template.URL // of the owner's page
	Mail    template.URL // a mail to oneself, begun
}

// Gone says, of what is recorded, that the register holds nothing of the site any more.
func (v receiptView) Gone() bool { return v.Kind == "withdrawal" && !v.SiteStays() }

// receipts are those of one request.
type receipts struct {
	Receipts []receiptView
	Waiting  bool // one is not recorded yet
}

// receiptJSON is a decision of GET /receipt for programs.
type receiptJSON struct {
	Number string `json:"number"`
	inventory.Sent
}

// receipt shows, for each site, what became of the last decision.
func (v *Review) receipt(r *http.Request) (answer, error) {
	last, err := v.Inventory.LastSent(r.Context())
	if err != nil {
		return answer{}, err
	}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	access, err := v.Inventory.OwnerAccess(r.Context())
	if err != nil {
		return answer{}, err
	}
	w := v.words(r)
	names := namesOf(w, known)
	view, all := receipts{}, []receiptJSON{}
	for _, g := range known.Sites {
		sent, is := last[g.SiteID]
		if !is {
			continue
		}
		one, err := receiptOf(w, g, sent, names, access)
		if err != nil {
			return answer{}, err
		}
		view.Receipts = append(view.Receipts, one)
		view.Waiting = view.Waiting || sent.State == inventory.Waiting
		all = append(all, receiptJSON{one.Number, sent})
	}
	slices.SortStableFunc(view.Receipts, func(a, b receiptView) int { return b.MadeAt.Compare(a.MadeAt) })
	a := page("receipt.html", "receipt.title", view)
	if view.Waiting {
		a.after = v.receiptPause
	}
	a.json = struct {
		Receipts []receiptJSON `json:"receipts"`
	}{all}
	return a, nil
}

func receiptOf(w *pages.Words, g inventory.Site, sent inventory.Sent, names map[string]string, access []inventory.OwnerAccess) (receiptView, error) {
	m, err := viewOfMessage(w, sent, names)
	if err != nil {
		return receiptView{}, err
	}
	one := receiptView{messageView: m, Site: g, Number: receiptNumber(sent)}
	switch b := sent.Message.Body.(type) {
	case protocol.Declaration:
		one.Cameras, one.By, one.Notice = len(b.Cameras), b.Approval.By, b.Approval.NoticeVersion
	case protocol.Withdrawal:
		one.By = b.Approval.By
	}
	if i := slices.IndexFunc(access, func(a inventory.OwnerAccess) bool { return a.SiteID == g.SiteID }); i >= 0 && sent.Kind == "declaration" {
		one.Access = &access[i]
		if one.QR, err = pages.QRSource(one.Access.Link); err != nil {
			return receiptView{}, err
		}
	}
	if sent.State == inventory.Acknowledged {
		one.Mail = mailOf(w, one)
	}
	return one, nil
}

// receiptNumber is the number of a receipt: the beginning of the message's id, which
// the signed receipt has in full.
func receiptNumber(s inventory.Sent) string {
	return strings.ToUpper(s.ID[:min(4, len(s.ID))] + "-" + s.ID[min(4, len(s.ID)):min(8, len(s.ID))])
}

// mailOf begins a mail in the owner's own program. The code is left out: a mail is
// read by others, and the code withdraws the site.
func mailOf(w *pages.Words, one receiptView) template.URL {
	body := w.T("receipt.mail.body", "number", one.Number, "when", w.DateTime(one.RecordedAt), "site", one.Site.SiteName, "what", w.T("kind."+one.Kind), "sum", one.SHA256)
	if one.Access != nil {
		body += "\n\n" + w.T("receipt.mail.link", "link", one.Access.Link)
	}
	// RFC 6068: spaces are %20, lines end in %0D%0A.
	escape := func(s string) string {
		return strings.ReplaceAll(url.QueryEscape(strings.ReplaceAll(s, "\n", "\r\n")), "+", "%20")
	}
	return template.URL("mailto:?subject=" + escape(w.T("receipt.mail.subject", "number", one.Number)) + "&body=" + escape(body))
}
