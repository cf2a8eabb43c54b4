package berth

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	values "wit_component/berth_node_values"
)

// Fields is named values: what an object holds, and what functions take and give. Values are bool,
// Go's integers and floats, string, []byte, *[Tensor], *[ModelFile], *[Function], *[Object],
// *[List], wires such as [Image], and slices of these. They cross in the order of their names.
type Fields map[string]any

func (f Fields) toHost() ([]values.NamedValue, error) {
	named := make([]values.NamedValue, 0, len(f))
	for _, name := range slices.Sorted(maps.Keys(f)) {
		value, err := toHost(f[name])
		if err != nil {
			return nil, fmt.Errorf("`%s`: %w", name, err)
		}
		named = append(named, values.NamedValue{Name: name, Value: value})
	}
	return named, nil
}

func fieldsFromHost(named []values.NamedValue) Fields {
	fields := make(Fields, len(named))
	for _, field := range named {
		fields[field.Name] = fromHost(field.Value)
	}
	return fields
}

// As is a value as a T, taken as an input of that type is, such as `As[float64](v)`.
// Errors: [ErrInvalidArgument] for a value of another type.
func As[T any](value any) (T, error) {
	var target T
	err := decode(reflect.ValueOf(&target).Elem(), value)
	return target, err
}

// Get is one of the fields as a T.
// Errors: [ErrInvalidArgument] that names the field, when it is missing or of another type.
func Get[T any](fields Fields, name string) (T, error) {
	value, there := fields[name]
	if !there {
		var none T
		return none, Invalid("`%s` is missing", name)
	}
	target, err := As[T](value)
	if err != nil {
		err = fmt.Errorf("`%s`: %w", name, err)
	}
	return target, err
}

// Object is named values under a type name, held by the host. Immutable.
type Object struct{ raw *values.Object }

// NewObject is an object of these fields.
func NewObject(typeName string, fields Fields) (*Object, error) {
	named, err := fields.toHost()
	if err != nil {
		return nil, err
	}
	raw, err := take(values.ObjectCreate(typeName, named))
	if err != nil {
		return nil, err
	}
	counted()
	return &Object{raw}, nil
}

// TypeName is the type name.
func (o *Object) TypeName() string { return o.raw.TypeName() }

// Names is the names of the fields, in the order that they were given in.
func (o *Object) Names() []string { return o.raw.FieldNames() }

// Get is one field, and whether there is one. [Field] gives it as a type.
func (o *Object) Get(name string) (any, bool) {
	value, ok := o.raw.Get(name).Get()
	if !ok {
		return nil, false
	}
	return fromHost(value), true
}

// Field is one field of an object as a T.
// Errors: [ErrInvalidArgument] that names the type and the field, when it is missing or of another type.
func Field[T any](o *Object, name string) (T, error) {
	var none T
	if o == nil {
		return none, Invalid("an object is missing")
	}
	value, ok := o.Get(name)
	if !ok {
		return none, Invalid("%s: `%s` is missing", o.TypeName(), name)
	}
	target, err := As[T](value)
	if err != nil {
		return none, fmt.Errorf("%s: `%s`: %w", o.TypeName(), name, err)
	}
	return target, nil
}

// With is a copy in which these fields are set, and all others as they were.
func (o *Object) With(fields Fields) (*Object, error) {
	named, err := fields.toHost()
	if err != nil {
		return nil, err
	}
	raw, err := take(o.raw.Replace(named))
	if err != nil {
		return nil, err
	}
	counted()
	return &Object{raw}, nil
}

// Close gives the handle back now.
func (o *Object) Close() { o.raw.Drop() }

// List is values in order, held by the host. Immutable. An input or a field of a Go slice's type
// takes a list too.
type List struct{ raw *values.ValueList }

// NewList is a list of these values (see [Fields]).
func NewList(items ...any) (*List, error) {
	raw := make([]values.Value, len(items))
	for i, item := range items {
		var err error
		if raw[i], err = toHost(item); err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
	}
	list, err := take(values.ValueListCreate(raw))
	if err != nil {
		return nil, err
	}
	counted()
	return &List{list}, nil
}

// Len is how many there are.
func (l *List) Len() int { return int(l.raw.Length()) }

// At is one of them. Errors: [ErrNotFound] past the end.
func (l *List) At(index int) (any, error) {
	i, err := dimension(index)
	if err != nil {
		return nil, err
	}
	value, err := take(l.raw.Get(i))
	if err != nil {
		return nil, err
	}
	return fromHost(value), nil
}

func (l *List) decode(target reflect.Value) error {
	items := reflect.MakeSlice(target.Type(), l.Len(), l.Len())
	for i := range items.Len() {
		value, err := l.At(i)
		if err == nil {
			err = decode(items.Index(i), value)
		}
		if err != nil {
			return fmt.Errorf("item %s: %w", strconv.Itoa(i), err)
		}
	}
	target.Set(items)
	return nil
}

// Items is all values of a list as Ts.
func Items[T any](l *List) ([]T, error) { return As[[]T](l) }

// Close gives the handle back now.
func (l *List) Close() { l.raw.Drop() }

// Function is a function of a plugin with values captured. Whoever holds it can call it, from any
// plugin; it runs in a fresh instance of the plugin that made it. [Func] makes one.
type Function struct{ raw *values.Function }

// Call calls it and waits for what it returns. Errors: the function's own.
func (f *Function) Call(arguments Fields) (Fields, error) {
	if f == nil {
		return nil, Invalid("a function is missing")
	}
	named, err := arguments.toHost()
	if err != nil {
		return nil, err
	}
	results, err := take(f.raw.Call(named))
	if err != nil {
		return nil, err
	}
	return fieldsFromHost(results), nil
}

// Close gives the handle back now.
func (f *Function) Close() { f.raw.Drop() }

// With is a value of the function, with these values captured.
func (f FuncOf[Captures]) With(captures Captures) (*Function, error) {
	fields := fieldsOf(reflect.ValueOf(captures), ports(reflect.TypeFor[Captures](), f.name, '-'))
	named, err := fields.toHost()
	if err != nil {
		return nil, err
	}
	raw, err := take(values.FunctionCreate(f.name, named))
	if err != nil {
		return nil, err
	}
	counted()
	return &Function{raw}, nil
}
