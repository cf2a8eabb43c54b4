package berth

import (
	"fmt"
	"reflect"
	"slices"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	nodes "wit_component/berth_node_nodes"
)

// About is what people read of a node, and how a client shows it.
type About struct {
	DisplayName  string   // What people read; the node's name where it is empty.
	Category     string   // Folders in a menu, separated by `/`.
	Description  string   // What it does, in a sentence or more.
	Aliases      []string // Other words that a search should find it by.
	OutputNode   bool     // It runs for its effect: a workflow is run for its output nodes.
	Deprecated   bool     // It is kept for old workflows only.
	Experimental bool     // It may still change.
}

// Validator is what a struct of inputs implements to check the constant inputs before anything
// runs. The error's text says what is wrong with them. Inputs that are not constant are zero.
type Validator interface{ Validate() error }

// Fingerprinter is what a struct of inputs implements to run again though its inputs are the same:
// when the text changes, or with an error each time. Inputs that are not constant are zero.
type Fingerprinter interface{ Fingerprint() (string, error) }

// Lazy is what a struct of inputs implements to say which inputs with `lazy:"true"` it still needs,
// by their names in the workflow. Inputs that are not there yet are zero, or nil.
type Lazy interface{ Needs() ([]string, error) }

// node is an entry of the plugin's table.
type node struct {
	describe nodes.NodeType
	run      func(inputs Fields) ([]any, error)
	// The inputs that were given, in the author's struct.
	partial func(inputs Fields) (any, error)
}

var (
	plugin []*node
	funcs  = map[string]func(captures, arguments Fields) (Fields, error){}
)

// Node adds a node to the plugin, of the class name that workflows use. Call it in the value of a
// package's variable or in an init function.
//
// In is a struct: each field is an input, called image_size where the field is ImageSize. Fields
// are bool, Go's integers and floats, string, wires such as [Image], *[Tensor], and the hidden
// [UniqueID], [Prompt] and [ExtraPNGInfo]. A pointer to one of these (but *Tensor) is an input
// that may be left out: then it is nil. Tags say the rest:
//
//	name:"…" tooltip:"…" default:"…" min:"…" max:"…" step:"…" seed:"true" multiline:"true"
//	choices:"one|other" models:"checkpoints" images:"true" type:"IMAGE,MASK" lazy:"true"
//
// Out is one value of such a type, or a struct of them, one field for each output, with the tags
// name, tooltip, type and passes (the input that it passes on untouched), or struct{} for none.
func Node[In, Out any](name string, about About, run func(In) (Out, error)) struct{} {
	in, out := reflect.TypeFor[In](), reflect.TypeFor[Out]()
	inputs := ports(in, name, '_')
	n := &node{describe: nodes.NodeType{Name: name, DisplayName: about.DisplayName, Category: about.Category,
		Description: about.Description, OutputNode: about.OutputNode, Deprecated: about.Deprecated,
		Experimental: about.Experimental, SearchAliases: about.Aliases}}
	if about.DisplayName == "" {
		n.describe.DisplayName = name
	}
	for _, p := range inputs {
		field := in.Field(p.index)
		if p.hidden {
			n.describe.Hidden = append(n.describe.Hidden, hiddens[field.Type].hidden)
			continue
		}
		n.describe.Inputs = append(n.describe.Inputs, nodes.Input{Name: p.name, Port: portType(field, name),
			Optional: p.optional, Lazy: p.lazy, Tooltip: field.Tag.Get("tooltip")})
	}
	var zero In
	if _, ok := any(zero).(Lazy); ok {
		n.describe.Checks |= nodes.ChecksNeeds
	}
	if _, ok := any(zero).(Fingerprinter); ok {
		n.describe.Checks |= nodes.ChecksFingerprint
	}
	if _, ok := any(zero).(Validator); ok {
		n.describe.Checks |= nodes.ChecksValidate
	}
	outputs := n.describeOutputs(out, name)
	n.partial = func(given Fields) (any, error) {
		var target In
		err := fill(reflect.ValueOf(&target).Elem(), inputs, given, true)
		return any(target), err
	}
	n.run = func(given Fields) ([]any, error) {
		var target In
		if err := fill(reflect.ValueOf(&target).Elem(), inputs, given, false); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		result, err := run(target)
		if err != nil {
			return nil, err
		}
		if outputs == nil {
			return []any{result}, nil
		}
		values := make([]any, len(outputs))
		for i, p := range outputs {
			values[i] = reflect.ValueOf(result).Field(p.index).Interface()
		}
		return values, nil
	}
	if slices.ContainsFunc(plugin, func(other *node) bool { return other.describe.Name == name }) {
		refuse("two nodes are called %s", name)
	}
	plugin = append(plugin, n)
	return struct{}{}
}

