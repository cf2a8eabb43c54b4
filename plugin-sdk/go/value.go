package berth

import (
	"fmt"
	"math/bits"
	"reflect"

	types "wit_component/berth_node_types"
	values "wit_component/berth_node_values"
)

// Integer is an integer of up to 64 bits, signed or unsigned, as the contract carries it: in sign
// and magnitude. Fields of Go's own integer types are converted, and refused out of range.
type Integer struct {
	Negative  bool
	Magnitude uint64
}

func (i Integer) String() string {
	if i.Negative && i.Magnitude != 0 {
		return fmt.Sprintf("-%d", i.Magnitude)
	}
	return fmt.Sprint(i.Magnitude)
}

// Int64 is the integer, and whether it fits.
func (i Integer) Int64() (int64, bool) {
	if i.Negative {
		return -int64(i.Magnitude), i.Magnitude <= 1<<63
	}
	return int64(i.Magnitude), i.Magnitude < 1<<63
}

// Uint64 is the integer, and whether it fits.
func (i Integer) Uint64() (uint64, bool) { return i.Magnitude, !i.Negative || i.Magnitude == 0 }

func (i Integer) wide() types.WideInteger {
	return types.WideInteger{Negative: i.Negative, High: uint32(i.Magnitude >> 32), Low: uint32(i.Magnitude)}
}

func integerOf(n int64) Integer {
	if n < 0 {
		return Integer{true, -uint64(n)}
	}
	return Integer{false, uint64(n)}
}

// Wire is a Go type that travels on a wire of its own, such as [Image]. Implement it, and
// [FromWire] on the pointer, for a wire that other plugins are to know.
type Wire interface {
	// WireType is the wire's type, such as IMAGE.
	WireType() string
	// ToWire is what travels: a tensor, an object, a text and so on.
	ToWire() any
}

// FromWire is a type that what travels on a wire can be taken as.
type FromWire interface {
	// FromWire takes what came: bool, [Integer], float64, string, []byte, *[Tensor], *[ModelFile],
	// *[Function], *[Object] or *[List].
	FromWire(value any) error
}

// Any is whatever is on a wire of any type: bool, [Integer], float64, string, []byte, *[Tensor],
// *[ModelFile], *[Function], *[Object] or *[List]. An input or output of this type connects to all.
type Any struct{ Value any }

// WireType is *.
func (Any) WireType() string { return "*" }

// ToWire is the value.
func (a Any) ToWire() any { return a.Value }

// FromWire takes any value.
func (a *Any) FromWire(value any) error {
	a.Value = value
	return nil
}

// fromHost makes a Go value of the contract's.
func fromHost(v values.Value) any {
	defer counted()
	switch v.Tag() {
	case values.ValueBoolean:
		return v.Boolean()
	case values.ValueInteger:
		wide := v.Integer()
		return Integer{wide.Negative, uint64(wide.High)<<32 | uint64(wide.Low)}
	case values.ValueNumber:
		return v.Number()
	case values.ValueText:
		return v.Text()
	case values.ValueBytes:
		return v.Bytes()
	case values.ValueTensor:
		return &Tensor{raw: v.Tensor()}
	case values.ValueModel:
		return &ModelFile{v.Model()}
	case values.ValueFunction:
		return &Function{v.Function()}
	case values.ValueObject:
		return &Object{v.Object()}
	default:
		return &List{v.Items()}
	}
}

// toHost makes the contract's value of a Go value. Handles are shared, so that the Go value
// stays as good as it was.
func toHost(value any) (values.Value, error) {
	var none values.Value
	switch v := value.(type) {
	case nil:
		return none, Invalid("a value is missing")
	case bool:
		return values.MakeValueBoolean(v), nil
	case Integer:
		return values.MakeValueInteger(v.wide()), nil
	case string:
		return values.MakeValueText(v), nil
	case []byte:
		return values.MakeValueBytes(v), nil
	case *Tensor:
		if err := v.Err(); err != nil {
			return none, err
		}
		return values.MakeValueTensor(v.raw.Share()), nil
	case *ModelFile:
		if v != nil {
			return values.MakeValueModel(v.raw.Share()), nil
		}
	case *Function:
		if v != nil {
			return values.MakeValueFunction(v.raw.Share()), nil
		}
	case *Object:
		if v != nil {
			return values.MakeValueObject(v.raw.Share()), nil
		}
	case *List:
		if v != nil {
			return values.MakeValueItems(v.raw.Share()), nil
		}
	case Wire:
		if r := reflect.ValueOf(value); r.Kind() != reflect.Pointer || !r.IsNil() {
			return toHost(v.ToWire())
		}
	default:
		return otherToHost(reflect.ValueOf(value))
	}
	return none, Invalid("a value is missing")
}

