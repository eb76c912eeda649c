//go:build bench

package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/use-go/onvif"
	"github.com/use-go/onvif/device"
	"github.com/use-go/onvif/gosoap"
	"github.com/use-go/onvif/media"
	"github.com/use-go/onvif/networking"
	"golang.org/x/sync/errgroup"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
	"anagrafe/agent/interrogate"
)

// BenchmarkAsk asks 64 simulated devices that wait 20 ms before each answer,
// discovery left out: one device alone, all together, and the same calls one
// device after the other with use-go/onvif. `make bench` reads its metrics.
func BenchmarkAsk(b *testing.B) {
	lan, err := cameratest.Simulated(64, 20*time.Millisecond, cameratest.SimulatedOptions{Interface: "none"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = lan.Close() })
	asker, err := interrogate.New(interrogate.Options{})
	if err != nil {
		b.Fatal(err)
	}
	ask := func(d *cameratest.Device) {
		s := discover.Sighting{Address: d.Address(), Endpoint: d.Options().Endpoint, XAddrs: []string{d.URL()}, Scopes: d.Options().Scopes}
		if got := asker.Ask(context.Background(), s); !got.Answered || len(got.Channels) == 0 || len(got.Errors) > 0 {
			b.Errorf("%s was read as %+v", d.URL(), got)
		}
	}
	for b.Loop() {
		var slowest time.Duration
		for d := range slices.Chunk(lan.Devices, 8) { // each eighth, with the median of three against noise
			slowest = max(slowest, median(func() { ask(d[0]) }))
		}
		calls := make([][]cameratest.Request, len(lan.Devices)) // of the last round: the clock may be asked more or less often
		together := median(func() {
			var all errgroup.Group
			for i, d := range lan.Devices {
				all.Go(func() error {
					before := len(d.Requests())
					ask(d)
					calls[i] = d.Requests()[before:]
					return nil
				})
			}
			_ = all.Wait() // the goroutines return no error
		})
		if b.Failed() {
			return
		}
		var peer time.Duration
		total := 0
		for i, d := range lan.Devices {
			peer += askWithPeer(b, d, calls[i])
			total += len(calls[i])
		}
		b.ReportMetric(slowest.Seconds(), "s/alone")
		b.ReportMetric(together.Seconds(), "s/together")
		b.ReportMetric(peer.Seconds(), "s/peer")
		b.ReportMetric(float64(total)/float64(len(lan.Devices)), "calls/device")
	}
}

func median(f func()) time.Duration {
	var took []time.Duration
	for range 3 {
		start := time.Now()
		f()
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took[1]
}

const (
	deviceService = "http://www.onvif.org/ver10/device/wsdl"
	mediaService  = "http://www.onvif.org/ver10/media/wsdl"
)

// peerTypes are the requests that use-go/onvif has types for. The others go out
// in its envelope and through its SendSoap.
var peerTypes = map[[2]string]any{
	{deviceService, "GetSystemDateAndTime"}: device.GetSystemDateAndTime{},
	{deviceService, "GetDeviceInformation"}: device.GetDeviceInformation{},
	{deviceService, "GetNetworkInterfaces"}: device.GetNetworkInterfaces{},
	{deviceService, "GetScopes"}:            device.GetScopes{},
	{deviceService, "GetServices"}:          device.GetServices{},
	{deviceService, "GetHostname"}:          device.GetHostname{},
	{mediaService, "GetProfiles"}:           media.GetProfiles{},
	{mediaService, "GetVideoSources"}:       media.GetVideoSources{},
	{mediaService, "GetOSDs"}:               media.GetOSDs{},
}

// askWithPeer puts the calls to a device and reads the answers, without making
// sense of them. NewDevice asks for GetCapabilities by itself: that counts only
// where we ask for it, too.
func askWithPeer(b *testing.B, d *cameratest.Device, calls []cameratest.Request) time.Duration {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	read := func(resp *http.Response, err error) {
		if err != nil {
			b.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
	}
	capabilities := slices.IndexFunc(calls, func(c cameratest.Request) bool { return c.Operation == "GetCapabilities" })
	start := time.Now()
	peer, err := onvif.NewDevice(onvif.DeviceParams{Xaddr: d.Address().String(), HttpClient: client})
	if err != nil {
		b.Fatal(err)
	}
	if capabilities < 0 {
		start = time.Now()
	}
	for i, c := range calls {
		if i == capabilities {
			continue
		}
		if request, ok := peerTypes[[2]string{c.Namespace, c.Operation}]; ok {
			read(peer.CallMethod(request))
			continue
		}
		element := etree.NewElement("q:" + c.Operation)
		element.CreateAttr("xmlns:q", c.Namespace)
		soap := gosoap.NewEmptySOAP()
		soap.AddBodyContent(element)
		soap.AddRootNamespaces(onvif.Xlmns)
		read(networking.SendSoap(client, "http://"+d.Address().String()+c.Path, soap.String()))
	}
	return time.Since(start)
}

// BenchmarkScan is the whole of `scan` in this process, with the devices of
// another on the loopback interface: `make bench` takes a profile of it when a
// figure of the scan is missed.
func BenchmarkScan(b *testing.B) {
	for b.Loop() {
		if code := run(b.Context(), console{os.Stdin, io.Discard, io.Discard}, []string{"scan", "-json", "-interface", "lo", "-data", b.TempDir()}); code != 0 {
			b.Fatalf("scan ended with %d", code)
		}
	}
}
