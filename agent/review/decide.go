package review

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// decision is what a person decides, and over which cameras.
type decision struct {
	IDs []string `json:"ids"`
	All bool     `json:"all"`
	By  string   `json:"by"`
}

func (d decision) approval() protocol.Approval { return protocol.Approval{By: d.By} }

// decisionOf reads a decision as JSON or as a form.
func decisionOf(r *http.Request) (d decision, err error) {
	if isJSON(r) {
		err = decode(r, &d)
	} else if err = form(r); err == nil {
		d = decision{IDs: r.PostForm["ids"], All: r.PostForm.Get("all") != "", By: r.PostForm.Get("by")}
	}
	if err == nil && d.All == (len(d.IDs) > 0) {
		err = problem{status: http.StatusBadRequest, What: "name the cameras, or ask for all", Field: "ids", key: "error.value"}
	}
	return d, err
}

type results struct {
	Results []inventory.Result `json:"results"`
}

func answerWith(all []inventory.Result, to string) answer {
	return answer{json: results{append([]inventory.Result{}, all...)}, to: to}
}

// summaryView is all that would leave, right before it does.
type summaryView struct {
	Cameras  []cameraView
	Sites    []inventory.Grant
	Contacts []protocol.Contact
	JSON     []string // the messages
	Seen     string   // of inventory.Preview
	Changed  bool     // since it was shown: to be looked at again
	By       string
	Errors   fields
	Blocked  []blocked
}

// blocked is a camera that could not go, and why.
type blocked struct{ Name, Why string }

// summary shows what waits for the owner's yes.
func (v *Review) summary(r *http.Request) (answer, error) {
	return v.summaryPage(r, "", nil, nil)
}

func (v *Review) summaryPage(r *http.Request, by string, wrong fields, failed []inventory.Result) (answer, error) {
	_, cameras, err := v.all(r)
	if err != nil {
		return answer{}, err
	}
	grants, err := v.Inventory.Grants(r.Context())
	if err != nil {
		return answer{}, err
	}
	if len(grants) == 0 && !wantsJSON(r) {
		return answer{to: "/enrol"}, nil
	}
	view := summaryView{Sites: grants, By: by, Errors: wrong}
	var ids []string
	w := v.words(r)
	for _, c := range cameras {
		if c.State == inventory.StateReady || len(c.Changed) > 0 && !c.AskAgain {
			ids = append(ids, c.ID)
			view.Cameras = append(view.Cameras, viewOf(w, c))
		}
		for _, f := range failed {
			if f.ID == c.ID {
				view.Blocked = append(view.Blocked, blocked{nameOf(w, c), f.Error})
			}
		}
	}
	preview, err := v.Inventory.Preview(r.Context(), ids, protocol.Approval{By: by})
	if err != nil {
		return answer{}, err
	}
	view.Seen = preview.Seen
	view.Changed = r.Method == http.MethodPost && r.PostForm.Get("seen") != preview.Seen
	for _, m := range preview.Messages {
		text, err := json.MarshalIndent(m, "", "  ")
		if err != nil {
			return answer{}, err
		}
		view.JSON = append(view.JSON, string(text))
		if d, ok := m.Body.(protocol.Declaration); ok {
			for _, c := range d.Contacts {
				if !slices.Contains(view.Contacts, c) {
					view.Contacts = append(view.Contacts, c)
				}
			}
		}
	}
	if view.By == "" && len(view.Contacts) > 0 {
		view.By = view.Contacts[0].Name
	}
	a := page("approve.html", "approve.title", view)
	a.json = struct {
		Messages []protocol.Message `json:"messages"`
	}{append([]protocol.Message{}, preview.Messages...)}
	if wrong != nil || failed != nil || view.Changed {
		a.page.Status = http.StatusUnprocessableEntity
	}
	return a, nil
}

