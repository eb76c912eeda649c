package protocol

import (
	"slices"
	"strings"
	"testing"
)

func TestMakerOf(t *testing.T) {
	for vendor, want := range map[string]Maker{
		"": MakerUnknown, " - ": MakerUnknown, "HIKVISION": "hikvision", "Hikvision Digital Technology": "hikvision", "Dahua Technology": "dahua",
		"AXIS": "axis", "UNV": "uniview", "Ubiquiti Inc.": "unifi", "Samsung Techwin": "hanwha", "TP-Link": "tp-link", "TVT": "tvt", "TVTimes": MakerOther,
		"Registratore di Mario": MakerOther, "Network Optix": "nx", "NX": "nx", "Provision-ISR": "provision-isr",
	} {
		if got := MakerOf(vendor); got != want {
			t.Errorf("%q is of %s, not %s", vendor, got, want)
		}
	}
}

func TestFirmwareFamily(t *testing.T) {
	for firmware, want := range map[string]string{
		"": "", "V4.30.085 build 200916": "4.30", "9.80.3.1": "9.80", "0.14.1-f4f3cfa": "0.14", "4.001.0000000.1": "4.001", "newest": "", "v12": "",
		"DS-7608NI0123456789": "", "20230131.1": "0131.1",
	} {
		if got := FirmwareFamily(firmware); got != want {
			t.Errorf("%q is of the family %q, not %q", firmware, got, want)
		}
	}
}

// FuzzTold: whatever a device calls itself, what leaves is of the closed lists.
func FuzzTold(f *testing.F) {
	f.Add("HIKVISION", "V4.30.085 build 200916")
	f.Add("\xff", "1.2.3.4.5")
	f.Fuzz(func(t *testing.T, vendor, firmware string) {
		if m := MakerOf(vendor); !slices.Contains(Makers, m) {
			t.Errorf("%q is of the unknown maker %q", vendor, m)
		}
		family := FirmwareFamily(firmware)
		if len(family) > 9 || !strings.Contains(firmware, family) || FirmwareFamily(family) != family {
			t.Errorf("%q is of the family %q", firmware, family)
		}
	})
}
