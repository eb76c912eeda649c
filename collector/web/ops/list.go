package ops

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// A list is a table that pages, sorts and filters by its address alone: what the
// address may ask for is a closed set, and each value is checked before anything is
// read. The same address with ".csv" behind the path is the whole filtered list as a
// file (listcsv.go); a filter can be kept under a name (saved_filters.go). Words of a
// list named "sites": sites.title, .lead, .none, a column's sites.KEY, a filter's
// sites.filter.KEY with its values sites.KEY.VALUE.

// list of rows of type T.
type list[T any] struct {
	path    string // "/sites"
	name    string // of its words
	columns []column[T]
	filters []filter
	orders  []string // columns that it can be sorted by; the first one, newest first, if none is asked for
	fields  []field[T]
	add     string // where another one is made, with the word NAME.add; "": nowhere

	count func(ctx context.Context, q query) (int, error)
	// rows calls row for each of a window of the list.
	rows func(ctx context.Context, q query, in registry.Window, row func(T) error) error
	// counted is when what the list has was read; nil: it is read for each page.
	counted func(ctx context.Context) (time.Time, error)
}

// column is one that the page shows; the first one heads its row.
type column[T any] struct {
	key  string
	cell func(w *pages.Words, row T) cell
}

// field is a column of the CSV file.
type field[T any] struct {
	key  string
	text func(w *pages.Words, row T) string
}

// cell is what the page shows in a column. All is text, escaped by the template.
type cell struct {
	Text  string
	Href  string // of Text; "": no link
	Tags  []tag
	Since time.Time // shown as how long ago
	Code  string    // an identifier
	Notes []string  // beneath, muted
	Act   *rowAct
}

// tag is a state; Kind is of the style sheet: ok, warn, bad, info, muted.
type tag struct{ Kind, Text string }

// rowAct is a form of one button, behind a summary that says of what it is.
type rowAct struct {
	Path, Summary, Of, Lead, Submit string
	Mild                            bool // it takes nothing away
}

// filter is one field by which a list can be narrowed.
type filter struct {
	key    string
	kind   filterKind
	values []string                                       // of a choice
	more   func(ctx context.Context) ([]string, error)    // values of a choice that are known at the time only
	label  func(w *pages.Words, value string) (is string) // of a choice's value; nil: its word
}

type filterKind int

const (
	choice  filterKind = iota
	dayFrom            // a day, 2006-01-02 in Rome, from whose beginning
	dayTo              // to whose end
	id                 // a UUID
)

const (
	pageSize = 50
	mostRows = 500 // that one page may have, for programs
	lastPage = 20_000
	maxValue = 200 // bytes of one value of an address
)

// query is what an address asks of a list, checked.
type query struct {
	values    map[string]string // of filters; those that do not narrow are left out
	order     string
	ascending bool
	page      int // from 1
	size      int
}

// get is the value of a filter; "" does not narrow.
func (q query) get(key string) string { return q.values[key] }

// from is when the day of a filter begins; zero if there is none.
func (q query) from(key string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, q.values[key], pages.Rome())
	if err != nil {
		return time.Time{} // read has seen to it that it is a day, or not there
	}
	return t
}

// until is when the day of a filter is over; zero if there is none.
func (q query) until(key string) time.Time {
	t := q.from(key)
	if t.IsZero() {
		return t
	}
	return t.AddDate(0, 0, 1)
}

// encode is the query as it stands in an address, with some fields changed; a value
// of "" takes a field out.
func (q query) encode(pairs ...string) string {
	v := url.Values{}
	for key, value := range q.values {
		v.Set(key, value)
	}
	if q.order != "" {
		v.Set("sort", q.order)
	}
	if q.ascending {
		v.Set("order", "asc")
	}
	if q.size != pageSize {
		v.Set("size", strconv.Itoa(q.size))
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			v.Del(pairs[i])
		}
	}
	return v.Encode()
}

// window is the part of the list that the query's page has.
func (q query) window() registry.Window {
	return registry.Window{Ascending: q.ascending, Limit: q.size, Offset: (q.page - 1) * q.size}
}

