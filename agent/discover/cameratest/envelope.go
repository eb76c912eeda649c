package cameratest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

const (
	nsEnvelope   = "http://www.w3.org/2003/05/soap-envelope"
	nsDevice     = "http://www.onvif.org/ver10/device/wsdl"
	nsEnvelope11 = "http://schemas.xmlsoap.org/soap/envelope/"
	nsMedia      = "http://www.onvif.org/ver10/media/wsdl"
	nsMedia2     = "http://www.onvif.org/ver20/media/wsdl"
	nsRecording  = "http://www.onvif.org/ver10/recording/wsdl"
	nsSearch     = "http://www.onvif.org/ver10/search/wsdl"
)

// prefixes may be used in hand-written answers without being declared there.
var prefixes = []struct{ prefix, namespace string }{
	{"tt", "http://www.onvif.org/ver10/schema"},
	{"tds", nsDevice},
	{"trt", nsMedia},
	{"tr2", nsMedia2},
	{"tptz", "http://www.onvif.org/ver20/ptz/wsdl"},
	{"trc", nsRecording},
	{"tse", nsSearch},
	{"ter", "http://www.onvif.org/ver10/error"},
	{"xsi", "http://www.w3.org/2001/XMLSchema-instance"},
}

// envelope puts a SOAP 1.2 envelope around the content of a body. prefix is that
// of the SOAP namespace, "s" if empty.
func envelope(prefix string, body []byte) []byte {
	if prefix == "" {
		prefix = "s"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s<%s:Envelope xmlns:%s=\"%s\"", xml.Header, prefix, prefix, nsEnvelope)
	for _, p := range prefixes {
		fmt.Fprintf(&b, " xmlns:%s=\"%s\"", p.prefix, p.namespace)
	}
	fmt.Fprintf(&b, "><%s:Body>%s</%s:Body></%s:Envelope>\n", prefix, body, prefix, prefix)
	return b.Bytes()
}

// fault makes a SOAP 1.2 fault: code is Sender or Receiver, sub the ter:
// subcode, or "" for none.
func fault(prefix, code, sub, reason string) []byte {
	if prefix == "" {
		prefix = "s"
	}
	if sub != "" {
		sub = fmt.Sprintf("<%[1]s:Subcode><%[1]s:Value>%[2]s</%[1]s:Value></%[1]s:Subcode>", prefix, sub)
	}
	return envelope(prefix, fmt.Appendf(nil, "<%[1]s:Fault><%[1]s:Code><%[1]s:Value>%[1]s:%[2]s</%[1]s:Value>%[3]s</%[1]s:Code>"+
		"<%[1]s:Reason><%[1]s:Text xml:lang=\"en\">%[4]s</%[1]s:Text></%[1]s:Reason></%[1]s:Fault>",
		prefix, code, sub, escape(reason)))
}

// fault11 makes the fault of SOAP 1.1, inside an envelope of 1.2.
func fault11(prefix, code, reason string) []byte {
	if prefix == "" {
		prefix = "s"
	}
	code = map[string]string{"Sender": "Client", "Receiver": "Server"}[code]
	return envelope(prefix, fmt.Appendf(nil, "<%[1]s:Fault><faultcode>%[1]s:%[2]s</faultcode><faultstring>%[3]s</faultstring></%[1]s:Fault>",
		prefix, code, escape(reason)))
}

// escape makes a text fit for XML.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder never fails
	return b.String()
}
