package interrogate

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// lapiEnvelope is around every answer of LAPI.
type lapiEnvelope struct {
	Response *struct {
		URL    string    `json:"ResponseURL"`
		Code   lapiValue `json:"ResponseCode"`
		Text   string    `json:"ResponseString"`
		Status lapiValue `json:"StatusCode"`
		Data   json.RawMessage
	}
}

// Codes of LAPI that matter, from the maker's application.
const (
	lapiWrongPassword = "50801" // of a recorder
	lapiLockedUser    = "50808" // of a recorder
	lapiLockedCamera  = "364"
	lapiNotSupported  = "1006"
	lapiNotAuthorized = "3"
)

// lapiStatus is the HTTP status with which some firmware answers everything, good
// or bad.
const lapiStatus = 599

// lapiError is an answer that says what is wrong in its envelope.
type lapiError struct{ code, words string }

func (e *lapiError) Error() string {
	if e.code == lapiNotAuthorized {
		return "it wants the login of its web page first, which is not made: " + e.words
	}
	return "it answered " + e.code + ": " + e.words
}

// lapi asks for a path below lapiRoot and reads the Data of the answer.
func lapi[T any](ctx context.Context, w *web, path, query string) (data T, a answer, err error) {
	a, err = w.get(ctx, lapiRoot+path, query)
	odd := statusOf(err) == lapiStatus
	if odd {
		err = nil // a is the answer
	}
	if err != nil {
		return data, a, err
	}
	said, err := lapiData(a.body)
	if signed, _ := w.auth.begins(); odd && err == nil && signed {
		w.auth.accepted() // which its status does not tell
	}
	if e, ok := errors.AsType[*lapiError](err); ok && (e.code == lapiLockedUser || e.code == lapiLockedCamera) {
		w.auth.note(leftAlone) // each further attempt would keep it locked
	}
	if err != nil || said == nil {
		return data, a, err
	}
	if err := json.Unmarshal(said, &data); err != nil {
		return data, a, errors.New("its answer has another form than expected")
	}
	return data, a, nil
}

// lapiData takes the Data out of an envelope. The error is a *lapiError where the
// device says that something is wrong.
func lapiData(body []byte) (json.RawMessage, error) {
	var e lapiEnvelope
	if err := json.Unmarshal(body, &e); err != nil || e.Response == nil {
		return nil, errors.New("its answer cannot be read as that of LAPI")
	}
	for _, code := range []lapiValue{e.Response.Status, e.Response.Code} {
		if code != "" && code != "0" {
			return nil, &lapiError{string(code), clean(e.Response.Text)}
		}
	}
	return e.Response.Data, nil
}

// lapiDenies tells that an answer with another status than 401 refuses the
// password.
func lapiDenies(a answer) bool {
	_, err := lapiData(a.body)
	e, ok := errors.AsType[*lapiError](err)
	return ok && e.code == lapiWrongPassword
}

// lapiAbsent tells that the device does not have a path.
func lapiAbsent(err error) bool {
	if e, ok := errors.AsType[*lapiError](err); ok {
		return e.code == lapiNotSupported
	}
	status := statusOf(err)
	return status == http.StatusNotFound || status == http.StatusNotImplemented || status == http.StatusMethodNotAllowed
}

// lapiValue is a number, text or truth of JSON, as text: one device writes 1, another
// "1" or true. Anything else is "".
type lapiValue string

// UnmarshalJSON never fails, so that one odd field does not cost the others.
func (l *lapiValue) UnmarshalJSON(data []byte) error {
	text := strings.TrimSpace(string(data))
	var s string
	switch {
	case json.Unmarshal(data, &s) == nil:
		text = strings.TrimSpace(s)
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		text = ""
	}
	*l = lapiValue(clean(text))
	return nil
}

func (l lapiValue) number() (int, bool) {
	n, err := strconv.Atoi(string(l))
	return n, err == nil
}

// truth reads 1, 0, true and false.
func (l lapiValue) truth() (on, ok bool) {
	on, err := strconv.ParseBool(strings.ToLower(string(l)))
	return on, err == nil
}
