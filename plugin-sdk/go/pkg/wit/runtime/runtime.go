// Package runtime is what the generated bindings need of memory and handles:
// where arguments lie while the host reads them, where the host puts its results, and
// which handles are still owned.
//
// The names are those that the generated code calls. Nothing here is for node authors.
package runtime

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"unsafe"
)

// The adapter to WASI asks for its own state before Go's runtime runs, when nothing can be
// allocated. It gets this room, which is never given back.
var (
	early     [160 << 10]byte
	earlyUsed uintptr
	started   bool
)

// What the host has put results into since the bindings last took them over. It keeps the blocks
// alive until Go values point at them.
var incoming []unsafe.Pointer

// The host waits for memory, and nothing of it may be called.
var reallocating bool

// Bytes beyond the next collection's at which Go collects by itself, wherever it is: for code that
// allocates much and does not call the host.
const ownAccord = 256 << 20

// Bytes that the heap grows by between two collections, at most.
const growth = 128 << 20

// Bytes of Go's heap that are allocated between two collections, at least.
const collectAfter = 4 << 20

// Calls of the host between two looks at Go's heap.
const lookEvery = 64

// A collection asks for the time, which is a call of the host, and the host cannot be called while
// it waits for memory. So Go collects where the bindings are about to call the host, and never
// inside of realloc.
func init() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(collectAfter + ownAccord)
	started = true
}

var (
	calls     int
	received  uint64 // Bytes that the host put into Go's heap since the last look.
	collectAt uint64 = collectAfter
	heap             = []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
)

// look collects when Go's heap has doubled since the last time, or has grown much.
func look() {
	if calls++; calls < lookEvery && received < collectAfter {
		return
	}
	calls, received = 0, 0
	metrics.Read(heap)
	if heap[0].Value.Uint64() < collectAt {
		return
	}
	Collect()
	metrics.Read(heap)
	live := heap[0].Value.Uint64()
	collectAt = live + min(max(live, collectAfter), growth)
	debug.SetMemoryLimit(int64(collectAt + ownAccord))
}

// Collect frees what is not used, and drops the handles in it.
func Collect() {
	runtime.GC()
	// The cleanups that drop handles run while nothing else does.
	for range 4 {
		runtime.Gosched()
	}
}

// Allocate gives zeroed memory that stays where it is until the pinner unpins it.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	forget()
	look()
	block := allocate(size, align)
	if block != nil {
		pinner.Pin(block)
	}
	return block
}

// Unpin says that the arguments of an export have become Go values.
func Unpin() { forget() }

func forget() {
	clear(incoming)
	incoming = incoming[:0]
}

// allocate gives memory of an alignment of at most 8 bytes, or nil for no bytes.
func allocate(size, align uintptr) unsafe.Pointer {
	switch {
	case size == 0:
		return nil
	case align == 1:
		return unsafe.Pointer(unsafe.SliceData(make([]byte, size)))
	default:
		return unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
	}
}

// Stops and resumes the adapter's clock. Go's collector asks for the time, which would call
// the host while the host waits; the adapter answers by itself with the time of the last call.
//
//go:wasmimport wasi_snapshot_preview1 adapter_monotonic_clock_set_paused
func pauseClock(paused bool)

// realloc gives the host room for a result. Blocks never grow here.
//
//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	if old != nil || oldSize != 0 {
		panic("the host asked for a block to grow")
	}
	if !started {
		base := uintptr(unsafe.Pointer(&early))
		start := (base + earlyUsed + align - 1) &^ (align - 1)
		earlyUsed = start - base + size
		return unsafe.Pointer(start)
	}
	pauseClock(true)
	reallocating = true
	block := allocate(size, align)
	incoming = append(incoming, block)
	received += uint64(size)
	reallocating = false
	pauseClock(false)
	return block
}

// Handle is an index into the host's table, or 0 once it was given away or dropped.
type Handle struct{ index int32 }

// MakeHandle takes over an index that the host gave.
func MakeHandle(index int32) *Handle {
	if index == 0 {
		panic("the host gave a handle of zero")
	}
	return &Handle{index}
}

// Use is the index, which stays owned.
func (h *Handle) Use() int32 {
	if h.index == 0 {
		panic("a handle was used after it was closed")
	}
	return h.index
}

// Take is the index, which is no longer owned.
func (h *Handle) Take() int32 {
	index := h.Use()
	h.index = 0
	return index
}

// Set puts an index into an empty handle.
func (h *Handle) Set(index int32) {
	if index == 0 || h.index != 0 {
		panic("a handle was set twice, or to zero")
	}
	h.index = index
}

// TakeOrNil is the index, which is no longer owned, or 0 when there is nothing to drop. While the
// host waits for memory nothing can be dropped: what is collected then stays until the run ends.
func (h *Handle) TakeOrNil() int32 {
	if reallocating {
		return 0
	}
	index := h.index
	h.index = 0
	return index
}
