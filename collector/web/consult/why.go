package consult

import (
	"math"
	"time"

	"anagrafe/collector/search"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// reasons explain one result in words: why it stands where it stands in the
// order, never surer than what is known. The page, the JSON and through it the
// command line show these and no others.
type reasons struct {
	Lead    string   // whether it sees the point
	Rest    string   // from where, how far and how well; goes on where Lead ends
	Passed  string   // on a route: when they may have come by; else ""
	Doubts  []string // why that is not surer
	Footage string   // whether it recorded then, and whether that is still there
	Origin  origin   // how sure it is who says all this
}

// why words the reasons of a result of an answer.
func why(w *pages.Words, ans *answer, r search.Result) reasons {
	x := reasons{Footage: footageWords(w, r, ans.at), Origin: originOf(w, r)}
	place := placeOf(ans.question.query(ans.at).In)
	x.Lead, x.Rest = sightWords(w, r, place)
	if place == "route" {
		x.Passed = passingWords(w, r.From, r.Until)
	}
	doubts := r.Doubts.Names()
	if r.BeforeDeclared && r.Doubts&protocol.DoubtBeforeDeclared == 0 {
		doubts = append(doubts, "before-declared") // what is said not to see the place may have seen it then
	}
	for _, name := range doubts {
		x.Doubts = append(x.Doubts, doubtWords(w, r, name))
	}
	return x
}

// placeOf is what was asked for, as the words "why.place.*" name it.
func placeOf(in search.Area) string {
	switch in.(type) {
	case search.Polygon:
		return "area"
	case search.Route:
		return "route"
	default:
		return "point"
	}
}

// list returns whole sentences, the most important first: of a camera that holds
// no footage that is why it holds none.
func (x reasons) list(w *pages.Words, class search.Class) []string {
	sight := []string{x.Lead + x.Rest}
	if x.Passed != "" {
		sight = append(sight, x.Passed)
	}
	sight = append(sight, x.Doubts...)
	footage := w.T("why.footage", "footage", x.Footage)
	all := append(sight, footage)
	if class == search.ClassC {
		all = append([]string{footage}, sight...)
	}
	if x.Origin.Text != "" {
		all = append(all, x.Origin.Text)
	}
	return all
}

// sightWords says whether, from where and how well the camera sees the place.
func sightWords(w *pages.Words, r search.Result, place string) (lead, rest string) {
	s := r.Sight
	named := []any{"place", w.T("why.place." + place)}
	metres := w.Number(int(math.Round(s.DistanceM)))
	switch {
	case s.Sees == protocol.No:
		rest = w.T("why.beside", "metres", metres, "side", w.Wind(s.BearingDeg))
		if d := r.Camera.View.DirectionDeg; d != nil && !r.Camera.View.Turns {
			rest += w.T("why.towards", "side", w.Side(float64(*d)))
		}
		if r.Hidden == protocol.Yes {
			return w.T("why.hidden", named...), rest
		}
		return w.T("why.no", named...), rest
	case place == "area" && s.DistanceM == 0 && s.Sees == protocol.Yes:
		return w.T("why.inside"), ""
	case place == "area" && s.DistanceM == 0:
		return w.T("why.inside.may"), ""
	}
	rest = w.T("why.from", "metres", metres, "side", w.Wind(s.BearingDeg))
	lead, density := w.T("why.sees", named...), "why.density"
	if s.Sees != protocol.Yes {
		lead, density = w.T("why.may", named...), "why.density.if"
	}
	if s.PixelsPerMetre > 0 {
		// Never more than there is: 124.6 px/m is not yet 125, where another class begins.
		rest += w.T(density, "density", w.Number(int(s.PixelsPerMetre)), "class", densityWords(w, s.Class))
	}
	return lead, rest
}

// densityWords returns the name that IEC 62676-4 has for a pixel density, and
// what it lets one see.
func densityWords(w *pages.Words, c protocol.Class) string {
	if c == protocol.ClassNone {
		return w.T("density.none")
	}
	return w.T("density.named", "name", w.T("density.name."+string(c)), "what", w.T("density."+string(c)))
}

// doubtWords words one doubt, by the name that protocol.Doubts gives it.
func doubtWords(w *pages.Words, r search.Result, name string) string {
	accuracy := r.Camera.Position.AccuracyM
	if accuracy <= 0 {
		accuracy = protocol.DefaultAccuracyM
	}
	pairs := []any{"metres", w.Number(accuracy)}
	for _, f := range r.Facts {
		if "old-"+f.Group == name {
			pairs = append(pairs, "age", w.Ago(f.Age))
		}
	}
	return w.T("doubt."+name, pairs...)
}

// footageWords says whether footage of that time is there, and of what is gone
// how that is known: a limit that would have kept it is no reason.
func footageWords(w *pages.Words, r search.Result, at time.Time) string {
	key, kept := footageKey(r), r.Retention
	age := kept.Age
	if r.Recording == protocol.OnEvent && kept.EventAge > 0 {
		age = kept.EventAge
	}
	switch {
	case key != "footage.gone":
		return w.T(key)
	case kept.OldestFootage.After(r.Until):
		return w.T("footage.gone.oldest", "when", w.Short(kept.OldestFootage))
	case kept.Kind == protocol.RetentionAge && age > 0 && !r.Until.Add(age).After(at):
		return w.T("footage.gone.age", "span", w.Duration(age))
	default:
		return w.T(key)
	}
}
