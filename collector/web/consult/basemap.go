package consult

import (
	"net/http"

	"anagrafe/protocol/pages"
)

// serveBasemap answers ranges of the file. Tiles in it are compressed already;
// compressing a range would break it. The name never changes, so browsers ask
// each time whether their copy still holds.
func (c *Consult) serveBasemap(w http.ResponseWriter, r *http.Request) {
	if c.base == nil {
		http.NotFound(w, r)
		return
	}
	pages.SecureHeaders(w.Header())
	h := w.Header()
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("Content-Type", "application/vnd.pmtiles")
	h.Set("ETag", c.base.ETag)
	http.ServeContent(w, r, "basemap.pmtiles", c.base.Changed, c.base.Content())
}
