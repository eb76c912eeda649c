package review

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// VisitReport is what a technician leaves behind: plain text with what the
// register was told, by whom, with which receipt, and what could not be read.
// With it the owner keeps what the visit's computer forgets: the code for the
// page from any browser, and the signed receipts. It holds no password and no
// address of the network.
func (v *Review) VisitReport(ctx context.Context, lang pages.Lang) (string, error) {
	r := report{w: v.pages.Words(lang)}
	sites, err := v.Inventory.Grants(ctx)
	if err != nil {
		return "", err
	}
	sent, err := v.Inventory.Outbox(ctx)
	if err != nil {
		return "", err
	}
	devices, err := v.Inventory.Devices(ctx)
	if err != nil {
		return "", err
	}
	cameras, err := v.Inventory.Cameras(ctx)
	if err != nil {
		return "", err
	}
	owner, err := v.Inventory.OwnerAccess(ctx)
	if err != nil {
		return "", err
	}
	r.line("%s", strings.ToUpper(r.w.T("report.title")))
	r.line("%s: %s", r.w.T("report.date"), r.w.DateTime(v.sessions.now()))
	for _, s := range sites {
		r.line("%s: %s", r.w.T("report.site"), strings.Join(slices.DeleteFunc([]string{s.SiteName, s.Address}, func(p string) bool { return p == "" }), ", "))
	}
	r.messages(sent)
	r.unread(devices, cameras)
	r.unshared(cameras)
	r.head("report.after")
	r.line("%s", r.w.T("report.dated"))
	r.line("%s", r.w.T("report.forgotten"))
	r.owner(owner)
	r.receipts(sent)
	return r.text.String(), nil
}

// report is a text under way.
type report struct {
	w    *pages.Words
	text strings.Builder
}

func (r *report) line(format string, args ...any) {
	fmt.Fprintf(&r.text, format+"\n", args...)
}

func (r *report) head(key string) { r.line("\n%s", r.w.T(key)) }

// messages are the decisions of the visit: the last one that is recorded stands.
func (r *report) messages(sent []inventory.Sent) {
	sent = decisions(sent)
	if len(sent) == 0 {
		r.head("report.nothing")
		return
	}
	for _, s := range sent {
		switch s.State {
		case inventory.Acknowledged:
			r.head("report.recorded")
		default:
			r.head("report.unsent") // whoever reads it must not take it for recorded
		}
		for _, l := range linesOf(r.w, s.Message, nil) {
			r.line("  %s", l)
		}
		if s.State == inventory.Acknowledged {
			r.line("  %s", r.w.T("report.receipt", "when", r.w.Short(s.RecordedAt), "id", s.ID))
			r.line("  SHA-256 %s", s.SHA256)
		} else if s.Why != "" {
			r.line("  %s %s", r.w.T("sent.why"), s.Why)
		}
	}
}

// owner says where the owner acts from any browser; without that nobody but the
// Comune could take the site out.
func (r *report) owner(all []inventory.OwnerAccess) {
	for _, a := range all {
		r.head("report.owner")
		r.line("  %s: %s", r.w.T("approve.place"), a.SiteName)
		r.line("  %s: %s", r.w.T("status.page"), a.Link)
		r.line("  %s: %s", r.w.T("status.code"), a.Code)
		r.line("  %s", r.w.T("keep.secret"))
	}
}

// receipts are those of the decisions, as the register signed them.
func (r *report) receipts(sent []inventory.Sent) {
	for _, s := range decisions(sent) {
		if s.Receipt != "" {
			r.head("report.signed")
			r.line("%s", strings.TrimRight(s.Receipt, "\n"))
		}
	}
}

// decisions leaves out what was measured.
func decisions(sent []inventory.Sent) []inventory.Sent {
	return slices.DeleteFunc(slices.Clone(sent), func(s inventory.Sent) bool {
		_, measured := s.Message.Body.(protocol.Observation)
		return measured
	})
}

// unread is what the devices did not tell.
func (r *report) unread(devices []inventory.Device, cameras []inventory.Camera) {
	r.head("report.unread")
	any := false
	say := func(name, what string) {
		any = true
		r.line("  %s: %s", name, what)
	}
	for _, d := range devices {
		name := or(strings.TrimSpace(d.Vendor+" "+d.Model), d.Name)
		switch {
		case !d.Reachable:
			say(name, r.w.T("device.silent"))
		case d.Needs != "" && d.Needs != interrogate.NeedsNothing:
			say(name, r.w.T("report.locked"))
		}
	}
	for _, c := range cameras {
		if keptBack(c) {
			continue
		}
		var unknown []string
		if c.Values.Schedule.Kind == protocol.ScheduleUnknown {
			unknown = append(unknown, r.w.T("view.schedule"))
		}
		if c.Values.Retention.Kind == protocol.RetentionUnknown {
			unknown = append(unknown, r.w.T("view.retention"))
		}
		if c.Device.Clock == nil {
			unknown = append(unknown, r.w.T("camera.clock"))
		}
		if len(unknown) > 0 {
			say(nameOf(r.w, c), strings.Join(unknown, ", "))
		}
	}
	if !any {
		r.line("  %s", r.w.T("report.allread"))
	}
}

// unshared are the cameras that were seen and are not in the register.
func (r *report) unshared(cameras []inventory.Camera) {
	var names []string
	for _, c := range cameras {
		if c.State != inventory.StateDeclared {
			names = append(names, nameOf(r.w, c))
		}
	}
	if len(names) > 0 {
		r.head("report.unshared")
		r.line("  %s", strings.Join(names, ", "))
	}
}
