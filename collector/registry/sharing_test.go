package registry

import (
	"fmt"
	"testing"
	"time"

	"anagrafe/protocol"
)

func TestSharedCounts(t *testing.T) {
	r := openNew(t)
	r.UseLocator(halves("M"))
	share := func(lon int32, category protocol.Category, cameras int) *sender {
		s := enrol(t, r, noon)
		d := declaration()
		d.Site.Category = category
		for i := range cameras {
			d.Cameras = append(d.Cameras, hung(lon, camera(i+1, fmt.Sprint(i))))
		}
		s.say(noon, d)
		return s
	}
	share(9_190_000, "bank", 2)
	share(9_190_000, "bank", 1)
	share(9_210_000, "shop", 1)
	share(9_190_000, "shop", 0)
	enrol(t, r, noon)
	if err := r.Act(t.Context(), share(9_210_000, "shop", 5).site, protocol.SiteSuspended, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	share(9_210_000, "shop", 5).say(noon.Add(time.Hour), withdrawal())
	got, err := r.SharedCounts(t.Context())
	if want := fmt.Sprint([]Shared{{"M east", "LORETO", "shop", 1, 1}, {"M west", "DUOMO", "bank", 2, 3}}); err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v %v, want %s", got, err, want)
	}
}