// read checks what an address asks for. wrong is the field that it cannot be asked.
func (l *list[T]) read(ctx context.Context, v url.Values) (q query, wrong string, err error) {
	q = query{values: map[string]string{}, page: 1, size: pageSize}
	for _, f := range l.filters {
		value := strings.TrimSpace(v.Get(f.key))
		if value == "" {
			continue
		}
		ok := len(value) <= maxValue
		if ok {
			ok, err = f.takes(ctx, value)
		}
		if err != nil {
			return q, "", err
		}
		if !ok {
			return q, f.key, nil
		}
		q.values[f.key] = value
	}
	if q.order = v.Get("sort"); q.order != "" && !slices.Contains(l.orders, q.order) {
		return q, "sort", nil
	}
	switch v.Get("order") {
	case "", "desc":
	case "asc":
		q.ascending = true
	default:
		return q, "order", nil
	}
	return q, q.readNumbers(v), nil
}

func (q *query) readNumbers(v url.Values) (wrong string) {
	for key, n := range map[string]struct {
		into *int
		most int
	}{"page": {&q.page, lastPage}, "size": {&q.size, mostRows}} {
		s := v.Get(key)
		if s == "" {
			continue
		}
		typed, err := strconv.Atoi(s)
		if err != nil || typed < 1 || typed > n.most {
			return key
		}
		*n.into = typed
	}
	return ""
}

// takes reports whether a value is one of the filter's.
func (f filter) takes(ctx context.Context, value string) (bool, error) {
	switch f.kind {
	case dayFrom, dayTo:
		_, err := time.ParseInLocation(time.DateOnly, value, pages.Rome())
		return err == nil, nil
	case id:
		return uuid.Validate(value) == nil && len(value) == 36, nil
	}
	values, err := f.choices(ctx)
	return slices.Contains(values, value), err
}

func (f filter) choices(ctx context.Context) ([]string, error) {
	if f.more == nil {
		return f.values, nil
	}
	return f.more(ctx)
}

// ask reads what a request asks of a list; when it returns false the answer is
// written.
func (l *list[T]) ask(o *Ops, rw http.ResponseWriter, r *http.Request) (query, bool) {
	q, wrong, err := l.read(r.Context(), r.URL.Query())
	if err != nil {
		o.Web.Broken(rw, r, err)
		return q, false
	}
	if wrong != "" {
		words := o.pages.Words(web.Language(r))
		o.Web.Fail(rw, r, http.StatusBadRequest, web.Problem{Error: words.T("list.wrong", "field", wrong), Field: wrong, Hint: words.T("list.wrong.hint")})
		return q, false
	}
	if q.order == "" {
		q.order = l.orders[0]
	}
	return q, true
}

// listJSON is a page of a list for a program; Next is the address of the next one.
type listJSON[T any] struct {
	Rows      []T       `json:"rows"`
	Total     int       `json:"total"`
	Next      string    `json:"next,omitempty"`
	CountedAt time.Time `json:"counted_at,omitzero"` // else now
}

// serve answers with a page of the list.
func (l *list[T]) serve(o *Ops) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		q, ok := l.ask(o, rw, r)
		if !ok {
			return
		}
		rows := []T{}
		total, err := l.count(r.Context(), q)
		if err == nil {
			err = l.rows(r.Context(), q, q.window(), func(row T) error { rows = append(rows, row); return nil })
		}
		var at time.Time
		if err == nil && l.counted != nil {
			at, err = l.counted(r.Context())
		}
		if err != nil {
			o.Web.Broken(rw, r, err)
			return
		}
		if web.WantsJSON(r) {
			out := listJSON[T]{Rows: rows, Total: total, CountedAt: at}
			if q.page*q.size < total && q.page < lastPage {
				out.Next = l.path + "?" + q.encode("page", strconv.Itoa(q.page+1))
			}
			web.WriteJSON(rw, http.StatusOK, out)
			return
		}
		data, err := l.view(o, r, q, rows, total)
		if err != nil {
			o.Web.Broken(rw, r, err)
			return
		}
		data.At = at
		o.show(rw, r, pages.Page{Template: "list.html", Title: l.name + ".title", Wide: true, Data: data})
	}
}
