package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/text/message"
)

// rows are the cities of the manual's table.
var rows = []city{{500, 3_000, 20}, {2_000, 12_000, 100}, {10_000, 60_000, 500}, {20_000, 120_000, 1_000}, {20_000, 500_000, 1_000}}

// drawn are the files that the manual shows on a page, by name, made of the committed
// runs; texts are those of the manual as they are.
func drawn(texts map[string][]byte) (map[string][]byte, error) {
	measured, _, err := committed()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for lang, t := range tongues {
		if files["load."+lang+".svg"], err = measured.svg(t); err != nil {
			return nil, err
		}
		name := "operator." + lang + ".md"
		if files[name], err = measured.fillIn(string(texts[name]), t); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return files, nil
}

// fillIn puts the table, and the words for the picture, where the manual has them.
func (s sweep) fillIn(text string, t tongue) ([]byte, error) {
	before, rest, ok := strings.Cut(text, "\n"+t.header)
	head, rest, ok2 := strings.Cut(rest, "\n|---|---|---|\n")
	_, after, ok3 := strings.Cut(rest, "\n\n")
	if !ok || !ok2 || !ok3 {
		return nil, fmt.Errorf("there is no table that begins with %q", t.header)
	}
	c, most := learn(s), s.Points[len(s.Points)-1]
	p := message.NewPrinter(t.tag)
	text = before + "\n" + t.header + head + "\n|---|---|---|\n"
	for _, r := range rows {
		z, beyond := c.of(r, most), ""
		if !z.Measured {
			beyond = t.beyond
		}
		text += p.Sprintf(t.row, r.Agents, r.Cameras, r.Searches, beyond,
			z.Cores, z.Memory/(1<<30), z.Disk/(1<<30), z.Mbits, z.Advised.Cores, z.Advised.GiB)
	}
	text += "\n" + after
	before, rest, ok = strings.Cut(text, "\n![")
	_, after, ok2 = strings.Cut(rest, "](/manual/load.")
	if !ok || !ok2 {
		return nil, fmt.Errorf("there is no picture load.*")
	}
	return []byte(before + "\n![" + s.says(t) + "](/manual/load." + after), nil
}

// drawInto writes the files into the guides' folder, and the pictures for paper.
func drawInto(ctx context.Context, dir string) error {
	texts, err := textsOf(dir, "operator.%s.md")
	if err != nil {
		return err
	}
	files, err := drawn(texts)
	if err != nil {
		return err
	}
	for lang := range tongues {
		if files["load."+lang+".png"], err = onPaper(ctx, files["load."+lang+".svg"]); err != nil {
			return err
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// textsOf reads files of the manual in its languages.
func textsOf(dir string, names ...string) (map[string][]byte, error) {
	texts := map[string][]byte{}
	for lang := range tongues {
		for _, name := range names {
			name := fmt.Sprintf(name, lang)
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				return nil, err
			}
			texts[name] = text
		}
	}
	return texts, nil
}
