package gazetteer

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Limits of a file of districts.
const (
	maxDistricts = 2000
	maxCorners   = 500_000 // of all together; Milan's 97 have some 50,000
	maxName      = 200     // bytes
)

// ReadDistricts reads the polygons of a GeoJSON file of districts, and checks all
// of them. Names and numbers are found by what cities call them. Problem.Line is
// the number of a feature, from 1.
func ReadDistricts(file []byte) *Read {
	r := &Read{Format: "geojson"}
	if len(file) > MaxFile {
		r.wrong(0, "", fmt.Sprintf("the file is over %d MiB", MaxFile>>20), "simplify its borders")
		return r
	}
	var in geoJSON
	if err := json.Unmarshal(file, &in); err != nil || in.Type != "FeatureCollection" {
		r.wrong(0, "", "it is no GeoJSON FeatureCollection", "export the districts as GeoJSON, in degrees of WGS84")
		return r
	}
	if len(in.Features) == 0 || len(in.Features) > maxDistricts {
		r.wrong(0, "", fmt.Sprintf("it has %d features", len(in.Features)), fmt.Sprintf("1 to %d are taken", maxDistricts))
		return r
	}
	seen := make(map[[2]string]int)
	corners := 0
	for i, f := range in.Features {
		r.Lines++
		d, what, hint := readDistrict(f)
		if what != "" {
			r.wrong(i+1, "", what, hint)
			continue
		}
		for _, p := range d.Polygons {
			for _, ring := range p {
				corners += len(ring)
			}
		}
		key := [2]string{d.Kind, d.Code + d.Name}
		if other := seen[key]; other > 0 {
			r.wrong(i+1, "", fmt.Sprintf("feature %d is the same district", other), "make one MultiPolygon of them")
			continue
		}
		seen[key] = i + 1
		r.Districts = append(r.Districts, d)
	}
	if corners > maxCorners {
		r.wrong(0, "", fmt.Sprintf("the borders have %d corners", corners), fmt.Sprintf("simplify them to %d", maxCorners))
	}
	return r
}

// Properties by which a district is known, in lower case. That of the number says
// which kind it is.
var (
	numberKeys = []struct{ key, kind string }{{"municipio", kindMunicipio}, {"id_municipio", kindMunicipio}, {"id_nil", kindNIL},
		{"codice", kindDistrict}, {"code", kindDistrict}, {"id", kindDistrict}}
	nameKeys = []string{"nil", "name", "nome", "quartiere", "denominazione", "municipio"}
)

func readDistrict(f geoJSON) (d District, what, hint string) {
	said := make(map[string]string)
	for k, v := range f.Properties {
		switch v := v.(type) {
		case string:
			said[strings.ToLower(k)] = strings.Join(strings.Fields(v), " ")
		case float64:
			said[strings.ToLower(k)] = strconv.FormatFloat(v, 'f', -1, 64)
		}
	}
	d.Kind = kindDistrict
	for _, n := range numberKeys {
		if v := said[n.key]; v != "" {
			d.Kind, d.Code = n.kind, v
			break
		}
	}
	for _, k := range nameKeys {
		if v := said[k]; v != "" {
			d.Name = v
			break
		}
	}
	if d.Kind == kindMunicipio && d.Name == d.Code {
		d.Name = "Municipio " + d.Code
	}
	if d.Name == "" || len(d.Name) > maxName || len(d.Code) > maxName {
		return d, "it has no name, or too long a one", "give it a property name, nome, nil or municipio"
	}
	var err error
	if d.Polygons, err = f.Geometry.polygons(); err != nil || len(d.Polygons) == 0 {
		return d, "it has no Polygon or MultiPolygon in degrees of WGS84, longitude first", "export its border as one; each ring needs 4 corners and closes on its first"
	}
	return d, "", ""
}
