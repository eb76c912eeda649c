package consult

import (
	"slices"

	"anagrafe/collector/search"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// origin says how sure it is who declared a camera, and that it is so: what is missing
// in it stands there, and nothing where an agent measured and the owner is known.
type origin struct {
	Text string // "": nothing to mind
	Warn bool   // whoever declared it may be anybody
}

// trustWords say how the identity of who declared a site was checked.
func trustWords(w *pages.Words, trust string) string {
	if key := "trust." + trust; w.Has(key) {
		return w.T(key)
	}
	return w.T("trust.unknown")
}

// originOf words it for one camera.
func originOf(w *pages.Words, r search.Result) origin { return originWords(w, r.Trust, byHand(r)) }

// originAt words it for a site of an answer, of which one measured camera is enough.
func originAt(w *pages.Words, ans *answer, site, trust string) origin {
	shown := slices.DeleteFunc(slices.Clone(ans.all()), func(r search.Result) bool { return r.SiteID != site || r.Camera.ID == "" })
	return originWords(w, trust, len(shown) > 0 && !slices.ContainsFunc(shown, func(r search.Result) bool { return !byHand(r) }))
}

func originWords(w *pages.Words, trust string, hand bool) origin {
	mail := protocol.Trust(trust) == protocol.TrustEmail
	switch {
	case !mail && protocol.Trust(trust).AddressOnly():
		return origin{w.T("origin." + trust), true}
	case hand && mail:
		return origin{w.T("origin.hand.mail"), true}
	case mail:
		return origin{w.T("origin.mail"), true}
	case hand:
		return origin{w.T("origin.hand", "trust", trustWords(w, trust)), false}
	}
	return origin{}
}

// byHand tells whether all that is known of a camera is what a person typed: on the
// public form, in a file, or for who has called.
func byHand(r search.Result) bool {
	return len(r.Facts) > 0 && !slices.ContainsFunc(r.Facts, func(f search.Fact) bool { return f.Source != protocol.Declared })
}
