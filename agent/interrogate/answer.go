package interrogate

import (
	"encoding/xml"
	"errors"
	"regexp"
	"strings"

	"anagrafe/agent/discover"
)

// The answers, as far as they are read. Tags name local names only:
// discover.Unmarshal has dealt with namespaces. Values that are not text are
// read as text and converted with care: a wrong number must not cost the rest.

type envelopeOf[T any] struct {
	XMLName xml.Name
	Body    struct {
		Fault  *fault      `xml:"Fault"`
		Answer answerOf[T] `xml:",any"`
	} `xml:"Body"`
}

// answerOf is the first element of the body that is no fault, and its name.
type answerOf[T any] struct {
	name  string
	value T
}

func (a *answerOf[T]) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	if a.name != "" {
		return d.Skip()
	}
	a.name = start.Name.Local
	return d.DecodeElement(&a.value, &start)
}

// readAnswer reads a body as the answer to an operation. Without error exactly
// one of the two results counts: the fault, or the value.
func readAnswer[T any](operation string, body []byte) (T, *fault, error) {
	var e envelopeOf[T]
	var none T
	if err := discover.Unmarshal(body, &e); err != nil {
		return none, nil, err
	}
	if e.XMLName.Local != "Envelope" {
		return none, nil, errors.New("not a SOAP answer")
	}
	if e.Body.Fault != nil {
		return none, e.Body.Fault, nil
	}
	if e.Body.Answer.name != operation+"Response" {
		return none, nil, errors.New("the answer is to another question")
	}
	return e.Body.Answer.value, nil, nil
}

type fault struct {
	Code     string   `xml:"Code>Value"`
	Subcodes []string `xml:"Code>Subcode>Value"`
	Deeper   []string `xml:"Code>Subcode>Subcode>Value"`
	Reason   []string `xml:"Reason>Text"`
	Detail   string   `xml:"Detail>Text"`
	Code11   string   `xml:"faultcode"` // SOAP 1.1, seen inside 1.2 envelopes
	Reason11 string   `xml:"faultstring"`
}

var (
	// unauthorised matches the faults by which devices refuse a request: the
	// code ter:NotAuthorized or wsse:FailedAuthentication, or, of those that give
	// no such code (0x524a/onvif-go), their words.
	unauthorised = regexp.MustCompile(`(?i)not ?authori[sz]ed|unauthori[sz]ed|authenticat|invalidsecurity|authority failure|password`)
	// unsupported matches the faults for an operation that the device lacks.
	unsupported = regexp.MustCompile(`(?i)ActionNotSupported|NotImplemented|not (supported|implemented)|UnknownAction`)
)

func (f *fault) text() string {
	parts := append([]string{f.Code, f.Code11}, f.Subcodes...)
	parts = append(append(parts, f.Deeper...), f.Reason...)
	return strings.Join(append(parts, f.Reason11, f.Detail), " ")
}

// words is what the fault says to a person, with its innermost code.
func (f *fault) words() string {
	code := f.Code + f.Code11
	for _, c := range append(append([]string(nil), f.Subcodes...), f.Deeper...) {
		code = c
	}
	return strings.Join(append(append([]string{code}, f.Reason...), f.Reason11, f.Detail), " ")
}

func (f *fault) refused() bool     { return unauthorised.MatchString(f.text()) }
func (f *fault) unsupported() bool { return unsupported.MatchString(f.text()) }

type systemDateAndTime struct {
	Set struct {
		Zone   string    `xml:"TimeZone>TZ"`
		Region string    `xml:"Extension>Region"` // Pelco D6230L: ":America/Edmonton"
		UTC    *dateTime `xml:"UTCDateTime"`
		Local  *dateTime `xml:"LocalDateTime"`
	} `xml:"SystemDateAndTime"`
}

type dateTime struct {
	Hour   string `xml:"Time>Hour"`
	Minute string `xml:"Time>Minute"`
	Second string `xml:"Time>Second"`
	Year   string `xml:"Date>Year"`
	Month  string `xml:"Date>Month"`
	Day    string `xml:"Date>Day"`
}

