package interrogate

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/use-go/onvif/device"
	"github.com/use-go/onvif/xsd"
)

// system is what a device says of itself in its capabilities.
type system struct{ places, storage bool }

// offer is what a device can be asked for.
type offer struct {
	services map[string]string // XAddr by namespace
	system   *system           // nil: not told
}

// offered finds the XAddr of each service. GetServices is tried in both forms
// (Hikvision V5.1.6 and TRENDnet V5.3.4 refuse one with ter:InvalidParameter and
// answer the other), first the one that also tells what need not be asked.
// GetCapabilities adds what that does not name: old devices (AXIS Q6045-E 5.55)
// know nothing else.
func (l *lane) offered(ctx context.Context) offer {
	o := offer{services: map[string]string{}}
	if !l.goOn(ctx) {
		return o
	}
	var err error
	for _, include := range []xsd.Boolean{true, false} {
		var answer services
		if answer, err = ask[services](ctx, l.conversation, l.base, "GetServices", device.GetServices{IncludeCapability: include}); err == nil {
			o.take(answer)
			break
		}
		if !l.goOn(ctx) {
			break
		}
	}
	if (o.services[nsMedia] == "" || o.services[nsRecording] == "" || o.services[nsSearch] == "") && l.goOn(ctx) {
		answer, capErr := ask[capabilities](ctx, l.conversation, l.base, "GetCapabilities", device.GetCapabilities{Category: "All"})
		for ns, xaddr := range map[string]string{nsMedia: answer.Media, nsDeviceIO: answer.DeviceIO, nsRecording: answer.Recording, nsSearch: answer.Search, nsReceiver: answer.Receiver} {
			o.services[ns] = cmp.Or(o.services[ns], strings.TrimSpace(xaddr))
		}
		if capErr == nil {
			err = nil
		}
	}
	l.note("GetServices", err)
	return o
}

func (o *offer) take(answer services) {
	for _, s := range answer.Services {
		ns := strings.TrimSpace(s.Namespace)
		if o.services[ns] == "" && len(o.services) < 64 {
			o.services[ns] = s.XAddr
		}
		if s.System != nil && ns == nsDevice {
			entries, _ := strconv.Atoi(strings.TrimSpace(s.System.Places))
			storage := strings.TrimSpace(s.System.Storage)
			o.system = &system{places: entries > 0, storage: storage == "true" || storage == "1"}
		}
	}
}

// placed is where a device stands and keeps images.
type placed struct {
	at    *place
	kept  Kept
	words string // for kept
}

// places asks where the device stands and where it keeps images, if it does not deny
// to know.
func (l *lane) places(ctx context.Context, o offer) (p placed) {
	if o.system == nil || o.system.places {
		if answer, ok := extra[geoLocation](ctx, l, l.base, "GetGeoLocation", getGeoLocation{}); ok {
			p.at = readPlace(answer)
		}
	}
	if o.system == nil || o.system.storage {
		if answer, ok := extra[storages](ctx, l, l.base, "GetStorageConfigurations", device.GetStorageConfigurations{}); ok {
			p.kept, p.words = readKept(answer)
		}
	}
	return p
}

// inputs asks which sockets it has. One camera has one, and that is known.
func (l *lane) inputs(ctx context.Context, o offer, sources []string) []string {
	xaddr := o.services[nsDeviceIO]
	if xaddr == "" || len(sources) == 1 {
		return nil
	}
	answer, _ := extra[inputs](ctx, l, l.at(xaddr), "GetVideoSources", getInputs{})
	return answer.Tokens
}

// readPlace gives the first place that is one. 0,0 is a form left empty.
func readPlace(answer geoLocation) *place {
	for _, p := range answer.Places {
		if p.At == nil {
			continue
		}
		lat, err1 := strconv.ParseFloat(strings.TrimSpace(p.At.Lat), 64)
		lon, err2 := strconv.ParseFloat(strings.TrimSpace(p.At.Lon), 64)
		if err1 == nil && err2 == nil && lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180 && (lat != 0 || lon != 0) {
			return &place{Lat: lat, Lon: lon}
		}
	}
	return nil
}

// readKept gives where images are, and the kinds of storage in ONVIF's words, the
// last part of their names, sorted.
func readKept(answer storages) (Kept, string) {
	var kinds []string
	for _, s := range answer.Items {
		if kind := clean(s.Data.Type); kind != "" && len(kinds) < 16 {
			kinds = append(kinds, path.Base(kind))
		}
	}
	kinds = slices.Compact(slices.Sorted(slices.Values(kinds)))
	var all []Kept
	for _, kind := range kinds {
		switch strings.ToLower(kind) {
		case "localstorage":
			all = append(all, KeptDisk)
		case "nfs", "cifs":
			all = append(all, KeptShare)
		case "cdmi", "ftp", "objectstorages3", "objectstorageazure":
			all = append(all, KeptRemote)
		default:
			return KeptUnknown, strings.Join(kinds, " ")
		}
	}
	return keptIn(all...), strings.Join(kinds, " ")
}

// keptIn joins the places of a device's images into one.
func keptIn(all ...Kept) Kept {
	all = slices.Compact(slices.Sorted(slices.Values(all)))
	switch len(all) {
	case 0:
		return KeptUnknown
	case 1:
		return all[0]
	}
	return KeptSeveral
}
