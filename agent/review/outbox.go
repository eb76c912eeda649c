package review

import (
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// outboxView is a page of the messages, newest first.
type outboxView struct {
	Messages    []messageView
	Page, Pages int // from 1
	All         int
}

// Newer and Older are the pages beside this one; 0: there is none.
func (v outboxView) Newer() int { return v.Page - 1 }
func (v outboxView) Older() int {
	if v.Page >= v.Pages {
		return 0
	}
	return v.Page + 1
}

// messageView is one message in words, and as it is.
type messageView struct {
	inventory.Sent
	Refused string // key of why the register refused it; "": it did not, or there are no words
	Lines   []string
	JSON    string
	File    template.URL // the signed receipt, to be saved; "" none
}

// SiteStays: see inventory.WhySiteStays.
func (m messageView) SiteStays() bool { return m.Why == inventory.WhySiteStays }

// onePage is how many messages a page shows.
const onePage = 20

// outbox shows the messages by pages; a program is given all of them, oldest first.
func (v *Review) outbox(r *http.Request) (answer, error) {
	if wantsJSON(r) {
		sent, err := v.Inventory.Outbox(r.Context())
		return answer{json: struct {
			Messages []inventory.Sent `json:"messages"`
		}{append([]inventory.Sent{}, sent...)}}, err
	}
	n := 1
	if asked, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil {
		n = min(max(asked, 1), maxPage)
	}
	sent, all, err := v.Inventory.OutboxPage(r.Context(), (n-1)*onePage, onePage)
	if err != nil {
		return answer{}, err
	}
	view := outboxView{Page: n, Pages: max((all+onePage-1)/onePage, 1), All: all}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	w := v.words(r)
	names := namesOf(w, known)
	for _, s := range sent {
		m, err := viewOfMessage(w, s, names)
		if err != nil {
			return answer{}, err
		}
		view.Messages = append(view.Messages, m)
	}
	return page("outbox.html", "outbox.title", view), nil
}

// maxPage bounds what may be asked for: years of messages have some hundred pages.
const maxPage = 1 << 20

// oneMessage shows one message.
func (v *Review) oneMessage(r *http.Request) (answer, error) {
	sent, err := v.Inventory.OneSent(r.Context(), r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	w := v.words(r)
	names := namesOf(w, known)
	m, err := viewOfMessage(w, sent, names)
	if err != nil {
		return answer{}, err
	}
	a := page("message.html", "message.title", m)
	a.json = sent
	return a, nil
}

func viewOfMessage(w *pages.Words, s inventory.Sent, names map[string]string) (messageView, error) {
	text, err := json.MarshalIndent(s.Message, "", "  ")
	if err != nil {
		return messageView{}, err
	}
	m := messageView{Sent: s, Lines: linesOf(w, s.Message, names), JSON: string(text)}
	if reason, _, _ := strings.Cut(s.Why, ": "); s.State == inventory.Rejected && w.Has("refused."+reason) {
		m.Refused = "refused." + reason
	}
	if s.Receipt != "" {
		m.File = asFile(s.Receipt)
	}
	return m, nil
}

// namesOf returns what to call each camera and device, by id.
func namesOf(w *pages.Words, known inventory.View) map[string]string {
	names := map[string]string{}
	for _, d := range known.Devices {
		names[d.ID] = or(strings.TrimSpace(d.Vendor+" "+d.Model), d.Name)
	}
	for _, c := range known.Cameras {
		names[c.ID] = nameOf(w, c)
	}
	return names
}

// linesOf says in words all that a message holds.
func linesOf(w *pages.Words, m protocol.Message, names map[string]string) (lines []string) {
	add := func(key string, pairs ...any) { lines = append(lines, w.T(key, pairs...)) }
	switch b := m.Body.(type) {
	case protocol.Declaration:
		return declarationLines(w, b)
	case protocol.SiteSuspension:
		switch {
		case b.Resumed:
			add("message.resumed")
		case b.Until.IsZero():
			add("message.suspended")
		default:
			add("message.suspended.until", "day", w.Day(b.Until.Add(-time.Second)))
		}
		add("message.by", "name", b.Approval.By)
	case protocol.Health:
		add("message.agent", "version", b.AgentVersion, "platform", b.Platform)
		if !b.SearchedAt.IsZero() {
			add("message.searched", "when", w.Short(b.SearchedAt), "found", b.Found, "answered", b.Answered, "confirmed", b.Confirmed)
		}
		for _, r := range b.Recorders {
			add("message.health", "what", strings.TrimSpace(string(r.Maker)+" "+r.Model+" "+r.Firmware), "faults", faultWords(w, r.Faults...))
		}
		for _, o := range b.Others {
			add("message.others", "n", o.Devices, "maker", string(o.Maker), "faults", faultWords(w, slices.DeleteFunc([]protocol.Fault{o.Fault}, func(f protocol.Fault) bool { return f == "" })...))
		}
	case protocol.Diagnosis:
		lines = append(lines, strings.Split(b.Text, "\n")...)
		add("message.by", "name", b.Approval.By)
	case protocol.Withdrawal:
		add("message.withdrawal")
		add("message.by", "name", b.Approval.By)
	case protocol.Reply:
		add("message.reply", "state", w.T("reply."+string(b.State)), "when", w.Short(b.At))
		if b.By != "" {
			add("message.by", "name", b.By)
		}
		if b.Note != "" {
			add("message.note", "note", b.Note)
		}
	case protocol.Observation:
		for _, r := range b.Recorders {
			key := "message.silent"
			if r.Reachable {
				key = "message.answers"
			}
			add(key, "what", names[r.RecorderID], "clock", clockWords(w, r.Clock))
		}
		for _, c := range b.Cameras {
			if !c.OldestFootage.IsZero() {
				add("message.oldest", "name", names[c.CameraID], "when", w.Short(c.OldestFootage))
			}
			if c.Schedule != nil {
				add("message.schedule", "name", names[c.CameraID], "value", scheduleWords(w, *c.Schedule))
			}
			if c.Retention != nil {
				add("message.retention", "name", names[c.CameraID], "value", retentionWords(w, *c.Retention))
			}
		}
	}
	return lines
}

func declarationLines(w *pages.Words, b protocol.Declaration) (lines []string) {
	add := func(key string, pairs ...any) { lines = append(lines, w.T(key, pairs...)) }
	add("message.site", "name", b.Site.Name, "address", b.Site.Address)
	for _, c := range b.Contacts {
		add("message.contact", "name", c.Name, "ways", strings.Join(slices.DeleteFunc([]string{c.Phone, c.Email, c.PEC, c.Hours}, func(s string) bool { return s == "" }), ", "))
		if c.Alerts {
			add("message.alerts", "name", c.Name)
		}
	}
	for _, c := range b.Cameras {
		var facts []string
		for _, r := range rowsOf(w, c)[1:] {
			facts = append(facts, r.What+": "+r.Value)
		}
		add("message.camera", "name", c.Name, "facts", strings.Join(facts, "; "))
	}
	for _, r := range b.Recorders {
		add("message.recorder", "what", strings.TrimSpace(r.Vendor+" "+r.Model+" "+r.Name), "clock", clockWords(w, r.Clock),
			"storage", storageWords(w, r.Storage, r.StorageNote))
	}
	add("message.by", "name", b.Approval.By)
	if b.Approval.NoticeVersion != "" {
		add("message.notice", "version", b.Approval.NoticeVersion)
	}
	return lines
}

// faultWords names faults.
func faultWords(w *pages.Words, faults ...protocol.Fault) string {
	if len(faults) == 0 {
		return w.T("fault.none")
	}
	var all []string
	for _, f := range faults {
		all = append(all, w.T("fault."+string(f)))
	}
	return strings.Join(all, ", ")
}
