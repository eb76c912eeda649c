package cameratest

import (
	"fmt"
	"hash/fnv"
	"strings"
	"time"
)

// RecorderOptions say what a Recorder is like. The zero value is a digital
// recorder of 3 days, all of its channels in use.
type RecorderOptions struct {
	// Name of the conversation, "recorder-64" if empty; endpoint reference,
	// serial number and MAC address are made from it.
	Name string
	// Analogue is how many of the channels, the first ones, are analogue inputs
	// of a hybrid recorder: 960 x 576, as a video source of that size.
	Analogue int
	// Offline is how many of the channels, the last ones, have no camera that
	// answers: they are listed as recordings only (onvif/specs#470).
	Offline int
	// Behind are cameras on the recorder's own network ports.
	Behind []Hidden
	// Retention is each MaximumRetentionTime, "P3D" if empty; Oldest the age of
	// the oldest footage, 72 h if 0.
	Retention string
	Oldest    time.Duration
}

// Hidden is a camera behind a recorder, as far as ONVIF tells. That is the
// source of its recording (RecordingSourceInformation): SourceId is Endpoint, or
// Serial where that is ""; Name, Address and Description (Serial) are its other
// texts. ONVIF has no place for its MAC address.
type Hidden struct {
	Channel int // from 1
	// Endpoint is its endpoint reference, Address the address of its device
	// service as the recorder sees it, on the network of its ports.
	Endpoint, Serial, Name, Address string
}

// recorder is one while it is being written.
type recorder struct {
	o        RecorderOptions
	host     string // of its XAddrs
	channels []channel
}

type channel struct {
	source, recording string // tokens
	name              string
	sourceID, address string
	description       string
	width, height     int
}

// places name the channels; the first letters beyond ASCII are there on purpose.
var places = [...]string{"Ingresso", "Cortile", "Libertà", "Parcheggio nord", "Corridoio", "Cassa", "Magazzino", "Via Alba", "Retro", "Cancello è"}

// Recorder writes the conversation of a recorder with that many channels: two
// profiles a channel, names, recordings with jobs, search and summary. It asks
// for no password unless Options of Start say so.
func Recorder(channels int, o RecorderOptions) *Conversation {
	if o.Name == "" {
		o.Name = fmt.Sprint("recorder-", channels)
	}
	return compose(channels, fmt.Sprintf("VF-R%d", channels), o)
}

// compose writes the conversation of a device of that model.
func compose(channels int, model string, o RecorderOptions) *Conversation {
	if o.Retention == "" {
		o.Retention = "P3D"
	}
	if o.Oldest == 0 {
		o.Oldest = 72 * time.Hour
	}
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(o.Name)) // a hash never fails
	n := sum.Sum32()
	r := &recorder{o: o, host: fmt.Sprintf("192.0.2.%d", 1+n%250)}
	for i := range channels {
		r.channels = append(r.channels, r.channel(i+1))
	}
	c := &Conversation{Name: o.Name, Source: HandWritten}
	c.Defaults.Scopes = []string{
		"onvif://www.onvif.org/type/video_encoder", "onvif://www.onvif.org/type/Network_Video_Transmitter",
		"onvif://www.onvif.org/Profile/Streaming", "onvif://www.onvif.org/Profile/G",
		"onvif://www.onvif.org/hardware/" + model, "onvif://www.onvif.org/name/Videofavola%20" + o.Name,
	}
	for _, a := range []struct{ namespace, operation, token, content string }{
		{nsDevice, timeOperation, "", "<tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>" +
			"<tt:TimeZone><tt:TZ>" + romanZone + "</tt:TZ></tt:TimeZone><tt:UTCDateTime>" + dateTime(time.Unix(0, 0).UTC()) + "</tt:UTCDateTime></tds:SystemDateAndTime>"},
		{nsDevice, "GetDeviceInformation", "", fmt.Sprintf("<tds:Manufacturer>Videofavola</tds:Manufacturer><tds:Model>%s</tds:Model><tds:FirmwareVersion>5.0.3</tds:FirmwareVersion>"+
			"<tds:SerialNumber>SENTINEL-SERIAL-%s</tds:SerialNumber><tds:HardwareId>%s-A</tds:HardwareId>", model, strings.ToUpper(o.Name), model)},
		{nsDevice, "GetNetworkInterfaces", "", fmt.Sprintf(`<tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled><tt:Info><tt:Name>eth0</tt:Name>`+
			`<tt:HwAddress>02:5E:47:%02X:%02X:%02X</tt:HwAddress></tt:Info></tds:NetworkInterfaces>`, n>>16&0xff, n>>8&0xff, n&0xff)},
		{nsDevice, "GetHostname", "", "<tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP><tt:Name>SENTINEL-HOST-" + strings.ToUpper(o.Name) + "</tt:Name></tds:HostnameInformation>"},
		{nsDevice, "GetScopes", "", each(c.Defaults.Scopes, "<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>%s</tt:ScopeItem></tds:Scopes>")},
		{nsDevice, "GetServices", "", r.services()},
		{nsDevice, "GetCapabilities", "", r.capabilities()},
		{nsMedia, "GetVideoSources", "", r.sources()},
		{nsMedia, "GetProfiles", "", r.profiles()},
		{nsMedia, "GetVideoEncoderConfigurations", "", r.encoders()},
		{nsRecording, "GetRecordings", "", r.recordings()},
		{nsRecording, "GetRecordingJobs", "", r.jobs()},
		{nsSearch, "GetRecordingSummary", "", fmt.Sprintf("<tse:Summary><tt:DataFrom>now-%v</tt:DataFrom><tt:DataUntil>now</tt:DataUntil><tt:NumberRecordings>%d</tt:NumberRecordings></tse:Summary>", o.Oldest, channels)},
		{nsSearch, "FindRecordings", "", "<tse:SearchToken>search-1</tse:SearchToken>"},
		{nsSearch, "GetRecordingSearchResults", "search-1", "<tse:ResultList><tt:SearchState>Completed</tt:SearchState>" + r.informations("tt") + "</tse:ResultList>"},
		{nsSearch, "EndSearch", "search-1", "<tse:Endpoint>now</tse:Endpoint>"},
	} {
		c.Answers = append(c.Answers, response(a.namespace, a.operation, a.token, a.content))
	}
	for _, ch := range r.channels {
		c.Answers = append(c.Answers,
			response(nsSearch, "GetRecordingInformation", ch.recording, r.information(ch, "tse")),
			response(nsRecording, "GetRecordingJobState", "job-"+ch.recording, "<trc:State><tt:RecordingToken>"+ch.recording+"</tt:RecordingToken><tt:State>Active</tt:State></trc:State>"))
	}
	_ = c.complete() // fails for want of answers only
	return c
}

// response makes an answer of a response's content.
func response(namespace, operation, token, content string) Answer {
	prefix := map[string]string{nsDevice: "tds", nsMedia: "trt", nsRecording: "trc", nsSearch: "tse"}[namespace]
	a := Answer{File: operation, Namespace: namespace, Operation: operation, Status: 200,
		Body: envelope("", fmt.Appendf(nil, "<%[1]s:%[2]sResponse>%[3]s</%[1]s:%[2]sResponse>", prefix, operation, content))}
	if token != "" {
		a.File += "." + token
		a.Asked = map[string][]string{anyToken: {token}}
	}
	return a
}

// each formats every item, escaped.
func each(items []string, format string) string {
	var b strings.Builder
	for _, item := range items {
		fmt.Fprintf(&b, format, escape(item))
	}
	return b.String()
}
