package review

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// VisitReport is what a technician leaves behind: plain text with what there is
// and what is to be mended, as the page has it (reportFacts), and what the register
// was told, by whom, with which receipt.
// With it the owner keeps what the visit's computer forgets: the code for the
// page from any browser, and the signed receipts. It holds no password and no
// address of the network.
func (v *Review) VisitReport(ctx context.Context, lang pages.Lang) (string, error) {
	r := report{w: v.pages.Words(lang)}
	facts, err := v.reportFacts(ctx, r.w)
	if err != nil {
		return "", err
	}
	sent, err := v.Inventory.Outbox(ctx)
	if err != nil {
		return "", err
	}
	owner, err := v.Inventory.OwnerAccess(ctx)
	if err != nil {
		return "", err
	}
	r.facts(facts)
	r.messages(sent)
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
