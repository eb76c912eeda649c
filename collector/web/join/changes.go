package join

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

// maxChanges bounds the page of what changed; the export has all.
const maxChanges = 100

// changes shows an owner what changed in the register, when and by whom.
func (j *Join) changes(rw http.ResponseWriter, r *http.Request) {
	own, ok := j.own(rw, r, true)
	if !ok {
		return
	}
	h, err := j.Registry.History(r.Context(), own.ID, time.Time{})
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	all, err := h.Changes(time.Time{}, j.Web.Now())
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	v := changesView{Acts: changeActs(j.pages.Words(pages.Language(r)), h, all)}
	if v.More = len(v.Acts) > maxChanges; v.More {
		v.Acts = v.Acts[:maxChanges]
	}
	j.show(rw, r, own.Name, pages.Page{Template: "changes.html", Title: "changes.title", Data: v})
}

// changesView is what changed, the newest first.
type changesView struct {
	Acts []changeAct
	More bool
}

// changeAct is what the register learnt of one person, or of the agent, at one time.
type changeAct struct {
	At     time.Time
	By     string // key of the quality
	Name   string // as they gave it; "": nobody's
	Things []changedThing
}

// changedThing is a camera, a recorder or the site, and what of it is not as before.
type changedThing struct {
	Name string // "": the site itself, or a camera of which nothing is kept
	Kind string // key
	What []string
	id   string
}

// changeActs puts into words what a person can recognise: where a fact comes from, and
// whether a recorder was reached, are no changes to them.
func changeActs(w *pages.Words, h registry.History, all []registry.Change) []changeAct {
	slices.SortStableFunc(all, func(a, b registry.Change) int { return b.Recorded.Compare(a.Recorded) })
	var acts []changeAct
	for _, c := range all {
		what := changedField(w, c)
		if what == "" {
			continue
		}
		by, name := "changes.by."+cmp.Or(string(c.Author), "unknown"), c.Name
		at := len(acts) - 1
		if at < 0 || !acts[at].At.Equal(c.Recorded) || acts[at].By != by || acts[at].Name != name {
			acts = append(acts, changeAct{At: c.Recorded, By: by, Name: name})
			at++
		}
		act := &acts[at]
		i := slices.IndexFunc(act.Things, func(t changedThing) bool { return t.id == c.Thing+c.ID })
		if i < 0 {
			act.Things = append(act.Things, changedThing{Name: changedName(h, c), Kind: "changes.thing." + c.Thing, id: c.Thing + c.ID})
			i = len(act.Things) - 1
		}
		if t := &act.Things[i]; !slices.Contains(t.What, what) {
			t.What = append(t.What, what)
		}
	}
	return acts
}

// changedField says what of a thing changed; "": nothing that is told.
func changedField(w *pages.Words, c registry.Change) string {
	if c.Field == "" {
		if c.After == nil {
			return w.T("changes.gone")
		}
		return w.T("changes.new")
	}
	field, _, _ := strings.Cut(c.Field, ".")
	switch field {
	case "name_fact", "id", "reachable", "channel", "recorder_id":
		return ""
	case "name":
		before, _ := c.Before.(string)
		after, _ := c.After.(string)
		return w.T("changes.name", "before", before, "after", after)
	case "state":
		if c.Before == nil { // it came into the register, which is told of its cameras too
			return ""
		}
		after, _ := c.After.(string)
		return w.T("changes.state." + cmp.Or(after, "none"))
	case "vendor", "model":
		return w.T("changes.model")
	case "storage_note":
		field = "storage"
	}
	if strings.HasSuffix(c.Field, ".source") || strings.HasSuffix(c.Field, ".by") {
		return ""
	}
	return w.T("changes." + field)
}

// changedName is what the register calls the thing now, or called it last.
func changedName(h registry.History, c registry.Change) string {
	if eras := h.Recorders[c.ID]; len(eras) > 0 {
		r := eras[len(eras)-1].Value
		return cmp.Or(r.Name, strings.TrimSpace(r.Vendor+" "+r.Model))
	}
	if versions := h.Cameras[c.ID]; len(versions) > 0 {
		last := slices.MaxFunc(versions, func(a, b registry.CameraVersion) int { return a.ValidFrom.Compare(b.ValidFrom) })
		return last.Camera.Name
	}
	return ""
}
