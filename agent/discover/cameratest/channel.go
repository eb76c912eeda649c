package cameratest

import (
	"fmt"
	"strings"
)

// channel describes channel n, from 1.
func (r *recorder) channel(n int) channel {
	c := channel{
		source: fmt.Sprintf("ch-%03d", n), recording: fmt.Sprintf("rec-%03d", n),
		name: fmt.Sprintf("%03d %s", n, places[(n-1)%len(places)]), width: 2560, height: 1440,
	}
	if n <= r.o.Analogue {
		c.source, c.width, c.height = fmt.Sprintf("analogue-%03d", n), 960, 576
	}
	c.sourceID = c.source
	for _, h := range r.o.Behind {
		if h.Channel != n {
			continue
		}
		c.sourceID, c.address, c.description = h.Endpoint, h.Address, h.Serial
		if c.sourceID == "" {
			c.sourceID = h.Serial
		}
		if h.Name != "" {
			c.name = h.Name
		}
	}
	return c
}

// online are the channels whose camera answers.
func (r *recorder) online() []channel { return r.channels[:max(0, len(r.channels)-r.o.Offline)] }

func (r *recorder) services() string {
	var b strings.Builder
	for _, s := range []struct{ namespace, path string }{{nsDevice, "device"}, {nsMedia, "media"}, {nsRecording, "recording"}, {nsSearch, "search"}} {
		fmt.Fprintf(&b, "<tds:Service><tds:Namespace>%s</tds:Namespace><tds:XAddr>http://%s/onvif/%s_service</tds:XAddr>"+
			"<tds:Version><tt:Major>19</tt:Major><tt:Minor>12</tt:Minor></tds:Version></tds:Service>", s.namespace, r.host, s.path)
	}
	return b.String()
}

func (r *recorder) capabilities() string {
	at := func(element, path string) string {
		return fmt.Sprintf("<tt:%[1]s><tt:XAddr>http://%[2]s/onvif/%[3]s_service</tt:XAddr></tt:%[1]s>", element, r.host, path)
	}
	return "<tds:Capabilities>" + at("Device", "device") + at("Media", "media") +
		"<tt:Extension>" + at("Recording", "recording") + at("Search", "search") + "</tt:Extension></tds:Capabilities>"
}

const resolution = "<tt:Resolution><tt:Width>%d</tt:Width><tt:Height>%d</tt:Height></tt:Resolution>"

func (r *recorder) sources() string {
	var b strings.Builder
	for _, c := range r.online() {
		fmt.Fprintf(&b, `<trt:VideoSources token="%s"><tt:Framerate>25</tt:Framerate>`+resolution+`</trt:VideoSources>`, c.source, c.width, c.height)
	}
	return b.String()
}

// streams are the two encoders of a channel.
func (c *channel) streams() []stream {
	return []stream{{c.source + "-main", c.width, c.height}, {c.source + "-sub", 640, 360}}
}

type stream struct {
	token         string
	width, height int
}

const encoder = `<tt:Name>%[1]s</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding>` +
	`<tt:Resolution><tt:Width>%[2]d</tt:Width><tt:Height>%[3]d</tt:Height></tt:Resolution><tt:Quality>4</tt:Quality>` +
	`<tt:RateControl><tt:FrameRateLimit>15</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl>`

func (r *recorder) profiles() string {
	var b strings.Builder
	for _, c := range r.online() {
		for _, s := range c.streams() {
			fmt.Fprintf(&b, `<trt:Profiles token="%[1]s" fixed="true"><tt:Name>%[1]s</tt:Name><tt:VideoSourceConfiguration token="vsc-%[2]s">`+
				`<tt:Name>%[3]s</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>%[2]s</tt:SourceToken><tt:Bounds x="0" y="0" width="%[4]d" height="%[5]d"/></tt:VideoSourceConfiguration>`+
				`<tt:VideoEncoderConfiguration token="enc-%[1]s">`, s.token, c.source, escape(c.name), c.width, c.height)
			fmt.Fprintf(&b, encoder, s.token, s.width, s.height)
			b.WriteString(`</tt:VideoEncoderConfiguration></trt:Profiles>`)
		}
	}
	return b.String()
}

func (r *recorder) encoders() string {
	var b strings.Builder
	for _, c := range r.online() {
		for _, s := range c.streams() {
			fmt.Fprintf(&b, `<trt:Configurations token="enc-%s">`, s.token)
			fmt.Fprintf(&b, encoder, s.token, s.width, s.height)
			b.WriteString(`</trt:Configurations>`)
		}
	}
	return b.String()
}

// about is the source of a recording.
func (c *channel) about() string {
	return fmt.Sprintf("<tt:Source><tt:SourceId>%s</tt:SourceId><tt:Name>%s</tt:Name><tt:Location></tt:Location><tt:Description>%s</tt:Description><tt:Address>%s</tt:Address></tt:Source>",
		escape(c.sourceID), escape(c.name), escape(c.description), escape(c.address))
}

func (r *recorder) recordings() string {
	var b strings.Builder
	for _, c := range r.channels {
		fmt.Fprintf(&b, "<trc:RecordingItem><tt:RecordingToken>%s</tt:RecordingToken><tt:Configuration>%s<tt:Content></tt:Content><tt:MaximumRetentionTime>%s</tt:MaximumRetentionTime></tt:Configuration>"+
			"<tt:Tracks><tt:Track><tt:TrackToken>VIDEO001</tt:TrackToken><tt:Configuration><tt:TrackType>Video</tt:TrackType><tt:Description></tt:Description></tt:Configuration></tt:Track></tt:Tracks></trc:RecordingItem>",
			c.recording, c.about(), r.o.Retention)
	}
	return b.String()
}

func (r *recorder) jobs() string {
	var b strings.Builder
	for _, c := range r.online() {
		fmt.Fprintf(&b, "<trc:JobItem><tt:JobToken>job-%[1]s</tt:JobToken><tt:JobConfiguration><tt:RecordingToken>%[1]s</tt:RecordingToken><tt:Mode>Active</tt:Mode><tt:Priority>1</tt:Priority>"+
			"<tt:Source><tt:SourceToken Type=\"http://www.onvif.org/ver10/schema/Profile\"><tt:Token>%[2]s-main</tt:Token></tt:SourceToken></tt:Source></tt:JobConfiguration></trc:JobItem>",
			c.recording, c.source)
	}
	return b.String()
}

func (r *recorder) informations(prefix string) string {
	var b strings.Builder
	for _, c := range r.channels {
		b.WriteString(r.information(c, prefix))
	}
	return b.String()
}

func (r *recorder) information(c channel, prefix string) string {
	return fmt.Sprintf("<%[1]s:RecordingInformation><tt:RecordingToken>%[2]s</tt:RecordingToken>%[3]s"+
		"<tt:EarliestRecording>now-%[4]v</tt:EarliestRecording><tt:LatestRecording>now</tt:LatestRecording><tt:Content></tt:Content>"+
		"<tt:Track><tt:TrackToken>VIDEO001</tt:TrackToken><tt:TrackType>Video</tt:TrackType><tt:Description></tt:Description><tt:DataFrom>now-%[4]v</tt:DataFrom><tt:DataTo>now</tt:DataTo></tt:Track>"+
		"<tt:RecordingStatus>Recording</tt:RecordingStatus></%[1]s:RecordingInformation>", prefix, c.recording, c.about(), r.o.Oldest)
}