// describeOutputs adds the outputs, and gives the fields of a struct of several.
func (n *node) describeOutputs(out reflect.Type, name string) []port {
	if wire := wireType(out, ""); wire != "" {
		n.describe.Outputs = []nodes.Output{{Name: wire, TypeName: wire}}
		return nil
	}
	list := ports(out, name, '_')
	for _, p := range list {
		field := out.Field(p.index)
		output := nodes.Output{Name: p.name, TypeName: wireType(field.Type, field.Tag), Tooltip: field.Tag.Get("tooltip")}
		if output.TypeName == "" {
			refuse("%s: the field %s cannot be an output", name, field.Name)
		}
		if _, named := field.Tag.Lookup("name"); !named {
			output.Name = output.TypeName
		}
		if input, ok := field.Tag.Lookup("passes"); ok {
			output.Passes = witTypes.Some(input)
		}
		n.describe.Outputs = append(n.describe.Outputs, output)
	}
	if list == nil {
		list = []port{}
	}
	return list
}

// fill puts named values into a struct's fields. Where it is partial, what is not given stays zero.
func fill(target reflect.Value, list []port, given Fields, partial bool) error {
	for _, p := range list {
		value, there := given[p.name]
		if !there {
			if partial || p.optional || p.hidden {
				continue
			}
			return Invalid("`%s` is missing", p.name)
		}
		if err := decode(target.Field(p.index), value); err != nil {
			return fmt.Errorf("`%s`: %w", p.name, err)
		}
		if text, ok := value.(string); ok && p.choices != nil && !slices.Contains(p.choices, text) {
			return Invalid("`%s`: `%s` is not one of %v", p.name, text, p.choices)
		}
		if object, ok := value.(*Object); ok && p.typeName != "" && p.typeName != object.TypeName() {
			return fmt.Errorf("`%s`: %w", p.name, mismatch("a "+p.typeName, value))
		}
	}
	return nil
}

// FuncOf makes values of one of the plugin's functions.
type FuncOf[Captures any] struct{ name string }

// Func adds a function to the plugin, of which [FuncOf.With] makes values that any node of any
// plugin can call. Captures, Arguments and Results are structs as those of a [Node], without the
// widgets' tags; a field LatentScale is called latent-scale. Keep what it returns in a variable
// of the package.
func Func[Captures, Arguments, Results any](name string, body func(Captures, Arguments) (Results, error)) FuncOf[Captures] {
	captured := ports(reflect.TypeFor[Captures](), name, '-')
	taken := ports(reflect.TypeFor[Arguments](), name, '-')
	given := ports(reflect.TypeFor[Results](), name, '-')
	if _, twice := funcs[name]; twice {
		refuse("two functions are called %s", name)
	}
	funcs[name] = func(captures, arguments Fields) (Fields, error) {
		var c Captures
		var a Arguments
		if err := fill(reflect.ValueOf(&c).Elem(), captured, captures, false); err != nil {
			return nil, fmt.Errorf("%s: captured %w", name, err)
		}
		if err := fill(reflect.ValueOf(&a).Elem(), taken, arguments, false); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		results, err := body(c, a)
		if err != nil {
			return nil, err
		}
		return fieldsOf(reflect.ValueOf(results), given), nil
	}
	return FuncOf[Captures]{name}
}

// fieldsOf is a struct's fields as named values, without optional ones that are nil.
func fieldsOf(source reflect.Value, list []port) Fields {
	fields := make(Fields, len(list))
	for _, p := range list {
		field := source.Field(p.index)
		if field.Kind() == reflect.Pointer && field.IsNil() && p.optional {
			continue
		}
		fields[p.name] = field.Interface()
	}
	return fields
}
