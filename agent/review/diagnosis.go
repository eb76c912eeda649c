package review

import (
	"errors"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// diagnosisView is the page on which the owner reads, word for word, what would
// help who is to help, and sends it or does not.
type diagnosisView struct {
	Text     string
	Enrolled bool
	By       string
	Form     fields
}

// diagnosis shows the text. Nothing leaves by looking at it.
func (v *Review) diagnosis(r *http.Request) (answer, error) { return v.diagnosisPage(r, nil) }

func (v *Review) diagnosisPage(r *http.Request, wrong fields) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	text := diagnosisText(v.words(r), known)
	view := diagnosisView{Text: text, Enrolled: len(known.Sites) > 0, Form: wrong}
	if view.Enrolled {
		view.By = answering(known, known.Sites[0].SiteID)
	}
	a := page("diagnosis.html", "diagnosis.title", view)
	a.json = struct {
		Text string `json:"text"`
	}{text}
	if wrong != nil {
		view.Form, a.page.Status = wrong, http.StatusUnprocessableEntity
	}
	return a, nil
}

// sendDiagnosis sends the very text that was shown: it comes back with the form, and
// another than would be shown now is refused, so that nobody sends what they did not read.
func (v *Review) sendDiagnosis(r *http.Request) (answer, error) {
	var in struct {
		Text string `json:"text"`
		By   string `json:"by"`
	}
	if filled, err := read(r, &in); err != nil {
		return answer{}, err
	} else if filled {
		f := typed(r, "by")
		in.Text, in.By = strings.ReplaceAll(r.PostFormValue("text"), "\r\n", "\n"), f["by"].Value
	}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	text := diagnosisText(v.words(r), known)
	if strings.TrimSpace(in.Text) != text {
		if wantsJSON(r) {
			return answer{}, problem{status: http.StatusConflict, key: "error.diagnosis", Field: "text",
				What: "the text is not the one that is shown now", Hint: "read it again, then send it"}
		}
		return v.diagnosisPage(r, fields{"text": {Error: "diagnosis.changed"}, "by": {Value: in.By}})
	}
	err = v.Inventory.SendDiagnosis(r.Context(), text, protocol.Approval{By: in.By})
	if errs, is := errors.AsType[protocol.FieldErrors](err); is && errs[0].Field == "by" && !wantsJSON(r) {
		return v.diagnosisPage(r, fields{"by": {Error: "wrong.by"}})
	}
	if err != nil {
		return answer{}, err
	}
	return answer{json: struct {
		Sent bool `json:"sent"`
	}{true}, to: "/outbox?done=diagnosis"}, nil
}

// diagnosisText says of each device what it is and what it did not let be read. It
// holds no name of a camera or place, no address of the network, no password and no
// serial number.
func diagnosisText(w *pages.Words, known inventory.View) string {
	var b strings.Builder
	b.WriteString(w.T("diagnosis.head", "platform", runtime.GOOS+"/"+runtime.GOARCH))
	for _, d := range known.Devices {
		read, told, kept := 0, 0, 0
		for _, c := range known.Cameras {
			if c.Device.ID != d.ID {
				continue
			}
			told++
			if keptBack(c) {
				kept++
			}
			if c.Values.Schedule.Kind != protocol.ScheduleUnknown && c.Values.Retention.Kind != protocol.RetentionUnknown {
				read++
			}
		}
		if told > 0 && kept == told {
			continue // none of it is theirs
		}
		maker := or(protocol.MakerModel(d.Vendor, d.Model), w.T("device.nameless"))
		firmware := w.T("diagnosis.firmware.unknown")
		if d.Firmware != "" {
			firmware = w.T("diagnosis.firmware", "version", d.Firmware)
		}
		b.WriteString("\n\n" + w.T("diagnosis.device", "maker", maker, "firmware", firmware, "way", or(string(d.Family), "ONVIF")))
		b.WriteString("\n" + w.T("diagnosis.channels", "told", told, "read", read))
		switch {
		case !d.Reachable:
			b.WriteString("\n" + w.T("device.silent"))
		case asks(d) && w.Has("mend."+string(d.Needs)):
			b.WriteString("\n" + w.T("mend."+string(d.Needs)))
		}
		for i, p := range d.Problems {
			if i == maxProblems {
				break
			}
			b.WriteString("\n- " + p.What + ": " + p.Why)
		}
	}
	return redact(b.String(), known.Devices)
}

// maxProblems of a device enter a diagnosis.
const maxProblems = 12

// redact leaves out each line that gives away an address or a number of a device,
// and what a message may not hold.
func redact(text string, devices []inventory.Device) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		l = strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) && r != ' ' {
				return -1
			}
			return r
		}, l)
		if inventory.Tells(l) || slices.ContainsFunc(devices, func(d inventory.Device) bool {
			return d.Address != "" && strings.Contains(l, d.Address) || d.Name != "" && strings.Contains(l, d.Name)
		}) {
			l = "- …"
		}
		lines[i] = l
	}
	text = strings.TrimSpace(strings.Join(lines, "\n"))
	for utf8.RuneCountInString(text) > protocol.MaxDiagnosis {
		text = text[:strings.LastIndexByte(text, '\n')]
	}
	return text
}
