// Package wit_types has the few types that the generated bindings speak in:
// what WIT calls option, result, tuple and the empty result.
package wit_types

// The two cases of an [Option].
const (
	OptionNone uint8 = iota
	OptionSome
)

// Option is a value that may be absent. The zero Option is none.
type Option[T any] struct {
	some  bool
	value T
}

// Some is an option with a value in it.
func Some[T any](value T) Option[T] { return Option[T]{some: true, value: value} }

// None is an option without a value.
func None[T any]() Option[T] { return Option[T]{} }

// Tag says which case it is.
func (o Option[T]) Tag() uint8 {
	if o.some {
		return OptionSome
	}
	return OptionNone
}

// Some is the value. It panics when there is none.
func (o Option[T]) Some() T {
	if !o.some {
		panic("an option that is none was asked for its value")
	}
	return o.value
}

// Get is the value, and whether there is one.
func (o Option[T]) Get() (T, bool) { return o.value, o.some }

// The two cases of a [Result].
const (
	ResultOk uint8 = iota
	ResultErr
)

// Result is either what a call gives or why it failed.
type Result[T, E any] struct {
	failed bool
	value  T
	err    E
}

// Ok is a result of a call that succeeded.
func Ok[T, E any](value T) Result[T, E] { return Result[T, E]{value: value} }

// Err is a result of a call that failed.
func Err[T, E any](err E) Result[T, E] { return Result[T, E]{failed: true, err: err} }

// Tag says which case it is.
func (r Result[T, E]) Tag() uint8 {
	if r.failed {
		return ResultErr
	}
	return ResultOk
}

// Ok is the value. It panics when the call failed.
func (r Result[T, E]) Ok() T {
	if r.failed {
		panic("a result that is an error was asked for its value")
	}
	return r.value
}

// Err is the error. It panics when the call succeeded.
func (r Result[T, E]) Err() E {
	if !r.failed {
		panic("a result that is a value was asked for its error")
	}
	return r.err
}

// Unit is the value of a result that has none.
type Unit struct{}

// Tuple2 is a pair.
type Tuple2[A, B any] struct {
	F0 A
	F1 B
}
