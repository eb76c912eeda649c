package interrogate

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/use-go/onvif"
	"github.com/use-go/onvif/gosoap"
)

// Namespaces of the services, as GetServices names them.
const (
	nsDevice    = "http://www.onvif.org/ver10/device/wsdl"
	nsMedia     = "http://www.onvif.org/ver10/media/wsdl"
	nsMedia2    = "http://www.onvif.org/ver20/media/wsdl"
	nsDeviceIO  = "http://www.onvif.org/ver10/deviceIO/wsdl"
	nsRecording = "http://www.onvif.org/ver10/recording/wsdl"
	nsSearch    = "http://www.onvif.org/ver10/search/wsdl"
	nsReceiver  = "http://www.onvif.org/ver10/receiver/wsdl"
	nsSchedule  = "http://www.onvif.org/ver10/schedule/wsdl"
)

// Requests that use-go/onvif v0.0.9 has no types for. Every request of this
// package reads; none changes the device, and none asks for a stream.
// FindRecordings opens a search, which EndSearch or ten seconds end.
type (
	getGeoLocation struct {
		XMLName struct{} `xml:"tds:GetGeoLocation"`
	}
	getOSDs struct {
		XMLName struct{} `xml:"trt:GetOSDs"`
	}
	getOSDs2 struct {
		XMLName struct{} `xml:"tr2:GetOSDs"`
	}
	getProfiles2 struct {
		XMLName struct{} `xml:"tr2:GetProfiles"`
		Type    []string `xml:"tr2:Type"`
	}
	getInputs struct {
		XMLName struct{} `xml:"tmd:GetVideoSources"`
	}
	getRecordings struct {
		XMLName struct{} `xml:"trc:GetRecordings"`
	}
	getRecordingJobs struct {
		XMLName struct{} `xml:"trc:GetRecordingJobs"`
	}
	getRecordingJobState struct {
		XMLName  struct{} `xml:"trc:GetRecordingJobState"`
		JobToken string   `xml:"trc:JobToken"`
	}
	getReceivers struct {
		XMLName struct{} `xml:"trv:GetReceivers"`
	}
	getRecordingSummary struct {
		XMLName struct{} `xml:"tse:GetRecordingSummary"`
	}
	findRecordings struct {
		XMLName   struct{} `xml:"tse:FindRecordings"`
		Scope     string   `xml:"tse:Scope"` // everything
		KeepAlive string   `xml:"tse:KeepAliveTime"`
	}
	getRecordingSearchResults struct {
		XMLName     struct{} `xml:"tse:GetRecordingSearchResults"`
		SearchToken string   `xml:"tse:SearchToken"`
		WaitTime    string   `xml:"tse:WaitTime"`
	}
	endSearch struct {
		XMLName     struct{} `xml:"tse:EndSearch"`
		SearchToken string   `xml:"tse:SearchToken"`
	}
	getRecordingInformation struct {
		XMLName        struct{} `xml:"tse:GetRecordingInformation"`
		RecordingToken string   `xml:"tse:RecordingToken"`
	}
	getSchedules struct {
		XMLName struct{} `xml:"tsc:GetSchedules"`
		Tokens  []string `xml:"tsc:Token"`
	}
)

// envelopes holds the envelope of each service's requests, cut where the security
// header and the body go: gosoap takes half a millisecond for one, of which the
// device sees nothing. It is read by many goroutines.
type envelopes map[string]envelope // by prefix

type envelope struct{ namespace, before, between, after string }

func newEnvelopes() (envelopes, error) {
	all := envelopes{}
	for prefix, ns := range map[string]string{
		"tds": onvif.Xlmns["tds"], "trt": onvif.Xlmns["trt"], // of use-go/onvif's own requests
		"tr2": nsMedia2, "tmd": nsDeviceIO, "trc": nsRecording, "tse": nsSearch, "trv": nsReceiver, "tsc": nsSchedule,
	} {
		soap := gosoap.NewEmptySOAP()
		soap.AddRootNamespace(prefix, ns)
		soap.AddBodyContent(etree.NewElement("body"))
		if err := soap.AddStringHeaderContent("<header/>"); err != nil {
			return nil, fmt.Errorf("write envelope: %w", err)
		}
		before, rest, ok1 := strings.Cut(soap.String(), "<header/>")
		between, after, ok2 := strings.Cut(rest, "<body/>")
		if !ok1 || !ok2 || ns == "" {
			return nil, fmt.Errorf("write envelope of %s: %s", prefix, soap.String())
		}
		all[prefix] = envelope{ns, before, between, after}
	}
	return all, nil
}

// write puts a request into its envelope, with the security header if it is not "".
func (all envelopes) write(request any, security string, soap11 bool) (message, namespace string, err error) {
	body, err := xml.Marshal(request)
	if err != nil {
		return "", "", fmt.Errorf("write request: %w", err)
	}
	prefix, _, _ := strings.Cut(strings.TrimPrefix(string(body), "<"), ":")
	e, ok := all[prefix]
	if !ok {
		return "", "", fmt.Errorf("write request: no service has the prefix %q", prefix)
	}
	message = e.before + security + e.between + string(body) + e.after
	if soap11 {
		message = strings.Replace(message, "http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/", 1)
	}
	return message, e.namespace, nil
}

// token writes a WS-UsernameToken with a digest of the password, made at now by
// the device's clock: most devices refuse one that is minutes, some one that is
// seconds off. The nonce is random and used once.
func token(c Credential, now time.Time) (header string, secrets []string, err error) {
	sec := gosoap.NewSecurity(c.User, c.Password)
	var nonce [16]byte
	rand.Read(nonce[:]) // never fails
	sec.Auth.Nonce.Nonce = base64.StdEncoding.EncodeToString(nonce[:])
	sec.Auth.Created = now.UTC().Format("2006-01-02T15:04:05.000Z")
	h := sha1.New()
	h.Write(nonce[:])
	io.WriteString(h, sec.Auth.Created+c.Password)
	sec.Auth.Password.Password = base64.StdEncoding.EncodeToString(h.Sum(nil))
	b, err := xml.Marshal(sec)
	if err != nil {
		return "", nil, fmt.Errorf("write security header: %w", err)
	}
	return string(b), []string{sec.Auth.Nonce.Nonce, sec.Auth.Password.Password}, nil
}
