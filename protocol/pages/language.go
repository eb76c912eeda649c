package pages

import (
	"net/http"
	"time"

	"golang.org/x/text/language"
)

// Lang is a language that the pages speak.
type Lang string

// The languages, Italian first: it is also what a reader gets who asks for
// none of them.
const (
	It Lang = "it"
	En Lang = "en"
)

// Langs lists every language with its own name for itself.
var Langs = []struct {
	Lang  Lang
	Name  string // in the language itself
	Short string
}{{It, "Italiano", "ITA"}, {En, "English", "ENG"}}

const languageCookie = "anagrafe_lang"

var matcher = language.NewMatcher([]language.Tag{language.Italian, language.English})

// Language reports which language a request wants: ?lang=, then the cookie of an
// earlier choice, then what the browser asks for, then Italian.
func Language(r *http.Request) Lang { return LanguageOr(r, It) }

// LanguageOr is Language with another default.
func LanguageOr(r *http.Request, none Lang) Lang {
	if l, ok := known(r.URL.Query().Get("lang")); ok {
		return l
	}
	if c, err := r.Cookie(languageCookie); err == nil {
		if l, ok := known(c.Value); ok {
			return l
		}
	}
	wanted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return none
	}
	_, i, sure := matcher.Match(wanted...)
	if sure == language.No {
		return none
	}
	return Langs[i].Lang
}

func known(s string) (Lang, bool) {
	for _, l := range Langs {
		if string(l.Lang) == s {
			return l.Lang, true
		}
	}
	return It, false
}

// remember keeps the choice made by ?lang= for a year. It holds no more than
// "it" or "en", so it needs no consent.
func remember(w http.ResponseWriter, r *http.Request) {
	l, ok := known(r.URL.Query().Get("lang"))
	if !ok {
		return
	}
	http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: string(l), Path: "/", HttpOnly: true,
		Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode, MaxAge: int((365 * 24 * time.Hour).Seconds())})
}