type deviceInformation struct {
	Manufacturer    string
	Model           string
	FirmwareVersion string
	SerialNumber    string
	HardwareID      string `xml:"HardwareId"`
}

type scopes struct {
	Items []string `xml:"Scopes>ScopeItem"`
}

type networkInterfaces struct {
	MACs []string `xml:"NetworkInterfaces>Info>HwAddress"`
}

type services struct {
	Services []struct {
		Namespace string
		XAddr     string
		System    *struct { // of the device service, with IncludeCapability
			Places  string `xml:"GeoLocationEntries,attr"`
			Storage string `xml:"StorageConfiguration,attr"`
		} `xml:"Capabilities>Capabilities>System"`
	} `xml:"Service"`
}

type capabilities struct {
	Media     string `xml:"Capabilities>Media>XAddr"`
	DeviceIO  string `xml:"Capabilities>Extension>DeviceIO>XAddr"`
	Recording string `xml:"Capabilities>Extension>Recording>XAddr"`
	Search    string `xml:"Capabilities>Extension>Search>XAddr"`
	Receiver  string `xml:"Capabilities>Extension>Receiver>XAddr"`
}

type geoLocation struct {
	Places []struct {
		At *struct {
			Lon string `xml:"lon,attr"`
			Lat string `xml:"lat,attr"`
		} `xml:"GeoLocation"`
	} `xml:"Location"`
}

// storages are where images are kept. Paths, addresses and users are not read.
type storages struct {
	Items []struct {
		Data struct {
			Type string `xml:"type,attr"`
		}
	} `xml:"StorageConfigurations"`
}

// profiles holds the answers of both media services.
type profiles struct {
	Profiles []profile
}

type profile struct {
	Token   string        `xml:"token,attr"`
	Name    string        `xml:"Name"`
	Source  *videoSource  `xml:"VideoSourceConfiguration"`
	Encoder *videoEncoder `xml:"VideoEncoderConfiguration"`
	PTZ     *ptz          `xml:"PTZConfiguration"`
	Media2  struct {
		Source  *videoSource  `xml:"VideoSource"`
		Encoder *videoEncoder `xml:"VideoEncoder"`
		PTZ     *ptz          `xml:"PTZ"`
	} `xml:"Configurations"`
}

type videoSource struct {
	Token       string `xml:"token,attr"`
	Name        string
	SourceToken string
}

// sourceConfigurations are what a device with too many profiles is asked for.
type sourceConfigurations struct {
	Items []videoSource `xml:"Configurations"`
}

type osds struct {
	Items []struct {
		Source string `xml:"VideoSourceConfigurationToken"`
		Kind   string `xml:"TextString>Type"`
		Text   string `xml:"TextString>PlainText"`
	} `xml:"OSDs"`
}

// inputs are the sockets for cameras' cables.
type inputs struct {
	Tokens []string `xml:"Token"`
}

type videoEncoder struct {
	Encoding string
	Width    string `xml:"Resolution>Width"`
	Height   string `xml:"Resolution>Height"`
}

// ptz names the ways to move. All are optional.
type ptz struct {
	AbsoluteZoom   string `xml:"DefaultAbsoluteZoomPositionSpace"`
	RelativeZoom   string `xml:"DefaultRelativeZoomTranslationSpace"`
	ContinuousZoom string `xml:"DefaultContinuousZoomVelocitySpace"`

	Absolute   string `xml:"DefaultAbsolutePantTiltPositionSpace"`
	Relative   string `xml:"DefaultRelativePanTiltTranslationSpace"`
	Continuous string `xml:"DefaultContinuousPanTiltVelocitySpace"`
}

type videoSources struct {
	Sources []struct {
		Token  string `xml:"token,attr"`
		Width  string `xml:"Resolution>Width"`
		Height string `xml:"Resolution>Height"`
	} `xml:"VideoSources"`
}
