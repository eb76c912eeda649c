package interrogate

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/use-go/onvif/media"
	xonvif "github.com/use-go/onvif/xsd/onvif"

	"anagrafe/agent/discover"
)

// Media2 answers with the address alone, Media with more around it.
type getSnapshotURI2 struct {
	XMLName      struct{} `xml:"tr2:GetSnapshotUri"`
	ProfileToken string   `xml:"tr2:ProfileToken"`
}

type snapshotURI struct {
	Media  string `xml:"MediaUri>Uri"`
	Media2 string `xml:"Uri"`
}

// snapshots is how many profiles of a channel are tried.
const snapshots = 2

// onvifPicture asks by GetSnapshotUri (ONVIF Media 5.14.1, Media2 5.15.1) where a
// picture of the channel is, and gets it from there by HTTP.
func (a *Asker) onvifPicture(ctx context.Context, s discover.Sighting, channel string) ([]byte, error) {
	c := newConversation(a.subject(s), a.envelopes)
	defer c.close()
	defer c.auth.forget(ctx)
	c.trust.recall(ctx)
	first, l := &lane{conversation: c}, &lane{conversation: c}
	if _, locked := first.meet(ctx); locked != nil {
		l.clock(ctx)
	}
	if c.trust.broken() {
		return nil, errCertificate
	}
	if !c.spoke() {
		return nil, errors.New("it does not answer now: see whether it is switched on and connected")
	}
	o := l.offered(ctx)
	shown := l.media(ctx, o)
	tokens, err := shown.pictured(channel)
	if err != nil {
		return nil, cmp.Or(firstProblem(l.problems), err)
	}
	for _, token := range tokens {
		var at *url.URL
		if at, err = l.snapshot(ctx, o, token); err != nil {
			continue
		}
		var raw []byte
		if raw, err = l.fetch(ctx, at); err == nil {
			return raw, nil
		}
	}
	return nil, c.auth.hidden(err)
}

// firstProblem is why nothing was read; nil if nothing went wrong.
func firstProblem(all []Problem) error {
	if len(all) == 0 {
		return nil
	}
	return errors.New(all[0].Why)
}

// pictured are the profiles of a channel, first that whose picture is nearest to what
// is shown: the main stream's is often longer than an answer may be.
func (r *pictures) pictured(channel string) (tokens []string, err error) {
	sources := map[string]bool{}
	for _, p := range r.profiles {
		if p.Source != nil {
			sources[clean(p.Source.SourceToken)] = true
		}
	}
	var all []profile
	for _, p := range r.profiles {
		// A channel that is known by its recording is the only source, or none is sure.
		if channel == "" || len(sources) == 1 || p.Source != nil && clean(p.Source.SourceToken) == channel {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return nil, errWhich
	}
	off := func(p profile) int {
		w, _, ok := p.Encoder.size()
		switch {
		case !ok:
			return 1 << 20
		case w > pictureWidth:
			return w - pictureWidth
		}
		return 2 * (pictureWidth - w) // rather too large than too small
	}
	slices.SortStableFunc(all, func(a, b profile) int { return off(a) - off(b) })
	for _, p := range head(all, min(len(all), snapshots)) {
		tokens = append(tokens, p.Token)
	}
	return tokens, nil
}

// snapshot asks where the picture of a profile is.
func (l *lane) snapshot(ctx context.Context, o offer, token string) (*url.URL, error) {
	var at snapshotURI
	var err error
	if xaddr := o.services[nsMedia]; xaddr != "" || o.services[nsMedia2] == "" {
		at, err = ask[snapshotURI](ctx, l.conversation, l.at(xaddr), "GetSnapshotUri", media.GetSnapshotUri{ProfileToken: xonvif.ReferenceToken(token)})
	} else {
		at, err = ask[snapshotURI](ctx, l.conversation, l.at(o.services[nsMedia2]), "GetSnapshotUri", getSnapshotURI2{ProfileToken: token})
	}
	if err != nil {
		if _, unsupported := errors.AsType[*unsupportedError](err); unsupported {
			return nil, ErrNoPicture
		}
		return nil, err
	}
	to, err := url.Parse(strings.TrimSpace(cmp.Or(at.Media, at.Media2)))
	if err != nil || !strings.HasPrefix(to.Path, "/") {
		return nil, errors.New("what it names as the place of its picture is no address")
	}
	return to, nil
}

// fetch gets a picture from the path that the device named, at the place that
// answered; where there is no such thing, at the port that it named on the same
// host. Of that address nothing else counts.
func (l *lane) fetch(ctx context.Context, named *url.URL) ([]byte, error) {
	c := call{path: named.EscapedPath(), query: named.RawQuery}
	raw, err := l.fetchAt(ctx, url.URL{Scheme: l.base.Scheme, Host: l.base.Host}, c)
	if status := statusOf(err); err == nil || status != http.StatusNotFound && status != http.StatusMethodNotAllowed && status != http.StatusBadRequest && !errors.Is(err, errNoImage) {
		return raw, err
	}
	port := named.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[named.Scheme]
	}
	n, bad := strconv.ParseUint(port, 10, 16)
	host, bad2 := netip.ParseAddr(l.base.Hostname())
	other := door{l.base.Scheme, uint16(n)}.on(host)
	if bad != nil || bad2 != nil || n == 0 || named.Scheme != l.base.Scheme || other.Host == l.base.Host {
		return nil, err
	}
	return l.fetchAt(ctx, other, c)
}

// fetchAt is one try. The door counts as the device's other one: what its ONVIF let
// in may be refused there, once.
func (l *lane) fetchAt(ctx context.Context, at url.URL, c call) ([]byte, error) {
	w := newWeb(at, l.subject)
	w.auth.yield(l.auth)
	defer w.close(ctx)
	defer w.auth.forget(ctx)
	raw, err := w.first(ctx, c)
	if statusOf(err) == http.StatusForbidden && l.auth.works() {
		err = errForbidden
	}
	return raw, err
}
