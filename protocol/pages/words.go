package pages

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Words are the texts of one language, and its way to write numbers and times.
type Words struct {
	Lang    Lang
	tag     language.Tag
	texts   map[string]string
	printer *message.Printer
}

var placeholder = regexp.MustCompile(`\{([a-z_]+)\}`)

func newWords(l Lang, texts map[string]string) *Words {
	tag := language.Make(string(l))
	return &Words{Lang: l, tag: tag, texts: texts, printer: message.NewPrinter(tag)}
}

// Has reports whether there is a text for key.
func (w *Words) Has(key string) bool { _, ok := w.texts[key]; return ok }

// T returns the text of key, each {name} replaced by the value that follows name
// in pairs. A key without a text gives "[key]": Load keeps that from happening
// where the key is written out in a template.
func (w *Words) T(key string, pairs ...any) string {
	text, ok := w.texts[key]
	if !ok {
		return "[" + key + "]"
	}
	return fill(text, pairs)
}

func fill(text string, pairs []any) string {
	if len(pairs) == 0 {
		return text
	}
	return placeholder.ReplaceAllStringFunc(text, func(hole string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if name, _ := pairs[i].(string); "{"+name+"}" == hole {
				return fmt.Sprint(pairs[i+1])
			}
		}
		return hole
	})
}

// N returns the text of key for a count: key.zero where there is one and n is 0,
// else key.one or key.other as the language asks. {n} is the written number.
func (w *Words) N(key string, n int, pairs ...any) string {
	pairs = append([]any{"n", w.Number(n)}, pairs...)
	if n == 0 && w.Has(key+".zero") {
		return w.T(key+".zero", pairs...)
	}
	if plural.Cardinal.MatchPlural(w.tag, n, 0, 0, 0, 0) == plural.One {
		return w.T(key+".one", pairs...)
	}
	return w.T(key+".other", pairs...)
}

// Number writes a whole number as the language does: 12.345 or 12,345.
func (w *Words) Number(n int) string { return w.printer.Sprintf("%d", n) }

// Decimal writes a number with one decimal place: 1.234,5 or 1,234.5.
func (w *Words) Decimal(x float64) string { return w.printer.Sprintf("%.1f", x) }

// readWords reads a flat JSON object of texts; a key may not stand twice, also
// not once in the shared file and once in a package's own.
func readWords(files fs.FS, name string, into map[string]string) error {
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	var own map[string]string
	if err := json.Unmarshal(raw, &own); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	for key, text := range own {
		if _, twice := into[key]; twice {
			return fmt.Errorf("read %s: key %q is one of the shared words", name, key)
		}
		into[key] = text
	}
	return nil
}

// agree checks that all languages have the same keys with the same placeholders.
func agree(all map[Lang]map[string]string) error {
	var wrong []string
	first := Langs[0].Lang
	for _, l := range Langs[1:] {
		for key, text := range all[first] {
			other, ok := all[l.Lang][key]
			switch {
			case !ok:
				wrong = append(wrong, fmt.Sprintf("%q has no text in %q", key, l.Lang))
			case !slices.Equal(holes(text), holes(other)):
				wrong = append(wrong, fmt.Sprintf("%q has placeholders %v in %q and %v in %q", key, holes(text), first, holes(other), l.Lang))
			case strings.TrimSpace(text) == "" || strings.TrimSpace(other) == "":
				wrong = append(wrong, fmt.Sprintf("%q is empty", key))
			}
		}
		for key := range all[l.Lang] {
			if _, ok := all[first][key]; !ok {
				wrong = append(wrong, fmt.Sprintf("%q has no text in %q", key, first))
			}
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("words: %s", strings.Join(wrong, "; "))
}

// holes lists the placeholders of a text, each once, in order of name.
func holes(text string) []string {
	set := map[string]bool{}
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		set[m[1]] = true
	}
	return slices.Sorted(maps.Keys(set))
}
