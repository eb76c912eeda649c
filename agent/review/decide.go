package review

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// decision is what a person decides, and over which cameras; a rule is for an approval
// alone.
type decision struct {
	inventory.Selection
	By     string        `json:"by"`
	Role   protocol.Role `json:"role"`    // of By; "" owner
	DryRun bool          `json:"dry_run"` // of an approval: tell what it would do

	notice string // version of the information notice that the page showed
}

func (d decision) approval() protocol.Approval {
	return protocol.Approval{By: d.By, Role: d.Role, NoticeVersion: d.notice}
}

// decisionOf reads a decision as JSON or as a form.
func decisionOf(r *http.Request) (decision, error) {
	d, err := approvalOf(r)
	if err == nil && (d.Rule != "" || d.DryRun) {
		err = problem{status: http.StatusBadRequest, What: "only an approval goes by a rule, or is tried", Field: "rule", key: "error.value"}
	}
	return d, err
}

// approvalOf is decisionOf for an approval.
func approvalOf(r *http.Request) (d decision, err error) {
	if filled, err := read(r, &d); err != nil {
		return d, err
	} else if filled { // the page's rule has become the cameras that it showed
		d = decision{Selection: inventory.Selection{IDs: r.PostForm["ids"], All: r.PostForm.Get("all") != ""}, By: r.PostForm.Get("by"), Role: protocol.Role(r.PostForm.Get("role"))}
	}
	ways := 0
	for _, said := range []bool{d.All, len(d.IDs) > 0, d.Rule != ""} {
		if said {
			ways++
		}
	}
	if ways != 1 {
		return d, problem{status: http.StatusBadRequest, What: "name the cameras, give a rule, or ask for all", Field: "ids", key: "error.value"}
	}
	if !slices.Contains([]protocol.Role{"", protocol.RoleOwner, protocol.RoleReferent}, d.Role) {
		return d, problem{status: http.StatusBadRequest, What: "is owner or referent, who acts by the owner's delegation", Field: "role", key: "error.value"}
	}
	return d, nil
}

type results struct {
	Results []inventory.Result `json:"results"`
}

func answerWith(all []inventory.Result, to string) answer {
	return answer{json: results{append([]inventory.Result{}, all...)}, to: to}
}

// summaryView is all that would leave, right before it does.
type summaryView struct {
	Steps    stepsView
	Cameras  []seenCamera
	Sites    []inventory.Site
	Contacts []protocol.Contact
	JSON     []string // the messages
	Notice   string   // version of the information notice that goes with the yes
	First    bool     // nothing is shared yet: the yes is the adhesion
	Seen     string   // of inventory.Preview
	Changed  bool     // since it was shown: to be looked at again
	By       string
	Errors   fields
	Blocked  []blocked
	Bulk     bool      // by a rule or a file
	Referent bool      // was chosen as the role of By
	Staying  []staying // of those, what does not go
}

// blocked is a camera that could not go, and why.
type blocked struct{ Name, Why string }

// staying is a camera that a rule or a file means and that does not go, and why.
type staying struct{ ID, Name, Why string }

func whyStays(w *pages.Words, c inventory.Camera) string {
	switch {
	case c.State == inventory.StateRefused || c.State == inventory.StateWithdrawn:
		return w.T("state." + string(c.State))
	case c.Outdoor != nil && !*c.Outdoor:
		return w.T("state.indoor")
	}
	var missing []string
	for _, m := range c.Missing {
		missing = append(missing, w.T("missing."+m))
	}
	return w.T("approve.staying.missing", "what", strings.Join(missing, ", "))
}

// summary shows what waits for the owner's yes.
func (v *Review) summary(r *http.Request) (answer, error) {
	return v.summaryPage(r, shownCameras{}, "", nil, nil)
}

// shownCameras are those that a summary is about; without a filter all that wait.
type shownCameras struct {
	only func(inventory.Camera) bool
	bulk bool // many at once, by a rule or a file: tell also which stay
}

// posted are the cameras that the page had shown.
func posted(r *http.Request) shownCameras {
	if len(r.PostForm["ids"]) == 0 {
		return shownCameras{}
	}
	return shownCameras{func(c inventory.Camera) bool { return slices.Contains(r.PostForm["ids"], c.ID) }, r.PostForm.Has("role")}
}

