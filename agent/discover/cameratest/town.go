package cameratest

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
)

// TownOptions say where a Town finds its devices and where it puts them.
type TownOptions struct {
	// Shared is the folder that holds devices/onvif with the recorded cameras;
	// where it is "" or has none, the hand-written ones are started.
	Shared string
	// Cameras is the folder of hand-written devices, testdata/cameras.
	Cameras string
	// Interface for probes, "lo" if empty.
	Interface string
	// FirstHost is the address of the first device, 127.0.0.11 if empty; the
	// others follow.
	FirstHost string
	// Port of every device; 0: any.
	Port int
	// NoAuth: no device asks for a password, but the one that was recorded
	// refusing everything.
	NoAuth bool
}

// A LAN is a small network of devices that run.
type LAN struct {
	// Source is Recorded or HandWritten.
	Source  string
	Devices []*Device
}

// townPassword is asked by every device of the recorded town that asks for one.
const townPassword = "SENTINEL-password-of-the-town"

// Town starts a ready-made small network: at least 8 devices of at least 4
// makers. Each has an endpoint reference of its own address: of two towns on one
// machine every device is another. The recorded one has 9 of 6 (Axis, Bosch, Reolink, Hikvision, Pelco,
// TRENDnet); two of them ask for a password, one refuses whatever it is asked,
// three answer only one type of probe, one has a clock 58 minutes ahead, and two
// have recordings, of 72 hours and of a week.
func Town(o TownOptions) (*LAN, error) {
	if o.Interface == "" {
		o.Interface = "lo"
	}
	if o.FirstHost == "" {
		o.FirstHost = "127.0.0.11"
	}
	host, err := netip.ParseAddr(o.FirstHost)
	if err != nil {
		return nil, fmt.Errorf("start the town: first host: %w", err)
	}
	homes, source, err := townFolk(o)
	if err != nil {
		return nil, fmt.Errorf("start the town: %w", err)
	}
	lan := &LAN{Source: source}
	for _, h := range homes {
		h.o.Host, h.o.Interface, h.o.Port = host.String(), o.Interface, o.Port
		h.o.Endpoint = "urn:uuid:" + uuid.NewSHA1(endpointNamespace, []byte(h.c.Defaults.Endpoint+host.String())).String()
		if o.NoAuth && !h.c.refuses() {
			h.o.Auth = AuthNone
		}
		d, err := Start(h.c, h.o)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start the town: %w", err), lan.Close())
		}
		lan.Devices = append(lan.Devices, d)
		host = host.Next()
	}
	return lan, nil
}

// Close ends all devices.
func (l *LAN) Close() error {
	var errs []error
	for _, d := range l.Devices {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}

// HasRecorded reports whether shared holds recorded cameras.
func HasRecorded(shared string) bool {
	if shared == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(shared, "devices", "onvif", "hawkeye64"))
	return err == nil
}

// home is one device of a town, before it is started.
type home struct {
	c *Conversation
	o Options
}

func townFolk(o TownOptions) ([]home, string, error) {
	if !HasRecorded(o.Shared) {
		written, err := LoadDirs(o.Cameras)
		if err != nil {
			return nil, "", err
		}
		homes := make([]home, len(written))
		for i, c := range written {
			homes[i].c = c
		}
		return homes, HandWritten, nil
	}
	homes, err := recordedFolk(filepath.Join(o.Shared, "devices", "onvif"))
	return homes, Recorded, err
}

func recordedFolk(dir string) ([]home, error) {
	g, err := LoadProfileG(filepath.Join(dir, "hammeraj"))
	if err != nil {
		return nil, err
	}
	short, long := *g, *g
	short.Oldest, short.Retention = 72*time.Hour, "P3D"
	long.Oldest, long.Retention = 7*24*time.Hour, "PT0S"
	password := func(a Auth) Options { return Options{Auth: a, User: "anagrafe", Password: townPassword} }

	axis := Options{ProfileG: &short, MDNS: []string{"_axis-video._tcp"}}
	panoramic := password(AuthDigest)
	panoramic.ProfileG = &long
	refusing := password(AuthToken)
	refusing.Password = "SENTINEL-password-that-nobody-knows"
	refusing.Quirks = Quirks{WrongTokenRefusesAll: true}
	hikvision := password(AuthToken)
	hikvision.AnswerTo, hikvision.Quirks = []string{ProbeNVT}, Quirks{LockoutAfter: 7}

	var homes []home
	for _, h := range []struct {
		folder string
		load   func(string) (*Conversation, error)
		o      Options
	}{
		{"AXIS_P3818-PVE_11.9.60", LoadRecorded, axis},
		{"AXIS_P5655-E_wrong-credentials", LoadRecorded, refusing},
		{"Bosch_FLEXIDOME_panoramic_5100i_9.00.0210", LoadRecorded, panoramic},
		{"Bosch_FLEXIDOME_indoor_5100i_IR_8.71.0066", LoadRecorded, Options{}},
		{"REOLINK_E1_Zoom_v3.1.0.2649_23083101", LoadRecorded, Options{ClockOffset: -4 * time.Second}},
		{"hawkeye64/axis", LoadHawkeye, Options{ClockOffset: 58 * time.Minute}},
		{"hawkeye64/hikvision", LoadHawkeye, hikvision},
		{"hawkeye64/pelco", LoadHawkeye, Options{AnswerTo: []string{ProbeUntyped}}},
		{"hawkeye64/trendnet", LoadHawkeye, Options{AnswerTo: []string{ProbeDevice}, Quirks: Quirks{AnswersTwice: true}}},
	} {
		c, err := h.load(filepath.Join(dir, filepath.FromSlash(h.folder)))
		if err != nil {
			return nil, err
		}
		homes = append(homes, home{c, h.o})
	}
	return homes, nil
}

// refuses reports whether every recorded answer is a refusal.
func (c *Conversation) refuses() bool {
	for _, a := range c.Answers {
		if !isRefusal(a) {
			return false
		}
	}
	return len(c.Answers) > 0
}
