package consult

import (
	"slices"

	"anagrafe/collector/search"
)

// formView is what the form's template reads.
type formView struct {
	Asked    *asked
	User     string // id of whose tab it is: the script keeps the case for that person only
	Kinds    []string
	Offences []string
	Radii    []int
	onMap    bool
	first    string // the field that has the cursor
}

func newFormView(a *asked, user string, hasBase bool) formView {
	v := formView{Asked: a, User: user, Kinds: caseKinds, Offences: offences, Radii: radiiWith(a.RadiusM), onMap: hasBase, first: "at"}
	if len(a.Errors) > 0 {
		v.first = a.Errors[0].Field
	}
	if a.AskWhichOne {
		v.first = "fold"
	}
	return v
}

// OnMap tells whether a click on the map can name the place.
func (v formView) OnMap() bool { return v.onMap }

// Wrong gives the key of what is wrong with a field, or "".
func (v formView) Wrong(field string) string { return v.Asked.wrong(field) }

// Focus tells which field has the cursor when the page opens.
func (v formView) Focus(field string) bool { return v.first == field }

// Error is what the template "wrong" reads.
func (v formView) Error(field string) struct{ ID, Key string } {
	return struct{ ID, Key string }{field, v.Asked.wrong(field)}
}

// radiiWith is the list of radii, with the caller's own among them.
func radiiWith(own int) []int {
	all := slices.Clone(radii)
	if own >= search.MinRadiusM && own <= search.MaxRadiusM && !slices.Contains(all, own) {
		all = append(all, own)
		slices.Sort(all)
	}
	return all
}
