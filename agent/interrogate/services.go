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

// offered finds the XAddr of each service. GetServices is tried in both forms
// (Hikvision V5.1.6 and TRENDnet V5.3.4 refuse one with ter:InvalidParameter and
// answer the other), first the one that also tells what need not be asked.
// GetCapabilities adds what that does not name: old devices (AXIS Q6045-E 5.55)
// know nothing else.
func (l *lane) offered(ctx context.Context) {
	l.services = map[string]string{}
	if !l.goOn(ctx) {
		return
	}
	var err error
	for _, include := range []xsd.Boolean{true, false} {
		var answer services
		if answer, err = ask[services](ctx, l.conversation, l.base, "GetServices", device.GetServices{IncludeCapability: include}); err == nil {
			l.take(answer)
			break
		}
		if !l.goOn(ctx) {
			break
		}
	}
	if (l.services[nsMedia] == "" || l.services[nsRecording] == "" || l.services[nsSearch] == "") && l.goOn(ctx) {
		answer, capErr := ask[capabilities](ctx, l.conversation, l.base, "GetCapabilities", device.GetCapabilities{Category: "All"})
		for ns, xaddr := range map[string]string{nsMedia: answer.Media, nsDeviceIO: answer.DeviceIO, nsRecording: answer.Recording, nsSearch: answer.Search, nsReceiver: answer.Receiver} {
			l.services[ns] = cmp.Or(l.services[ns], strings.TrimSpace(xaddr))
		}
		if capErr == nil {
			err = nil
		}
	}
	l.note("GetServices", err)
}

func (l *lane) take(answer services) {
	for _, s := range answer.Services {
		ns := strings.TrimSpace(s.Namespace)
		if l.services[ns] == "" && len(l.services) < 64 {
			l.services[ns] = s.XAddr
		}
		if s.System != nil && ns == nsDevice {
			entries, _ := strconv.Atoi(strings.TrimSpace(s.System.Places))
			storage := strings.TrimSpace(s.System.Storage)
			l.system = &system{places: entries > 0, storage: storage == "true" || storage == "1"}
		}
	}
}

// places asks where the device stands, which sockets it has and where it keeps
// images; the first and the last only of devices that do not deny to know.
func (l *lane) places(ctx context.Context) {
	if l.system == nil || l.system.places {
		if answer, ok := extra[geoLocation](ctx, l, l.base, "GetGeoLocation", getGeoLocation{}); ok {
			l.device.Suggested = readPlace(answer)
		}
	}
	if l.system == nil || l.system.storage {
		if answer, ok := extra[storages](ctx, l, l.base, "GetStorageConfigurations", device.GetStorageConfigurations{}); ok {
			kept, words := readKept(answer)
			l.device.kept(kept, "onvif GetStorageConfigurations", words, l.now())
		}
	}
	// One camera has one socket, and that is known.
	if xaddr := l.services[nsDeviceIO]; xaddr != "" && len(l.read.sources) != 1 {
		if answer, ok := extra[inputs](ctx, l, l.at(xaddr), "GetVideoSources", getInputs{}); ok {
			l.read.inputs = answer.Tokens
		}
	}
}

// readPlace gives the first place that is one. 0,0 is a form left empty.
func readPlace(answer geoLocation) *Place {
	for _, p := range answer.Places {
		if p.At == nil {
			continue
		}
		lat, err1 := strconv.ParseFloat(strings.TrimSpace(p.At.Lat), 64)
		lon, err2 := strconv.ParseFloat(strings.TrimSpace(p.At.Lon), 64)
		if err1 == nil && err2 == nil && lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180 && (lat != 0 || lon != 0) {
			return &Place{Lat: lat, Lon: lon}
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
