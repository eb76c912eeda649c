package interrogate

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
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
	nsRecording = "http://www.onvif.org/ver10/recording/wsdl"
	nsSearch    = "http://www.onvif.org/ver10/search/wsdl"
)

// namespace gives that of a request's prefix, those of use-go/onvif and those
// that it lacks.
func namespace(prefix string) string {
	switch prefix {
	case "tr2":
		return nsMedia2
	case "trc":
		return nsRecording
	case "tse":
		return nsSearch
	}
	return onvif.Xlmns[prefix]
}

// Requests that use-go/onvif v0.0.9 has no types for. Every request of this
// package reads; none changes the device, and none asks for a stream.
type (
	getProfiles2 struct {
		XMLName struct{} `xml:"tr2:GetProfiles"`
		Type    string   `xml:"tr2:Type"`
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
	getRecordingSummary struct {
		XMLName struct{} `xml:"tse:GetRecordingSummary"`
	}
	getRecordingInformation struct {
		XMLName        struct{} `xml:"tse:GetRecordingInformation"`
		RecordingToken string   `xml:"tse:RecordingToken"`
	}
)

// envelope writes one request, with the security header if it is not "".
func envelope(request any, security string) (string, error) {
	raw, err := xml.Marshal(request)
	if err != nil {
		return "", fmt.Errorf("write request: %w", err)
	}
	body := etree.NewDocument()
	if err := body.ReadFromBytes(raw); err != nil {
		return "", fmt.Errorf("write request: %w", err)
	}
	soap := gosoap.NewEmptySOAP()
	if space := body.Root().Space; space != "" {
		soap.AddRootNamespace(space, namespace(space))
	}
	soap.AddBodyContent(body.Root())
	if security != "" {
		if err := soap.AddStringHeaderContent(security); err != nil {
			return "", fmt.Errorf("write security header: %w", err)
		}
	}
	return soap.String(), nil
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
