package consult

import (
	"net/http"
	"net/url"

	"anagrafe/collector/search"
)

// throughView is the switch between what is seen among the buildings and through
// them: of the map in the page, of the list by an address.
type throughView struct {
	On    bool   // the list and the map are as if there were no buildings
	Other string // address of the same answer the other way
}

// find gives an answer to who asked it, as the list that the request is about:
// among the buildings, or with "through" as if there were none.
func (c *Consult) find(r *http.Request, id, userID string) (*answer, bool) {
	ans, ok := c.answers.find(id, userID)
	if !ok || c.hidden == nil || r.FormValue("through") == "" {
		return ans, ok
	}
	return ans.through(), true
}

// through is the same answer as a list without buildings: with pages of its own,
// while what was revealed and reported of a site is known to both.
func (a *answer) through() *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil {
		a.open = &answer{id: a.id, userID: a.userID, question: a.question, at: a.at, query: a.query, results: search.Through(a.results),
			hidden: a.hidden, proof: a.proof, expires: a.expires, base: a}
		a.open.query.Buildings = nil
	}
	return a.open
}

// whole is the answer that an officer has asked for, of which a may be a list.
func (a *answer) whole() *answer {
	if a.base != nil {
		return a.base
	}
	return a
}

// pathOf is the address of an answer.
func pathOf(id string, through bool) string {
	path := "/search/" + url.PathEscape(id)
	if through {
		path += "?through=1"
	}
	return path
}

// maxSeen is how many rows are drawn among the buildings: as many as get a number
// on the map. At a tenth of a millisecond and 2 kB each that is what a page bears.
const maxSeen = 200

// seen is what a camera films among the buildings; nil: its whole sector.
func (c *Consult) seen(row row, through bool) [][2]float64 {
	if through || c.hidden == nil {
		return nil
	}
	cam := row.R.Camera
	points, ok := c.hidden.VisibilityPolygon(cam.Position, cam.View, rangeOf(cam.View))
	if !ok {
		return nil
	}
	ring := make([][2]float64, len(points))
	for i, p := range points {
		ring[i] = [2]float64{lonOf(p), latOf(p)}
	}
	return ring
}

// closed ends a ring where it begins, as GeoJSON wants it.
func closed(ring [][2]float64) [][2]float64 {
	if n := len(ring); n > 0 && ring[0] != ring[n-1] {
		ring = append(ring, ring[0])
	}
	return ring
}

// Drawn tells whether there is something to draw besides cameras.
func (v mapView) Drawn() bool {
	return v.Map.Point != nil || v.Map.Area != nil || v.Map.Route != nil
}
