// Package bridge lends the package memory what the package berth keeps to itself.
package bridge

import (
	types "wit_component/berth_node_types"
	values "wit_component/berth_node_values"
)

// Filled in by the package berth: the handle of an object, an object of a handle, and Go's error of
// the contract's.
var (
	Raw    func(object any) *values.Object
	Object func(raw *values.Object) any
	Error  func(err types.Error) error
)
