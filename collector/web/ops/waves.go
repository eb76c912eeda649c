package ops

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// wavesOnPage is how many waves a list has at most.
const wavesOnPage = 50

// waveTime is what a large wave may take to be changed.
const waveTime = 10 * time.Minute

// wavesView is the list of waves: those before a number, the newest first.
type wavesView struct {
	Waves []registry.Wave `json:"waves"`
	Next  int             `json:"next,omitempty"` // for ?before=; 0: there are no more
}

// waves lists what files have invited, by letter, e-mail and PEC: counts alone.
func (o *Ops) waves(rw http.ResponseWriter, r *http.Request) {
	before, err := strconv.Atoi(r.URL.Query().Get("before"))
	if err != nil || before < 0 {
		before = 0
	}
	all, err := o.Registry.Waves(r.Context(), before, wavesOnPage+1)
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	v := wavesView{Waves: all[:min(len(all), wavesOnPage)]}
	if len(all) > wavesOnPage {
		v.Next = v.Waves[wavesOnPage-1].Number
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusOK, v)
		return
	}
	o.show(rw, r, pages.Page{Template: "waves.html", Title: "waves.title", Data: v})
}

// changeWave pauses a wave, has it go on, or cancels what of it has not gone out, to the
// end of it: a browser that has gone leaves no wave half cancelled.
func (o *Ops) changeWave(kind act.Kind, do func(context.Context, int, time.Time) error) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		web.Long(rw, waveTime)
		number, err := strconv.Atoi(r.PathValue("number"))
		if err != nil || number < 1 {
			o.unknownWave(rw, r)
			return
		}
		if !o.record(rw, r, kind, map[string]int{"wave": number}) {
			return
		}
		err = do(context.WithoutCancel(r.Context()), number, o.Web.Now())
		switch {
		case errors.Is(err, registry.ErrUnknownWave):
			o.unknownWave(rw, r)
		case err != nil:
			o.Web.Broken(rw, r, err)
		case web.WantsJSON(r):
			web.WriteJSON(rw, http.StatusOK, map[string]int{"number": number})
		default:
			http.Redirect(rw, r, "/waves", http.StatusSeeOther)
		}
	}
}

func (o *Ops) unknownWave(rw http.ResponseWriter, r *http.Request) {
	o.refuse(rw, r, http.StatusUnprocessableEntity, wrong{"number", "waves.unknown"}, func() {
		http.Redirect(rw, r, "/waves", http.StatusSeeOther)
	})
}
