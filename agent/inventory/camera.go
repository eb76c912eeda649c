package inventory

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"anagrafe/protocol"
)

// maxName is protocol's limit for a name, in characters.
const maxName = 120

func (d *device) shown() Device {
	return Device{
		ID: d.id, Kind: d.kind, Vendor: d.vendor, Model: d.model, Firmware: d.firmware, Name: d.name, Address: d.address,
		FoundBy: append([]string{}, d.methods...), Needs: d.needs, HasPassword: d.password, Clock: d.clock,
		Zone: d.zone, ZoneAssumed: d.zoneAssumed, Family: d.family, Kept: d.kept, Facts: d.facts, Storage: d.storage, StorageNote: d.storageNote,
		SeenAt: d.seen, AnsweredAt: d.answered, Reachable: d.reachable, Problems: d.problems, ByHand: slices.Contains(d.methods, string(byHand)),
	}
}

func (b *book) shown(c *camera) Camera {
	out := Camera{ID: c.id, State: c.decision, SiteID: c.siteID, Device: c.device.shown(), Mine: c.mine, Outdoor: c.outdoor,
		Values: c.draft(), SeenAt: c.seen, AskAgain: c.asks, MaybeSame: b.maybeSame(c), Paths: c.shownPaths(),
		ByHand: c.family == byHand, Hours: c.said.Hours, HoursAt: c.said.At, Overruled: c.overruled(),
		Facts: c.facts, Depth: depthOf(c.depths)}
	if c.family != "" && c.family != former {
		out.Channel = out.Values.Channel
	}
	s := b.siteOf(c)
	if s != nil {
		out.SiteID = s.SiteID
	}
	out.Missing = b.missing(c, s, out.Values)
	if c.decision == StateDeclared {
		out.Declared = s.find(c.id)
	}
	if out.Declared != nil {
		out.Changed = append(b.changed(s, *out.Declared, out.Values), c.reopened(s, *out.Declared)...)
		out.Differs = differs(*out.Declared, out.Values)
	}
	if out.State == "" {
		out.State = StateFound
		if len(out.Missing) == 0 {
			out.State = StateReady
		}
	}
	return out
}

// find returns a camera of the site's declaration, or nil.
func (s *site) find(id string) *protocol.Camera {
	if s == nil || s.declared == nil {
		return nil
	}
	for i := range s.declared.Cameras {
		if s.declared.Cameras[i].ID == id {
			return &s.declared.Cameras[i]
		}
	}
	return nil
}

// missing names what stands between c and the register; s is its site or nil.
func (b *book) missing(c *camera, s *site, values protocol.Camera) []string {
	missing := protocol.MissingForDeclaration(values)
	if len(b.contactsOf(s)) == 0 {
		missing = append(missing, "contact")
	}
	if s == nil && len(b.sites) > 1 {
		missing = append(missing, "site")
	}
	if s != nil && s.SiteName == "" {
		missing = append(missing, "place")
	}
	if s != nil && s.typed {
		missing = append(missing, "takeover")
	}
	return missing
}

func later(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

// recorder is what is declared of the device that keeps a camera's footage.
func (d *device) recorder() protocol.Recorder {
	r := protocol.Recorder{ID: d.id, Vendor: line(safe(d.vendor, d)), Model: line(safe(d.model, d)), Name: line(safe(d.name, d)),
		Storage: d.storage, StorageNote: line(safe(d.storageNote, d))}
	if d.clock != nil {
		r.Clock = &protocol.Clock{OffsetMs: d.clock.OffsetMs, UncertaintyMs: d.clock.UncertaintyMs, Method: d.clock.Method, At: d.clock.At}
	}
	return r
}

// changed names the groups of the owner's own words that differ from what s
// has declared, and "rejected" when the collector did not take that; what is
// measured after adhesion leaves by itself and needs no yes.
func (b *book) changed(s *site, was, is protocol.Camera) []string {
	var groups []string
	if was.Name != is.Name {
		groups = append(groups, "name")
	}
	if was.Position.Point != is.Position.Point || was.Position.AccuracyM != is.Position.AccuracyM {
		groups = append(groups, "position")
	}
	if !sameNumber(was.View.DirectionDeg, is.View.DirectionDeg) || !sameNumber(was.View.AngleDeg, is.View.AngleDeg) ||
		!sameNumber(was.View.RangeM, is.View.RangeM) {
		groups = append(groups, "view")
	}
	groups = append(groups, changedHours(was, is)...)
	if !slices.Equal(s.declared.Contacts, b.contactsOf(s)) {
		groups = append(groups, "contact")
	}
	if s.rejected {
		groups = append(groups, "rejected")
	}
	return groups
}

func sameNumber(a, b *int) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// line is a device's text as one line, of at most maxName characters.
func line(s string) string {
	s = oneLine(s)
	if r := []rune(s); len(r) > maxName {
		s = strings.TrimSpace(string(slices.Clip(r[:maxName])))
	}
	return s
}

// oneLine is a text as one line that a page and a printed form show as it is:
// without control characters, those that turn the direction of writing, and
// bytes that are no text.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\ufeff', r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
