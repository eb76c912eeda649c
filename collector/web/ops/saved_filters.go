package ops

import (
	"errors"
	"net/http"
	"net/url"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// maxFilterName is the longest name of a kept filter, in characters.
const maxFilterName = 60

// saveFilter keeps the filter of a list, as its page shows it, under a name of its
// user's. It is a convenience of one's own, and no entry of the trail.
func (l *list[T]) saveFilter(o *Ops) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		var name, typed string
		fail := func(status int, field, key string) {
			words := o.pages.Words(web.Language(r))
			o.Web.Fail(rw, r, status, web.Problem{Error: words.T(key), Field: field, Hint: words.T(key + ".hint")})
		}
		if err := web.ReadFields(r, map[string]*string{"name": &name, "query": &typed}); err != nil {
			fail(http.StatusBadRequest, "", "filter.unreadable")
			return
		}
		if name == "" || !web.OneLine(name, maxFilterName) {
			fail(http.StatusUnprocessableEntity, "name", "filter.name.wrong")
			return
		}
		values, err := url.ParseQuery(typed)
		if err != nil {
			fail(http.StatusUnprocessableEntity, "query", "filter.unreadable")
			return
		}
		q, wrong, err := l.read(r.Context(), values)
		if err != nil {
			o.Web.Broken(rw, r, err)
			return
		}
		if wrong != "" {
			fail(http.StatusUnprocessableEntity, "query", "filter.unreadable")
			return
		}
		u, _ := web.User(r.Context())
		switch err := o.Registry.SaveFilter(r.Context(), u.ID, l.path, name, q.encode("size", ""), o.Web.Now()); {
		case errors.Is(err, registry.ErrTooMany):
			fail(http.StatusConflict, "name", "filter.many")
		case errors.Is(err, registry.ErrUnknownUser): // the control socket is no person
			fail(http.StatusConflict, "", "filter.nobody")
		case err != nil:
			o.Web.Broken(rw, r, err)
		default:
			o.backTo(rw, r, l.path+"?"+q.encode())
		}
	}
}

func (l *list[T]) dropFilter(o *Ops) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		u, _ := web.User(r.Context())
		if err := o.Registry.DropFilter(r.Context(), u.ID, r.PathValue("id")); err != nil {
			o.Web.Broken(rw, r, err)
			return
		}
		o.backTo(rw, r, l.path)
	}
}

// backTo leads back to a page after an act on it.
func (o *Ops) backTo(rw http.ResponseWriter, r *http.Request, path string) {
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusOK, map[string]string{"page": path})
		return
	}
	http.Redirect(rw, r, path, http.StatusSeeOther)
}

// routes are those of a list, for its roles.
func (l *list[T]) routes(o *Ops, roles []string) []web.Route {
	route := func(pattern string, h http.HandlerFunc) web.Route {
		return web.Route{Pattern: pattern, Roles: roles, Handler: h}
	}
	return []web.Route{
		route("GET "+l.path, l.serve(o)),
		route("GET "+l.path+".csv", l.export(o)),
		route("POST "+l.path+"/filters", l.saveFilter(o)),
		route("POST "+l.path+"/filters/{id}/delete", l.dropFilter(o)),
		route("GET "+l.path+"/filters", func(rw http.ResponseWriter, r *http.Request) { // a language link of an answer to POST
			http.Redirect(rw, r, l.path+"?"+url.Values{"lang": {string(pages.Language(r))}}.Encode(), http.StatusSeeOther)
		}),
	}
}
