package berth

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	nodes "wit_component/berth_node_nodes"
	types "wit_component/berth_node_types"
	values "wit_component/berth_node_values"
	exports "wit_component/export_berth_node_nodes"
)

func init() {
	exports.Describe = func() []nodes.NodeType {
		list := make([]nodes.NodeType, len(plugin))
		for i, n := range plugin {
			list[i] = n.describe
		}
		return list
	}
	exports.Run = func(name string, inputs exports.Named) witTypes.Result[[]values.Value, types.Error] {
		return guard(func() ([]values.Value, error) {
			n, err := find(name)
			if err != nil {
				return nil, err
			}
			outputs, err := n.run(fieldsFromHost(inputs))
			if err != nil {
				return nil, err
			}
			raw := make([]values.Value, len(outputs))
			for i, output := range outputs {
				if raw[i], err = toHost(output); err != nil {
					return nil, fmt.Errorf("%s: output `%s`: %w", name, n.describe.Outputs[i].Name, err)
				}
			}
			return raw, nil
		})
	}
	exports.Call = func(name string, captures, arguments exports.Named) witTypes.Result[exports.Named, types.Error] {
		return guard(func() (exports.Named, error) {
			body, there := funcs[name]
			if !there {
				return nil, Invalid("this plugin has no function `%s`", name)
			}
			results, err := body(fieldsFromHost(captures), fieldsFromHost(arguments))
			if err != nil {
				return nil, err
			}
			return results.toHost()
		})
	}
	exports.Needs = func(name string, inputs exports.Named) witTypes.Result[[]string, types.Error] {
		return guard(func() ([]string, error) {
			in, err := partial(name, inputs)
			if lazy, ok := in.(Lazy); ok && err == nil {
				return lazy.Needs()
			}
			return nil, err
		})
	}
	exports.Fingerprint = func(name string, inputs exports.Named) witTypes.Result[string, types.Error] {
		return guard(func() (string, error) {
			in, err := partial(name, inputs)
			if f, ok := in.(Fingerprinter); ok && err == nil {
				return f.Fingerprint()
			}
			return "", err
		})
	}
	exports.Validate = func(name string, inputs exports.Named) witTypes.Result[witTypes.Option[string], types.Error] {
		return guard(func() (witTypes.Option[string], error) {
			in, err := partial(name, inputs)
			if v, ok := in.(Validator); ok && err == nil {
				if wrong := v.Validate(); wrong != nil {
					return witTypes.Some(wrong.Error()), nil
				}
			}
			return witTypes.None[string](), err
		})
	}
}

func find(name string) (*node, error) {
	for _, n := range plugin {
		if n.describe.Name == name {
			return n, nil
		}
	}
	return nil, Invalid("this plugin has no node `%s`", name)
}

func partial(name string, inputs exports.Named) (any, error) {
	n, err := find(name)
	if err != nil {
		return nil, err
	}
	return n.partial(fieldsFromHost(inputs))
}

// guard makes the contract's result of a Go function's, and an error of a panic. A panic of code
// that stumbled over a failed tensor is that tensor's error.
func guard[T any](body func() (T, error)) (result witTypes.Result[T, types.Error]) {
	firstFailure = nil
	defer func() {
		switch reason := recover().(type) {
		case nil:
		case *Error:
			result = witTypes.Err[T](toHostError(reason))
		default:
			text := fmt.Sprintf("panic: %v%s", reason, place())
			Log(Debug, "%s", text)
			if firstFailure != nil {
				result = witTypes.Err[T](toHostError(firstFailure))
				return
			}
			result = witTypes.Err[T](types.MakeErrorOther(text))
		}
	}()
	value, err := body()
	if err != nil {
		return witTypes.Err[T](toHostError(err))
	}
	return witTypes.Ok[T, types.Error](value)
}

// refuse ends the plugin at its start, where nobody can be given an error: it says what is wrong with
// a declaration, and its line.
func refuse(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s%s\n", fmt.Sprintf(format, args...), place())
	os.Exit(1)
}

// place is the line of the author's code that panicked, if it is found.
func place() string {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)])
	for {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, "main.") && !strings.Contains(frame.Function, "main.wasm_export") {
			return fmt.Sprintf(" (at %s:%d)", frame.File, frame.Line)
		}
		if !more {
			return ""
		}
	}
}