func otherToHost(r reflect.Value) (values.Value, error) {
	var none values.Value
	switch {
	case r.CanInt():
		return values.MakeValueInteger(integerOf(r.Int()).wide()), nil
	case r.CanUint():
		return values.MakeValueInteger(Integer{false, r.Uint()}.wide()), nil
	case r.CanFloat():
		return values.MakeValueNumber(r.Float()), nil
	}
	switch r.Kind() {
	case reflect.Bool:
		return values.MakeValueBoolean(r.Bool()), nil
	case reflect.String:
		return values.MakeValueText(r.String()), nil
	case reflect.Pointer:
		if !r.IsNil() {
			return toHost(r.Elem().Interface())
		}
		return none, Invalid("a value is missing")
	case reflect.Slice:
		items := make([]any, r.Len())
		for i := range items {
			items[i] = r.Index(i).Interface()
		}
		list, err := NewList(items...)
		if err != nil {
			return none, err
		}
		return values.MakeValueItems(list.raw), nil
	}
	return none, Invalid("a value of Go's type %v cannot travel on a wire", r.Type())
}

// kindOf is what an error calls a value.
func kindOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "nothing"
	case bool:
		return "a boolean"
	case Integer:
		return "an integer"
	case float64:
		return "a number"
	case string:
		return "a text"
	case []byte:
		return "bytes"
	case *Tensor:
		return v.String()
	case *ModelFile:
		return "a model file"
	case *Function:
		return "a function"
	case *Object:
		return "a " + v.TypeName()
	default:
		return "a list"
	}
}

func mismatch(expected string, value any) error {
	return Invalid("expected %s, got %s", expected, kindOf(value))
}

// decode puts a value into a Go variable. Nothing is converted on the way but an integer into Go's
// types of integers: a number is not an integer, even where it has no fraction.
func decode(target reflect.Value, value any) error {
	if target.CanAddr() {
		if from, ok := target.Addr().Interface().(FromWire); ok {
			return from.FromWire(value)
		}
	}
	if value != nil && reflect.TypeOf(value) == target.Type() || target.Kind() == reflect.Interface && target.NumMethod() == 0 {
		target.Set(reflect.ValueOf(value))
		return nil
	}
	switch kind := target.Kind(); kind {
	case reflect.Bool:
		if v, ok := value.(bool); ok {
			target.SetBool(v)
			return nil
		}
		return mismatch("a boolean", value)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v, ok := value.(Integer)
		if !ok {
			return mismatch("an integer", value)
		}
		n, fits := v.Int64()
		if !fits || target.OverflowInt(n) {
			return Invalid("%v is out of the range of %v", v, kind)
		}
		target.SetInt(n)
		return nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v, ok := value.(Integer)
		if !ok {
			return mismatch("an integer", value)
		}
		n, fits := v.Uint64()
		if !fits || target.OverflowUint(n) {
			return Invalid("%v is out of the range of 0 to 2^%d-1", v, bits.Len64(uint64(1)<<(target.Type().Bits()-1)))
		}
		target.SetUint(n)
		return nil
	case reflect.Float32, reflect.Float64:
		if v, ok := value.(float64); ok {
			target.SetFloat(v)
			return nil
		}
		return mismatch("a number", value)
	case reflect.String:
		if v, ok := value.(string); ok {
			target.SetString(v)
			return nil
		}
		return mismatch("a text", value)
	case reflect.Slice:
		list, ok := value.(*List)
		if !ok {
			return mismatch("a list", value)
		}
		return list.decode(target)
	case reflect.Pointer:
		switch target.Interface().(type) {
		case *Tensor:
			return mismatch("a tensor", value)
		case *ModelFile:
			return mismatch("a model file", value)
		case *Function:
			return mismatch("a function", value)
		case *Object:
			return mismatch("an object", value)
		case *List:
			return mismatch("a list", value)
		}
		inner := reflect.New(target.Type().Elem())
		if err := decode(inner.Elem(), value); err != nil {
			return err
		}
		target.Set(inner)
		return nil
	}
	return Invalid("a value cannot be taken as Go's type %v", target.Type())
}