func (v *Review) summaryPage(r *http.Request, shown shownCameras, by string, wrong fields, failed []inventory.Result) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	if len(known.Sites) == 0 && !wantsJSON(r) {
		return answer{to: "/enrol"}, nil
	}
	view := summaryView{Steps: firstRun(r, known), Sites: known.Sites, By: by, Errors: wrong, Bulk: shown.bulk, Notice: pages.OwnersNotice, First: true, Referent: r.PostForm.Get("role") == string(protocol.RoleReferent)}
	var ids []string
	w := v.words(r)
	for _, c := range known.Cameras {
		view.First = view.First && c.Declared == nil
		if shown.only != nil && !shown.only(c) {
			continue
		}
		if c.State == inventory.StateReady || len(c.Changed) > 0 && !c.AskAgain {
			ids = append(ids, c.ID)
			view.Cameras = append(view.Cameras, seenCamera{viewOf(w, c), policeRows(w, c)})
		} else if shown.bulk && c.State != inventory.StateDeclared {
			view.Staying = append(view.Staying, staying{c.ID, nameOf(w, c), whyStays(w, c)})
		}
		for _, f := range failed {
			if f.ID == c.ID {
				view.Blocked = append(view.Blocked, blocked{nameOf(w, c), f.Error})
			}
		}
	}
	preview, err := v.Inventory.Preview(r.Context(), inventory.Selection{IDs: ids}, protocol.Approval{By: by, NoticeVersion: pages.OwnersNotice})
	if err != nil {
		return answer{}, err
	}
	view.Seen = preview.Seen
	view.Changed = r.Method == http.MethodPost && r.URL.Path == "/approve" && (r.PostForm.Get("seen") != preview.Seen || r.PostForm.Get("notice") != view.Notice)
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
// notice was read is part of the act, and its version leaves with it.
func (v *Review) approve(r *http.Request) (answer, error) {
	d, err := approvalOf(r)
	if err != nil {
		return answer{}, err
	}
	if d.DryRun {
		return v.tryApproval(r, d)
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
			return v.summaryPage(r, posted(r), d.By, wrong, nil)
		}
		if d.notice = r.PostForm.Get("notice"); d.notice != pages.OwnersNotice { // of a program that was replaced since
			return v.summaryPage(r, posted(r), d.By, nil, nil)
		}
	}
	var all []inventory.Result
	if isJSON(r) {
		all, err = v.Inventory.Approve(r.Context(), d.Selection, d.approval())
	} else { // what was on the page, and nothing else
		all, err = v.Inventory.ApproveSeen(r.Context(), d.Selection, d.approval(), r.PostForm.Get("seen"))
	}
	if errors.Is(err, inventory.ErrChanged) && !wantsJSON(r) {
		return v.summaryPage(r, posted(r), d.By, nil, nil)
	}
	if err != nil {
		return answer{}, err
	}
	failed := slices.DeleteFunc(slices.Clone(all), func(r inventory.Result) bool { return r.Error == "" })
	if len(failed) > 0 && !wantsJSON(r) {
		return v.summaryPage(r, posted(r), d.By, nil, failed)
	}
	return answerWith(all, "/receipt?done=approved"), nil
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
	Sites   []inventory.Site
	All     bool
	Last    bool // nothing is left of a site
}

// leaving shows what a withdrawal would do: of ?id=, or of all.
func (v *Review) leaving(r *http.Request) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	view := leavingView{Sites: known.Sites}
	ids := r.URL.Query()["id"]
	view.All = len(ids) == 0
	left := 0
	for _, c := range known.Cameras {
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
		v.Withdrawn(r.Context())
		return answerWith(all, "/receipt?done=withdrawn"), nil
	}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	var all []inventory.Result
	for _, g := range known.Sites {
		if err := v.Inventory.WithdrawSite(r.Context(), g.SiteID, d.approval()); err != nil {
			return answer{}, err
		}
		for _, c := range known.Cameras {
			if c.State == inventory.StateDeclared && c.SiteID == g.SiteID {
				all = append(all, inventory.Result{ID: c.ID})
			}
		}
	}
	v.Withdrawn(r.Context())
	return answerWith(all, "/receipt?done=withdrawn"), nil
}
