package berth

import (
	"runtime"

	host "go.bytecodealliance.org/pkg/wit/runtime"
	tensors "wit_component/berth_node_tensors"
)

// Bytes of tensors that are made between two collections, at least.
const collectAfter = 128 << 20

// Handles that are made between two collections, at most.
const collectHandles = 2048

// What was made since the last collection.
var madeBytes, madeHandles uint64

// account notes a tensor that the host made. Go's collector sees only a few bytes of each, so it
// is asked to look for unused ones when they have become many or large.
func account(raw *tensors.Tensor) {
	bytes := uint64(DType(raw.Dtype()).Size())
	for _, dim := range raw.Shape() {
		bytes *= uint64(dim)
	}
	madeBytes += bytes
	counted()
	runtime.KeepAlive(raw)
}

// counted notes one more handle.
func counted() {
	madeHandles++
	if madeBytes < collectAfter && madeHandles < collectHandles {
		return
	}
	madeBytes, madeHandles = 0, 0
	host.Collect()
}
