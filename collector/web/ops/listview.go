package ops

import (
	"net/http"
	"strconv"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// listView is what list.html shows.
type listView struct {
	Path, Name, Title, Lead string
	At                      time.Time // when the rows were read; zero: now
	Total, First, Last      int       // numbers of the rows shown, from 1
	Page, Pages             int
	Before, After, CSV      string
	Add                     string // "": none is made from here
	Heads                   []headView
	Rows                    [][]cell
	Fields                  []fieldView
	Narrowed                bool
	Orders                  []optionView
	Ascending               bool
	Size                    string // "": as usual
	Query                   string // to be kept under a name
	Saved                   []savedView
	Full                    bool // no more filters can be kept
}

// headView is the head of a column; Href sorts by it.
type headView struct {
	Key, Label, Href string
	Sort             string // "ascending", "descending", "": not sorted by it
}

// fieldView is a control of the form that narrows the list.
type fieldView struct {
	Key, Label, Value, Type string // Type: "select", "date" or "text"
	Options                 []optionView
}

type optionView struct {
	Value, Label string
	Chosen       bool
}

type savedView struct{ ID, Name, Href string }

// view prepares a page of the list.
func (l *list[T]) view(o *Ops, r *http.Request, q query, rows []T, total int) (listView, error) {
	w := o.pages.Words(pages.Language(r))
	v := listView{
		Path: l.path, Name: l.name, Title: w.T(l.name + ".title"), Lead: w.T(l.name + ".lead"), Total: total, Page: q.page, Pages: max(1, (total+q.size-1)/q.size),
		CSV: l.path + ".csv?" + q.encode(), Narrowed: len(q.values) > 0, Ascending: q.ascending, Query: q.encode("size", ""),
		Add: l.add,
	}
	if q.size != pageSize {
		v.Size = strconv.Itoa(q.size)
	}
	if len(rows) > 0 {
		v.First = (q.page-1)*q.size + 1
		v.Last = v.First + len(rows) - 1
	}
	at := func(page int) string { return l.path + "?" + q.encode("page", strconv.Itoa(page)) }
	if q.page > 1 {
		v.Before = at(min(q.page-1, v.Pages))
	}
	if q.page < v.Pages && q.page < lastPage {
		v.After = at(q.page + 1)
	}
	for _, c := range l.columns {
		v.Heads = append(v.Heads, l.head(w, q, c.key))
	}
	for _, row := range rows {
		cells := make([]cell, 0, len(l.columns))
		for _, c := range l.columns {
			cells = append(cells, c.cell(w, row))
		}
		v.Rows = append(v.Rows, cells)
	}
	for _, key := range l.orders {
		v.Orders = append(v.Orders, optionView{key, w.T(l.name + "." + key), key == q.order})
	}
	return v, l.viewFilters(o, r, w, q, &v)
}

// head is the head of a column: a link, where it can be sorted by.
func (l *list[T]) head(w *pages.Words, q query, key string) headView {
	h := headView{Key: key, Label: w.T(l.name + "." + key)}
	for _, order := range l.orders {
		if order != key {
			continue
		}
		turned := "asc"
		if order == q.order {
			h.Sort = "descending"
			if q.ascending {
				h.Sort, turned = "ascending", ""
			}
		} else {
			turned = ""
		}
		h.Href = l.path + "?" + q.encode("sort", key, "order", turned)
	}
	return h
}

func (l *list[T]) viewFilters(o *Ops, r *http.Request, w *pages.Words, q query, v *listView) error {
	for _, f := range l.filters {
		field := fieldView{Key: f.key, Label: w.T(l.name + ".filter." + f.key), Value: q.get(f.key), Type: "text"}
		switch f.kind {
		case dayFrom, dayTo:
			field.Type = "date"
		case choice:
			field.Type = "select"
			values, err := f.choices(r.Context())
			if err != nil {
				return err
			}
			for _, value := range values {
				label := f.label
				if label == nil {
					label = func(w *pages.Words, value string) string { return w.T(l.name + "." + f.key + "." + value) }
				}
				field.Options = append(field.Options, optionView{value, label(w, value), value == field.Value})
			}
		}
		v.Fields = append(v.Fields, field)
	}
	u, _ := web.User(r.Context())
	saved, err := o.Registry.SavedFilters(r.Context(), u.ID, l.path)
	for _, s := range saved {
		v.Saved = append(v.Saved, savedView{s.ID, s.Name, l.path + "?" + s.Query})
	}
	v.Full = len(saved) >= registry.MaxSavedFilters
	return err
}
