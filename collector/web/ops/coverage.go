package ops

import (
	"cmp"
	"context"
	"html/template"
	"math"
	"net/url"
	"slices"

	"anagrafe/collector/registry"
	"anagrafe/collector/web/choropleth"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// Coverage is the funnel on a map: the districts, coloured by one count of each. The
// table of the funnel is the list beside it: it has all that the map can show, and a
// line also for a district from which nobody was invited yet.

// measure is what the map can show. A district of which it is not ok has none.
type measure struct {
	key    string
	of     func(groupNumbers) (value float64, ok bool)
	filter [2]string // of the list behind it, of a district; "": all of its sites
}

func count(step string) func(groupNumbers) (float64, bool) {
	return func(g groupNumbers) (float64, bool) { return float64(g.Sites[step]), true }
}

var measures = []measure{
	{"sharing", count("sharing"), [2]string{"state", "sharing"}},
	{"cameras", func(g groupNumbers) (float64, bool) { return float64(g.Cameras), true }, [2]string{"state", "sharing"}},
	{"density", density, [2]string{"state", "sharing"}},
	{"share", func(g groupNumbers) (float64, bool) { // sites that nobody invited share, too
		invited := g.Sites["invited"]
		return math.Round(100 * min(1, float64(g.Sites["sharing"])/float64(max(invited, 1)))), invited > 0
	}, [2]string{"stage", "invited"}},
	{"silent", count("silent"), [2]string{"silent", "yes"}},
	{"empty", func(g groupNumbers) (float64, bool) { return float64(g.Addresses), g.Sites["sharing"] == 0 }, [2]string{}},
}

// density is in cameras a square kilometre, to the tenth that is written.
func density(g groupNumbers) (float64, bool) {
	if g.KM2 == 0 {
		return 0, false
	}
	return math.Round(float64(g.Cameras)/g.KM2*10) / 10, true
}

// cover adds to counted groups what is known of their cameras and districts, and the
// districts that have no site.
func (o *Ops) cover(ctx context.Context, d *funnelData) error {
	shared, at, err := o.shared.get(ctx, o, o.Registry.SharedCounts)
	if err != nil {
		return err
	}
	d.At = protocol.Earlier(d.At, at)
	cameras := make(map[string]int)
	for _, s := range shared {
		cameras[map[registry.Grouping]string{registry.GroupMunicipio: s.Municipio, registry.GroupNIL: s.NIL, registry.GroupCategory: string(s.Category)}[registry.Grouping(d.By)]] += s.Cameras
		d.All.Cameras += s.Cameras
	}
	if m := o.Map(d.By); m != nil {
		for _, f := range m.Districts {
			i := slices.IndexFunc(d.Groups, func(g groupNumbers) bool { return g.Group == f.Name })
			if i < 0 {
				i, d.Groups = len(d.Groups), append(d.Groups, groupNumbers{Group: f.Name, Sites: map[string]int{}})
			}
			d.Groups[i].KM2, d.Groups[i].Addresses = f.KM2, f.Addresses
		}
		slices.SortFunc(d.Groups, func(a, b groupNumbers) int { return cmp.Compare(a.Group, b.Group) })
	}
	for i, g := range d.Groups {
		d.Groups[i].Cameras = cameras[g.Group]
	}
	return nil
}

// factView is what the table says of a group besides its sites.
type factView struct{ Label, Text string }

// facts are those of a group, whole numbers written by number: of a district without
// borders there is no area.
func facts(w *pages.Words, by string, g groupNumbers, number func(int) string) []factView {
	all := []factView{{w.T("funnel.cameras"), number(g.Cameras)}}
	if by == string(registry.GroupCategory) {
		return all
	}
	perKM2, addresses := "", ""
	if value, ok := density(g); ok {
		perKM2, addresses = w.Decimal(value), number(g.Addresses)
	}
	return append(all, factView{w.T("funnel.density"), perKM2}, factView{w.T("funnel.addresses"), addresses})
}

// coverage draws the map; "" where there are no borders of what is asked for.
func (o *Ops) coverage(w *pages.Words, d funnelData) (template.HTML, error) {
	m := o.Map(d.By)
	if m == nil {
		return "", nil
	}
	numbers := make(map[string]groupNumbers)
	for _, g := range d.Groups {
		numbers[g.Group] = g
	}
	shown := measures[slices.IndexFunc(measures, func(m measure) bool { return m.key == d.Count })]
	write := func(value float64) string {
		if shown.key == "density" && value > 0 {
			return w.Decimal(value)
		}
		return w.Number(int(value))
	}
	unit := w.T("funnel.count." + shown.key)
	off := ""
	if w.Has("funnel.off." + shown.key) {
		off = w.T("funnel.off." + shown.key)
	}
	return m.Draw(choropleth.Paint{
		ID: "map", Label: w.T("funnel.map.label", "what", unit), Skip: w.T("funnel.map.skip"), Unit: unit, Off: off,
		Of: func(f choropleth.Fact) choropleth.Mark {
			value, ok := shown.of(numbers[f.Name])
			mark := choropleth.Mark{Value: value, Off: !ok, Href: listOf(d.By, f.Name, shown.filter)}
			said := off
			if ok {
				mark.Text = write(value)
				said = mark.Text
			}
			mark.Title = w.T("funnel.map.district", "district", f.Name, "what", unit, "n", said)
			return mark
		},
		Range: func(least, greatest float64) string {
			if least == greatest {
				return write(least)
			}
			return write(least) + "–" + write(greatest)
		},
	})
}

// listOf is the list of a district's sites.
func listOf(by, district string, filter [2]string) string {
	q := url.Values{by: {district}}
	if filter[0] != "" {
		q.Set(filter[0], filter[1])
	}
	return "/sites?" + q.Encode()
}

// empty are the districts with house numbers in which nobody shares, those with most
// first: where the next letters may go.
func empty(d funnelData) (all []numberView) {
	for _, g := range d.Groups {
		if g.Addresses > 0 && g.Sites["sharing"] == 0 {
			all = append(all, numberView{Label: g.Group, N: g.Addresses, Href: listOf(d.By, g.Group, [2]string{})})
		}
	}
	slices.SortStableFunc(all, func(a, b numberView) int { return cmp.Compare(b.N, a.N) })
	return all
}
