package gazetteer

import "testing"

// BenchmarkFind takes the time of a look-up as it is written, of one with a typing
// error, and of a text that nothing fits.
func BenchmarkFind(b *testing.B) {
	x := milan(b)
	for name, text := range map[string]string{"written": "Via Alessandro Manzoni 5", "error": "via Alessadro Manzni 5",
		"lost space": "via alessandromanzoni 5", "nothing": "qwertyuiop asdfghjkl zxcvbnmqwe 12 poiuytrewq"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				x.Find(text)
			}
		})
	}
}
