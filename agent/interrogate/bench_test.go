package interrogate

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkReadProfiles reads the longest recorded answer, 16 profiles.
func BenchmarkReadProfiles(b *testing.B) {
	shared := os.Getenv("ANAGRAFE_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	body, err := os.ReadFile(filepath.Join(shared, "devices", "onvif", "Bosch_FLEXIDOME_panoramic_5100i_9.00.0210", "030-GetProfiles.http200.xml"))
	if err != nil {
		b.Skip("LEFT OUT: ", err)
	}
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, _, err := readAnswer[profiles]("GetProfiles", body); err != nil {
			b.Fatal(err)
		}
	}
}
