package csvfile

import (
	"fmt"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"semicolons":         {"a;b\n1;2,5\n", "utf-8 ; [a b] 2:[1 2,5]"},
		"commas":             {"a,b\n1,\"x, y\"\n", "utf-8 , [a b] 2:[1 x, y]"},
		"tabs":               {"a\tb\n1\t2\n", "utf-8 \t [a b] 2:[1 2]"},
		"Excel's first line": {"sep=,\na,b\n1,2\n", "utf-8 , [a b] 3:[1 2]"},
		"Windows-1252":       {"citt\xe0;b\n1;2\n", "windows-1252 ; [città b] 2:[1 2]"},
		"byte order mark":    {"\ufeffa;b\r\n\r\n1;2\r\n", "utf-8 ; [a b] 3:[1 2]"},
		"several lines":      {"a;b\n\"1\n2\";3\n4\n", "utf-8 ; [a b] 2:[1\n2 3] 4:[4]"},
		"empty":              {" \n", "0 empty 0"},
		"head alone":         {"a;b\n", "0 empty 0"},
		"no text":            {"a;\x00\n1;2\n", "0 encoding 0"},
		"quotes":             {"a;b\n1;2\n\"3;4\n", "3 quotes 0"},
		"too many lines":     {"a;b\n" + strings.Repeat("1;2\n", 4), "0 lines 3"},
		"too many columns":   {"a;b\n" + strings.Repeat("1;", 300) + "\n", "2 columns 200"},
	} {
		got := ""
		if table, bad := Read([]byte(c.file), 3); bad != nil {
			got = fmt.Sprint(bad.Line, " ", bad.Key, " ", bad.Most)
		} else {
			got = fmt.Sprint(table.Encoding, " ", table.Separator, " ", table.Header)
			for _, r := range table.Rows {
				got += fmt.Sprintf(" %d:%v", r.Line, r.Fields)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for typed, want := range map[string]float64{"9.19": 9.19, "9,19": 9.19, " -3 ": -3, "45°": 45, "+0,5": 0.5} {
		if got, ok := Number(typed); !ok || got != want {
			t.Errorf("%q: %v, %v", typed, got, ok)
		}
	}
	for _, typed := range []string{"", "1e3", "1.000,5", "NaN", "0x10", "1 2"} {
		if got, ok := Number(typed); ok {
			t.Errorf("%q is taken for %v", typed, got)
		}
	}
	if got := ColumnName(" Larghezza (px) "); got != "larghezza_px" {
		t.Error(got)
	}
}
