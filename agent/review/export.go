package review

import (
	"encoding/json"
	"net/http"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// export is all that this computer holds about the owner's sites, for them to keep or
// to take elsewhere (art. 20 of Regulation (EU) 2016/679): what was found, what they
// said, what was asked of them and what left. Passwords and the code that opens the
// owner's page are in none of its values.
type export struct {
	MadeAt   time.Time                    `json:"made_at"`
	Sites    []inventory.Site             `json:"sites"`
	Contacts []siteContacts               `json:"contacts"`
	Devices  []inventory.Device           `json:"devices"`
	Cameras  []inventory.Camera           `json:"cameras"`
	Notices  []inventory.Notice           `json:"notices"`
	Answers  map[string]map[string]string `json:"answers"` // by site: what they said on the pages of advice and of the sign
	Messages []inventory.Sent             `json:"messages"`
}

// siteContacts is whom to call for a site.
type siteContacts struct {
	SiteID   string             `json:"site_id"` // "": for all that have none of their own
	Contacts []protocol.Contact `json:"contacts"`
}

// export gives the owner all that is kept here in one file.
func (v *Review) export(r *http.Request) (answer, error) {
	all, err := v.exported(r)
	if err != nil {
		return answer{}, err
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return answer{}, err
	}
	return answer{json: all, file: append(text, '\n'), kind: "application/json", name: "anagrafe-" + all.MadeAt.Format(time.DateOnly) + ".json"}, nil
}

func (v *Review) exported(r *http.Request) (x export, err error) {
	ctx := r.Context()
	x.MadeAt, x.Answers = time.Now().UTC().Truncate(time.Second), map[string]map[string]string{}
	known, err := v.Inventory.View(ctx)
	if err != nil {
		return x, err
	}
	x.Devices, x.Cameras, x.Sites = known.Devices, known.Cameras, known.Sites
	sites := []string{""}
	for _, g := range x.Sites {
		sites = append(sites, g.SiteID)
	}
	for _, site := range sites {
		if contacts := known.Contacts[site]; len(contacts) > 0 && (site != "" || len(x.Sites) != 1) { // of one site "" is that one
			x.Contacts = append(x.Contacts, siteContacts{site, contacts})
		}
		if answers := known.Private[site]; len(answers) > 0 {
			x.Answers[site] = answers
		}
	}
	if x.Notices, err = v.Inventory.Notices(ctx); err != nil {
		return x, err
	}
	x.Messages, err = v.Inventory.Outbox(ctx)
	return x, err
}

// exporting offers the files; a program is given the whole at once.
func (v *Review) exporting(r *http.Request) (answer, error) {
	if wantsJSON(r) {
		return v.export(r)
	}
	return page("export.html", "export.title", nil), nil
}
