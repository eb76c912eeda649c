package interrogate

import (
	"context"
	"encoding/xml"
	"strconv"
	"strings"
)

// hikProxies are the IP channels of a recorder. The user of each camera is in them
// too, and not read.
type hikProxies struct {
	XMLName  xml.Name `xml:"InputProxyChannelList"`
	Channels []struct {
		ID     string `xml:"id"`
		Name   string `xml:"name"`
		Source struct {
			Address string `xml:"ipAddress"`
			Serial  string `xml:"serialNumber"`
		} `xml:"sourceInputPortDescriptor"`
	} `xml:"InputProxyChannel"`
}

// hikInputs are the sockets of a DVR, or the picture of a camera.
type hikInputs struct {
	XMLName  xml.Name `xml:"VideoInputChannelList"`
	Channels []struct {
		ID      string `xml:"id"`
		Name    string `xml:"name"`
		Enabled string `xml:"videoInputEnabled"`
	} `xml:"VideoInputChannel"`
}

// channels lists what the device records, by the numbers that its owner sees. An
// NVR has IP channels, a camera its input, a DVR sockets for cables and perhaps IP
// channels that follow them in number; should one number be both, the IP channel
// is called "D1", as on the DVR's screen, and nothing more is known of it.
func (hikvision) channels(ctx context.Context, w *web, t *deviceReport, kind string) {
	taken := map[string]bool{}
	if kind != "NVR" {
		inputs, from, _ := isapi[hikInputs](ctx, w, t, isapiInputs)
		for _, in := range head(inputs.Channels, maxChannels) {
			id := channelNumber(in.ID)
			if id == "" || taken[id] || strings.EqualFold(strings.TrimSpace(in.Enabled), "false") {
				continue // a socket that is switched off lends its number to an IP channel
			}
			taken[id] = true
			c := channelReport{id: id, name: in.Name, analogue: t.recorder}
			c.say("name", from, in.Name)
			t.channels = append(t.channels, c)
		}
	}
	if strings.HasPrefix(kind, "IP") {
		return
	}
	proxies, from, _ := isapi[hikProxies](ctx, w, t, isapiProxies)
	for _, p := range head(proxies.Channels, maxChannels-len(t.channels)) {
		id := channelNumber(p.ID)
		if taken[id] {
			id = "D" + id
		}
		if id == "" || taken[id] {
			continue
		}
		taken[id] = true
		c := channelReport{id: id, name: p.Name}
		c.say("name", from, p.Name)
		behind := Identity{Serial: readSerial(p.Source.Serial), Name: clean(p.Name)}
		if behind.setAddress(p.Source.Address); behind.Serial != "" || behind.Address != "" {
			c.behind = &behind
		}
		t.channels = append(t.channels, c)
	}
}

// channelNumber reads a channel's number, "" for what is none.
func channelNumber(text string) string {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1 || n > 9999 {
		return ""
	}
	return strconv.Itoa(n)
}

// mainOf is the number of a channel's main stream and of its recording: 101, 201.
func mainOf(channel string) string { return channel + "01" }

type hikStreams struct {
	XMLName xml.Name `xml:"StreamingChannelList"`
	Streams []struct {
		ID     string `xml:"id"`
		Name   string `xml:"channelName"`
		Width  string `xml:"Video>videoResolutionWidth"`
		Height string `xml:"Video>videoResolutionHeight"`
	} `xml:"StreamingChannel"`
}

// sizes reads the size of the main streams. Where no list of channels could be
// read, the streams are one.
func (hikvision) sizes(ctx context.Context, w *web, t *deviceReport) {
	streams, from, ok := isapi[hikStreams](ctx, w, t, isapiStreams)
	if !ok {
		return
	}
	byID := map[string]int{}
	for i, s := range streams.Streams {
		byID[channelNumber(s.ID)] = i
	}
	if len(t.channels) == 0 {
		for _, s := range head(streams.Streams, 4*maxChannels) {
			if id, main := strings.CutSuffix(channelNumber(s.ID), "01"); main && id != "" && len(t.channels) < maxChannels {
				c := channelReport{id: id, name: s.Name}
				c.say("name", from, s.Name)
				t.channels = append(t.channels, c)
			}
		}
	}
	for i := range t.channels {
		c := &t.channels[i]
		at, have := byID[mainOf(c.id)]
		if !have {
			continue
		}
		s := streams.Streams[at]
		c.width, _ = strconv.Atoi(strings.TrimSpace(s.Width))
		c.height, _ = strconv.Atoi(strings.TrimSpace(s.Height))
		c.say("resolution", from, s.Width+"x"+s.Height)
	}
}

type hikDisk struct {
	Kind     string `xml:"hddType"` // SATA, LOCAL, eSATA, NFS, iSCSI ...
	Status   string `xml:"status"`  // ok, notexist, offline, unformatted, sleeping ...
	Capacity string `xml:"capacity"`
}

type hikStorage struct {
	XMLName xml.Name  `xml:"storage"`
	Disks   []hikDisk `xml:"hddList>hdd"`
	Shares  []hikDisk `xml:"nasList>nas"`
}

// kept tells where the images are. Rows of disks that were taken out stay in the
// list as "notexist". How much is free says nothing: 0 is how a full one works.
func (hikvision) kept(ctx context.Context, w *web, t *deviceReport) {
	storage, from, _ := isapi[hikStorage](ctx, w, t, isapiStorage)
	var all []Kept
	var raw []string
	add := func(d hikDisk, kept Kept) {
		switch strings.ToLower(strings.TrimSpace(d.Status)) {
		case "", "notexist", "offline", "unformatted", "uninitialized", "error":
			return
		}
		if size, err := strconv.ParseInt(strings.TrimSpace(d.Capacity), 10, 64); err != nil || size <= 0 {
			return
		}
		all, raw = append(all, kept), append(raw, d.Kind+" "+d.Status)
	}
	for _, d := range storage.Disks {
		switch strings.ToUpper(strings.TrimSpace(d.Kind)) {
		case "NFS", "ISCSI", "NAS", "SMB", "SMB/CIFS", "CIFS":
			add(d, KeptShare)
		default:
			add(d, KeptDisk)
		}
	}
	for _, d := range storage.Shares {
		add(d, KeptShare)
	}
	t.kept, t.keptFrom, t.keptRaw = keptIn(all...), from, rawWords(raw...)
}
