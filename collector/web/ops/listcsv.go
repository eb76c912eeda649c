package ops

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/csvfile"
	"anagrafe/protocol/pages"
)

// mostExported bounds one file: what the register is built for.
const mostExported = 200_000

// export answers with the filtered list as a CSV file: UTF-8 with a byte order mark,
// semicolons, times of Rome as spreadsheets read them. That it was taken is on the
// trail, with the filter, which holds no personal data. Files are made one at a time,
// since a large one takes tens of megabytes.
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
		file, n, err := l.file(o, r, q)
		if err != nil {
			o.Web.Broken(rw, r, err)
			return
		}
		if !o.put(rw, r, web.Act{Kind: "list-export", Count: n, Details: map[string]string{"list": l.path, "filter": q.encode()}}) {
			return
		}
		sendCSV(rw, l.name, file)
	}
}

func (l *list[T]) file(o *Ops, r *http.Request, q query) (file []byte, n int, err error) {
	w := o.pages.Words(pages.Language(r))
	var b bytes.Buffer
	b.WriteString("\ufeff") // by which Excel knows UTF-8
	out := csv.NewWriter(&b)
	out.Comma, out.UseCRLF = ';', true
	line := make([]string, len(l.fields))
	for i, f := range l.fields {
		line[i] = w.T(l.name + "." + f.key)
	}
	if err := out.Write(line); err != nil {
		return nil, 0, err
	}
	in := registry.Window{Ascending: q.ascending, Limit: mostExported}
	err = l.rows(r.Context(), q, in, func(row T) error {
		n++
		for i, f := range l.fields {
			line[i] = csvfile.Marked(f.text(w, row))
		}
		return out.Write(line)
	})
	if err != nil {
		return nil, 0, err
	}
	out.Flush()
	return b.Bytes(), n, out.Error()
}

// sendCSV answers with a file.
func sendCSV(rw http.ResponseWriter, name string, file []byte) {
	rw.Header().Set("Content-Type", "text/csv; charset=utf-8")
	rw.Header().Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	rw.Header().Set("Cache-Control", "no-store")
	_, _ = rw.Write(file) // the client has gone: nobody to tell
}

// csvTime is a moment as a spreadsheet reads it; "" for none.
func csvTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(pages.Rome()).Format("2006-01-02 15:04")
}
