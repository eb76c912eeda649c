package ops

import (
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/csvfile"
	"anagrafe/protocol/pages"
)

// mostExported bounds one file: what the register is built for.
const mostExported = 200_000

// exportStall is how long a client may take to read a part of a file.
const exportStall = time.Minute

// export answers with the filtered list as a CSV file: UTF-8 with a byte order mark,
// semicolons, times of Rome as spreadsheets read them. That it was taken is on the
// trail, with the filter, which holds no personal data, and how many rows the list has
// then. Rows leave as they are read, some thousands at a time (see registry), so that
// memory is bounded; a file that cannot be ended is broken off, for the browser to say
// so. Files are made one at a time.
func (l *list[T]) export(o *Ops) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		q, ok := l.ask(o, rw, r)
		if !ok {
			return
		}
		select {
		case o.exporting <- struct{}{}:
			defer func() { <-o.exporting }()
		case <-r.Context().Done():
			return
		}
		n, err := l.count(r.Context(), q)
		if err != nil {
			o.Web.Broken(rw, r, err)
			return
		}
		if !o.put(rw, r, web.Act{Kind: act.ListExport, Count: min(n, mostExported), Details: map[string]string{"list": l.path, "filter": q.encode()}}) {
			return
		}
		if err := l.stream(o, rw, r, q); err != nil {
			if r.Context().Err() == nil {
				o.Log.ErrorContext(r.Context(), "a file of a list broke off", "list", l.path, "err", err)
			}
			panic(http.ErrAbortHandler) // net/http's way to end a connection without a good ending
		}
	}
}

func (l *list[T]) stream(o *Ops, rw http.ResponseWriter, r *http.Request, q query) error {
	w := o.pages.Words(pages.Language(r))
	headCSV(rw, l.name)
	out := newCSV(web.Streamed(rw, exportStall))
	line := make([]string, len(l.fields))
	for i, f := range l.fields {
		line[i] = w.T(l.name + "." + f.key)
	}
	if err := out.Write(line); err != nil {
		return err
	}
	err := l.rows(r.Context(), q, registry.Window{Ascending: q.ascending, Limit: mostExported}, func(row T) error {
		for i, f := range l.fields {
			line[i] = csvfile.Marked(f.text(w, row))
		}
		return out.Write(line)
	})
	out.Flush()
	return errors.Join(err, out.Error())
}

// newCSV writes a file as Excel reads it.
func newCSV(w io.Writer) *csv.Writer {
	_, _ = io.WriteString(w, "\ufeff") // by which Excel knows UTF-8; the writer keeps the error of what follows
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	return out
}

// headCSV says that a file follows.
func headCSV(rw http.ResponseWriter, name string) {
	rw.Header().Set("Content-Type", "text/csv; charset=utf-8")
	rw.Header().Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	rw.Header().Set("Cache-Control", "no-store")
}

// csvTime is a moment as a spreadsheet reads it; "" for none.
func csvTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(pages.Rome()).Format("2006-01-02 15:04")
}
