package choropleth

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strconv"
)

//go:embed picture.html
var pictureHTML string

var picture = template.Must(template.New("picture").Parse(pictureHTML))

// Mark is a district's count and what is said of it.
type Mark struct {
	Value float64 // as it is written: what is equal in writing is in one class
	Off   bool    // it has none: not published, or nothing to count
	Text  string  // what is written on it, where there is room: "131"
	Title string  // in words, for readers who do not see the picture: "Municipio 3: 131 siti"
	Href  string  // where it leads; "": nowhere
}

// Paint is how a map is coloured, and all that is said on the picture.
type Paint struct {
	ID    string // of the picture on its page
	Label string // what the picture is, for readers who do not see it
	Skip  string // "skip the map"
	Unit  string // what the numbers of the legend are
	Off   string // what the districts without a count have
	Of    func(Fact) Mark
	// Range writes the least and the greatest value of a class.
	Range func(least, greatest float64) string
}

// key is a line of the legend. Class is "0" to "4", or "off".
type key struct {
	Class, Words string
	Districts    int
	least, most  float64
}

type drawn struct{ Href, Title, Class, Path string }

type label struct {
	X, Y       int
	Name, Text string
}

// Draw writes the picture with its legend.
func (m *Map) Draw(p Paint) (template.HTML, error) {
	marks := make([]Mark, len(m.Districts))
	var values []float64
	for i, f := range m.Districts {
		if marks[i] = p.Of(f); !marks[i].Off {
			values = append(values, marks[i].Value)
		}
	}
	of := classOf(values)
	view := struct {
		ID, Label, Skip, Unit string
		Width, Height         int
		Keys                  []key
		Shapes                []drawn
		Labels                []label
	}{p.ID, p.Label, p.Skip, p.Unit, m.width, m.height, m.legend(p, marks, of), nil, nil}
	for i, mark := range marks {
		s := m.shapes[i]
		view.Shapes = append(view.Shapes, drawn{mark.Href, mark.Title, class(mark, of), s.path})
		l := label{X: s.x, Y: s.y, Text: mark.Text}
		if m.named {
			l.Name = m.Districts[i].Name
		}
		if l.Name+mark.Text != "" && s.fits(mark.Text, countSize) {
			view.Labels = append(view.Labels, l)
		}
	}
	var b bytes.Buffer
	if err := picture.Execute(&b, view); err != nil {
		return "", fmt.Errorf("draw the map of districts: %w", err)
	}
	return template.HTML(b.String()), nil
}

func class(m Mark, of map[float64]int) string {
	if m.Off {
		return "off"
	}
	return strconv.Itoa(of[m.Value])
}

// legend has the classes that some district is in, from nothing up.
func (m *Map) legend(p Paint, marks []Mark, of map[float64]int) (all []key) {
	for _, name := range []string{"0", "1", "2", "3", "4", "off"} {
		k := key{Class: name}
		for _, mark := range marks {
			if class(mark, of) != name {
				continue
			}
			if k.Districts++; k.Districts == 1 {
				k.least, k.most = mark.Value, mark.Value
			}
			k.least, k.most = min(k.least, mark.Value), max(k.most, mark.Value)
		}
		if k.Words = p.Off; name != "off" {
			k.Words = p.Range(k.least, k.most)
		}
		if k.Districts > 0 {
			all = append(all, k)
		}
	}
	return all
}
