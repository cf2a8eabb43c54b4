// Package berth is for writing Berth nodes in Go.
//
// A node is a function from a struct of inputs to its outputs, and [Node] adds it to the plugin.
// Tensors, model files and functions of other plugins are handles to what the host holds, so a
// node that works on gigabytes needs a few megabytes of its own.
package berth

import (
	"berth/internal/bridge"
	values "wit_component/berth_node_values"
)

func init() {
	bridge.Raw = func(object any) *values.Object { return object.(*Object).raw }
	bridge.Object = func(raw *values.Object) any { return &Object{raw} }
	bridge.Error = fromHostError
}
