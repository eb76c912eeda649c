//go:build bench

package search

import (
	"time"
	"unsafe"

	"anagrafe/collector/registry"
)

// Fill puts a site into an index without its register, for benchmarks of searches
// alone.
func (x *Index) Fill(f registry.Facts) { x.put(pack(&x.values, thin(f), time.Time{})) }

// Bytes is how much of the index one record of a camera is, the size of its packed
// facts.
const Bytes = int(unsafe.Sizeof(placement{}))
