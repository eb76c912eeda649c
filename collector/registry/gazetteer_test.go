package registry

import (
	"strings"
	"testing"
	"time"
)

func TestGazetteer(t *testing.T) {
	r := openNew(t)
	civici := GazetteerSource{Name: "civici", Kind: "addresses", Entries: 2, ImportedAt: noon, Body: []byte("one")}
	nils := GazetteerSource{Name: "nil", Kind: "districts", Entries: 88, ImportedAt: noon, Body: []byte{0, 255}}
	put := func(all ...GazetteerSource) {
		t.Helper()
		if err := r.PutGazetteer(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	holds := func(want ...GazetteerSource) {
		t.Helper()
		got, err := r.Gazetteer(t.Context())
		list, err2 := r.GazetteerSources(t.Context())
		if err != nil || err2 != nil || len(got) != len(want) || len(list) != len(want) {
			t.Fatal(got, err, list, err2)
		}
		for i, w := range want {
			if g := got[i]; g.Name != w.Name || g.Kind != w.Kind || g.Entries != w.Entries || !g.ImportedAt.Equal(w.ImportedAt) || string(g.Body) != string(w.Body) {
				t.Errorf("%+v, want %+v", g, w)
			}
			if l := list[i]; l.Name != w.Name || !l.ImportedAt.Equal(w.ImportedAt) || l.Body != nil {
				t.Errorf("listed: %+v", l)
			}
		}
	}
	holds()
	put(nils, civici)
	holds(civici, nils)
	civici.Entries, civici.Body, civici.ImportedAt = 3, []byte("another"), noon.Add(time.Hour)
	put(civici)
	holds(civici, nils)

	// All or none.
	wrong := nils
	wrong.Kind = "streets"
	if err := r.PutGazetteer(t.Context(), []GazetteerSource{{Name: "more", Kind: "addresses", Body: []byte{}}, wrong}); err == nil {
		t.Error("a kind that is none was kept")
	}
	if err := r.PutGazetteer(t.Context(), []GazetteerSource{{Name: "big", Kind: "addresses", Body: make([]byte, maxGazetteerBody+1)}}); err == nil || !strings.Contains(err.Error(), "in parts") {
		t.Errorf("too big for a backup: %v", err)
	}
	holds(civici, nils)

	for _, want := range []bool{true, false} {
		if there, err := r.DropGazetteer(t.Context(), "nil"); err != nil || there != want {
			t.Error(there, err)
		}
	}
	holds(civici)
}
