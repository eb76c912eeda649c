package pages

import (
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
)

//go:embed statements
var statementFiles embed.FS

// Statements serves GET /privacy and GET /accessibility of a face, which every
// footer leads to; they are open to everybody. The municipality's own full
// notice is a document of its site: these say what this program does.
func Statements(f Face, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	set, err := loadStatements(log)
	if err != nil { // a test of this package loads them: an edit that breaks them does not get here
		log.Error("statements not shown", "err", err)
		return mux
	}
	for path, topic := range map[string]string{"/privacy": "privacy." + string(f), "/accessibility": "accessibility"} {
		title := "statement." + path[1:]
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			words := set.Words(Language(r))
			texts := paragraphs(words, "statement."+topic)
			if f == FaceAgent && path == "/privacy" {
				texts = append(texts, words.T("statement.version", "version", OwnersNotice))
			}
			set.Render(w, r, Page{Template: "statement.html", Title: title, Face: f, Data: texts})
		})
	}
	return mux
}

// OwnersNotice is the version of the information notice (art. 13 of Regulation (EU)
// 2016/679) that owners read on the agent's pages, before they say so: a number and
// the day from which it holds. Whoever changes the text in any language changes
// this; a test holds the two together. The collector's pages name it too, of the notice
// that package privacy writes.
const OwnersNotice = "5 (2026-11-24)"

func loadStatements(log *slog.Logger) (*Set, error) {
	files, err := fs.Sub(statementFiles, "statements")
	if err != nil {
		return nil, err
	}
	return Load(files, log)
}

// paragraphs collects the texts topic.1, topic.2, ...
func paragraphs(w *Words, topic string) []string {
	var texts []string
	for i := 1; ; i++ {
		key := fmt.Sprintf("%s.%d", topic, i)
		if !w.Has(key) {
			return texts
		}
		texts = append(texts, w.T(key))
	}
}
