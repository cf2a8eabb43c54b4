// Package export_berth_node_nodes is what the generated exports call. The package berth fills it
// in, so that a plugin's own package can be the program's main one.
package export_berth_node_nodes

import (
	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/berth_node_nodes"
	"wit_component/berth_node_types"
	"wit_component/berth_node_values"
)

// Named is a node's inputs, or a function's captures, arguments or results.
type Named = []berth_node_values.NamedValue

// The functions of the contract's interface `nodes`.
var (
	Describe    func() []berth_node_nodes.NodeType
	Run         func(node string, inputs Named) witTypes.Result[[]berth_node_values.Value, berth_node_types.Error]
	Call        func(function string, captures, arguments Named) witTypes.Result[Named, berth_node_types.Error]
	Needs       func(node string, inputs Named) witTypes.Result[[]string, berth_node_types.Error]
	Fingerprint func(node string, inputs Named) witTypes.Result[string, berth_node_types.Error]
	Validate    func(node string, inputs Named) witTypes.Result[witTypes.Option[string], berth_node_types.Error]
)
