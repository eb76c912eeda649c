package interrogate

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// behind tells which camera a recording comes from: a recorder says so
// in its source, which whoever set it up filled in, or by the receiver that
// fetches the images. nil where that names no camera.
func (r *readings) behind(t track, jobs []recordingJob) *Identity {
	var id Identity
	for _, i := range t.recordings {
		rec := r.recordings.Items[i]
		for _, s := range []recordingSource{rec.Configuration.Source, r.details[rec.Token].Source} {
			id.learn(s)
		}
	}
	for _, j := range jobs {
		for _, s := range j.Configuration.Sources {
			if !strings.HasSuffix(strings.TrimSpace(s.Type), "Receiver") {
				continue
			}
			for _, rc := range r.receivers.Items {
				if strings.TrimSpace(rc.Token) == strings.TrimSpace(s.Token) {
					id.setAddress(rc.URI)
				}
			}
		}
	}
	if id.Serial == "" && id.Endpoint == "" && id.Address == "" && len(id.MACs) == 0 {
		return nil
	}
	return &id
}

var (
	endpointForm = regexp.MustCompile(`(?i)^urn:uuid:[0-9a-f-]{36}$`)
	// serialForm is one word with five digits or more; "SourceId_1", "ch-064" and
	// sentences are none.
	serialForm = regexp.MustCompile(`^[A-Za-z0-9-]*(?:[0-9][A-Za-z-]*){5}[A-Za-z0-9-]*$`)
)

// learn takes what identifies a camera out of a source. The fields are free
// text: what has not the form of an identity is left.
func (d *Identity) learn(s recordingSource) {
	for _, text := range []string{s.ID, s.Description} {
		text = clean(text)
		switch macs := readMACs([]string{text}); {
		case len(macs) == 1:
			d.MACs = macs
		case endpointForm.MatchString(text):
			d.Endpoint = strings.ToLower(text)
		case len(text) >= 6 && len(text) <= 64 && serialForm.MatchString(text):
			if d.Serial == "" {
				d.Serial = text
			}
		}
	}
	if name := clean(s.Name); name != "" {
		d.Name = name
	}
	d.setAddress(s.Address)
}

// setAddress keeps the host of an address or a URI, and nothing else of it: it
// may be that of a stream, and hold a password.
func (d *Identity) setAddress(text string) {
	text = strings.TrimSpace(text)
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		text = u.Hostname()
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		p, err2 := netip.ParseAddrPort(text)
		if err2 != nil {
			return
		}
		a = p.Addr()
	}
	if a = a.Unmap(); !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast() {
		d.Address = a.WithZone("").String()
	}
}

// hideBehind drops the identities that are the device's own: a camera that
// records itself names itself as the source.
func (d *Device) hideBehind() {
	own := d.Sighting.Address.Addr().Unmap().WithZone("").String()
	for i := range d.Channels {
		c := d.Channels[i].Camera
		if c == nil {
			continue
		}
		same := d.Kind == KindCamera || c.Serial != "" && c.Serial == d.Serial || c.Endpoint != "" && strings.EqualFold(c.Endpoint, d.Sighting.Endpoint)
		if same {
			d.Channels[i].Camera = nil
			continue
		}
		if c.Address == own {
			c.Address = ""
		}
	}
}
