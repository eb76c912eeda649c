package interrogate

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// manner is how a device wants SOAP to be put. The plain one is version 1.2
// without an action; it is what cameras know unless they prove otherwise.
type manner struct {
	soap11 bool // OpenIPC's viewer PR 65: HTTP 200 and nothing, to 1.2
	action bool // agsh/onvif PR 498 (Pelco) needs it; its issue 302 (Illustra) refuses it
}

// set puts the headers that go with it.
func (m manner) set(h http.Header, namespace, operation string) {
	action := namespace + "/" + operation
	switch {
	case m.soap11:
		h.Set("Content-Type", "text/xml; charset=utf-8")
		h.Set("SOAPAction", `"`+action+`"`)
	case m.action:
		h.Set("Content-Type", fmt.Sprintf(`application/soap+xml; charset=utf-8; action="%s"`, action))
	}
}

// others are the manners worth a try after err was the answer to m, in order:
// none where a web page or a wrong path answered.
func (m manner) others(err error) []manner {
	other, isOther := errors.AsType[*notSOAPError](err)
	_, unsupported := errors.AsType[*unsupportedError](err)
	_, fault := errors.AsType[*faultError](err)
	switch {
	case m != manner{}:
	case isOther && other.status == http.StatusOK && other.empty:
		return []manner{{soap11: true}, {action: true}}
	case unsupported, fault, // of the one operation that every device has
		isOther && slices.Contains([]int{http.StatusBadRequest, http.StatusNotAcceptable, http.StatusUnsupportedMediaType, http.StatusInternalServerError}, other.status):
		return []manner{{action: true}, {soap11: true}}
	}
	return nil
}

// movedError: the same host wants to be asked over TLS.
type movedError struct{ to *url.URL }

func (e *movedError) Error() string { return errRedirect.Error() }

// moved reads a redirect: only one from plain HTTP to HTTPS on the same host is
// worth following.
func moved(from *url.URL, h http.Header) error {
	to, err := from.Parse(h.Get("Location"))
	if err != nil || from.Scheme != "http" || to.Scheme != "https" || !strings.EqualFold(to.Hostname(), from.Hostname()) || to.User != nil {
		return errRedirect
	}
	return &movedError{to}
}