// approve is the owner's yes. From the page it also needs "read": that the
// notice was read is part of the act.
func (v *Review) approve(r *http.Request) (answer, error) {
	d, err := decisionOf(r)
	if err != nil {
		return answer{}, err
	}
	if !wantsJSON(r) && !isJSON(r) {
		wrong := fields{}
		if r.PostForm.Get("read") == "" {
			wrong["read"] = field{Error: "wrong.read"}
		}
		if d.By == "" {
			wrong["by"] = field{Error: "wrong.by"}
		}
		if len(wrong) > 0 {
			return v.summaryPage(r, d.By, wrong, nil)
		}
	}
	var all []inventory.Result
	switch {
	case d.All:
		all, err = v.Inventory.ApproveAll(r.Context(), d.approval())
	case isJSON(r):
		all, err = v.Inventory.Approve(r.Context(), d.IDs, d.approval())
	default: // what was on the page, and nothing else
		all, err = v.Inventory.ApproveSeen(r.Context(), d.IDs, d.approval(), r.PostForm.Get("seen"))
	}
	if errors.Is(err, inventory.ErrChanged) && !wantsJSON(r) {
		return v.summaryPage(r, d.By, nil, nil)
	}
	if err != nil {
		return answer{}, err
	}
	failed := slices.DeleteFunc(slices.Clone(all), func(r inventory.Result) bool { return r.Error == "" })
	if len(failed) > 0 && !wantsJSON(r) {
		return v.summaryPage(r, d.By, nil, failed)
	}
	return answerWith(all, "/?done=approved"), nil
}

// refuse keeps cameras out.
func (v *Review) refuse(r *http.Request) (answer, error) {
	d, err := decisionOf(r)
	if err != nil {
		return answer{}, err
	}
	if d.All {
		return answer{}, problem{status: http.StatusBadRequest, What: "cameras are refused by name", Field: "ids", key: "error.value"}
	}
	all, err := v.Inventory.KeepOut(r.Context(), d.IDs, d.approval())
	if err != nil {
		return answer{}, err
	}
	return answerWith(all, "/?done=kept"), nil
}

// restore takes a refusal back.
func (v *Review) restore(r *http.Request) (answer, error) {
	d, err := decisionOf(r)
	if err != nil {
		return answer{}, err
	}
	all, err := v.Inventory.Restore(r.Context(), d.IDs)
	if err != nil {
		return answer{}, err
	}
	return answerWith(all, "/?done=back"), nil
}

// leavingView asks once before something is taken out.
type leavingView struct {
	Cameras []cameraView
	Sites   []inventory.Grant
	All     bool
	Last    bool // nothing is left of a site
}

// leaving shows what a withdrawal would do: of ?id=, or of all.
func (v *Review) leaving(r *http.Request) (answer, error) {
	_, cameras, err := v.all(r)
	if err != nil {
		return answer{}, err
	}
	view := leavingView{}
	ids := r.URL.Query()["id"]
	view.All = len(ids) == 0
	left := 0
	for _, c := range cameras {
		if c.State != inventory.StateDeclared {
			continue
		}
		if view.All || slices.Contains(ids, c.ID) {
			view.Cameras = append(view.Cameras, viewOf(v.words(r), c))
		} else {
			left++
		}
	}
	view.Last = left == 0
	if view.Sites, err = v.Inventory.Grants(r.Context()); err != nil {
		return answer{}, err
	}
	a := page("withdraw.html", "withdraw.title", view)
	a.json = struct {
		Cameras []inventory.Camera `json:"cameras"`
	}{plain(view.Cameras)}
	return a, nil
}

func plain(views []cameraView) []inventory.Camera {
	out := []inventory.Camera{}
	for _, v := range views {
		out = append(out, v.Camera)
	}
	return out
}

// withdraw takes cameras, or everything, out of the register.
func (v *Review) withdraw(r *http.Request) (answer, error) {
	d, err := decisionOf(r)
	if err != nil {
		return answer{}, err
	}
	if !d.All {
		all, err := v.Inventory.Withdraw(r.Context(), d.IDs, d.approval())
		if err != nil {
			return answer{}, err
		}
		return answerWith(all, "/?done=withdrawn"), nil
	}
	_, cameras, err := v.all(r)
	if err != nil {
		return answer{}, err
	}
	grants, err := v.Inventory.Grants(r.Context())
	if err != nil {
		return answer{}, err
	}
	var all []inventory.Result
	for _, g := range grants {
		if err := v.Inventory.WithdrawSite(r.Context(), g.SiteID, d.approval()); err != nil {
			return answer{}, err
		}
		for _, c := range cameras {
			if c.State == inventory.StateDeclared && c.SiteID == g.SiteID {
				all = append(all, inventory.Result{ID: c.ID})
			}
		}
	}
	return answerWith(all, "/?done=withdrawn"), nil
}
