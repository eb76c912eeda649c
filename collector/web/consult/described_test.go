package consult

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestEveryPropertyIsDescribed fills the types of all answers to the last field:
// the description names what comes out, and nothing else.
func TestEveryPropertyIsDescribed(t *testing.T) {
	d := newDescribed(t)
	for name, answer := range map[string]any{"Answer": jsonAnswer{}, "Revealed": jsonReveal{},
		"Reported": jsonUnanswered{}, "Requested": jsonRequest{}, "Requests": jsonRequests{}, "Request": jsonOneRequest{}, "Places": jsonPlaces{}, "Problem": jsonProblem{}} {
		full := reflect.New(reflect.TypeOf(answer)).Elem()
		fillIn(full)
		raw, err := json.Marshal(full.Interface())
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			t.Fatal(err)
		}
		d.compare(name, value, map[string]any{"$ref": "#/components/schemas/" + name})
	}
}

// fillIn gives every field a value that is not its zero.
func fillIn(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(noon))
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() || f.Anonymous { // JSON has no other
				fillIn(v.Field(i))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillIn(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillIn(v.Index(0))
	case reflect.Array:
		for i := range v.Len() {
			fillIn(v.Index(i))
		}
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Int64:
		v.SetInt(int64(time.Hour))
	case reflect.Int, reflect.Int32:
		v.SetInt(1)
	default:
		panic("a field of kind " + v.Kind().String())
	}
}

// compare descends value and schema side by side.
func (d described) compare(path string, value any, schema map[string]any) {
	d.t.Helper()
	if either, ok := schema["anyOf"].([]any); ok { // a value or null
		schema = either[0].(map[string]any)
	}
	if ref, ok := schema["$ref"].(string); ok {
		schema, _ = d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	switch value := value.(type) {
	case map[string]any:
		properties, _ := schema["properties"].(map[string]any)
		got, want := slices.Sorted(maps.Keys(value)), slices.Sorted(maps.Keys(properties))
		if !slices.Equal(got, want) {
			d.t.Errorf("%s answers %q, described are %q", path, got, want)
		}
		for key, inner := range value {
			if s, ok := properties[key].(map[string]any); ok {
				d.compare(path+"."+key, inner, s)
			}
		}
	case []any:
		items, ok := schema["items"].(map[string]any)
		if !ok || len(value) == 0 {
			d.t.Errorf("%s is a list of %d, which is not described", path, len(value))
			return
		}
		d.compare(path+"[]", value[0], items)
	}
}
