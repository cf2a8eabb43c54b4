package berth

import (
	"reflect"
	"strconv"
	"strings"
	"unicode"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	nodes "wit_component/berth_node_nodes"
	types "wit_component/berth_node_types"
)

// UniqueID as a field is the node's id in the workflow, which the host gives without a wire.
type UniqueID string

// Prompt as a field is the workflow in API format, which the host gives without a wire.
type Prompt string

// ExtraPNGInfo as a field is what the client sent along to be stored in images, a JSON object. The
// host gives it without a wire; it is empty where there is none.
type ExtraPNGInfo string

var hiddens = map[reflect.Type]struct {
	hidden nodes.Hidden
	name   string
}{
	reflect.TypeFor[UniqueID]():     {nodes.HiddenUniqueId, "unique-id"},
	reflect.TypeFor[Prompt]():       {nodes.HiddenPrompt, "prompt"},
	reflect.TypeFor[ExtraPNGInfo](): {nodes.HiddenExtraPnginfo, "extra-pnginfo"},
}

// Every key that a field's tag may have.
var tagKeys = " name tooltip default min max step seed multiline choices models images type lazy passes "

// port is one field of a node's inputs or outputs, or of a function's.
type port struct {
	index    int
	name     string
	optional bool
	hidden   bool
	lazy     bool
	choices  []string
	typeName string // The type name that an object must have, if its field says so.
}

// words makes ModelName into model_name, or into model-name.
func words(name string, between rune) string {
	var out strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) {
			after := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if i > 0 && (unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1]) || after) {
				out.WriteRune(between)
			}
			r = unicode.ToLower(r)
		}
		out.WriteRune(r)
	}
	return out.String()
}

// ports is the fields of a struct. It panics, at the plugin's start, with what is wrong.
func ports(t reflect.Type, where string, between rune) []port {
	if t.Kind() != reflect.Struct {
		refuse("%s: %v is no struct", where, t)
	}
	var list []port
	for i := range t.NumField() {
		field := t.Field(i)
		if !field.IsExported() {
			refuse("%s: the field %s has to begin with a capital letter", where, field.Name)
		}
		checkTag(field, where)
		p := port{index: i, name: words(field.Name, between)}
		if name, ok := field.Tag.Lookup("name"); ok {
			p.name = name
		}
		if h, ok := hiddens[field.Type]; ok {
			p.name, p.hidden = h.name, true
		}
		p.lazy = flag(field, "lazy")
		p.optional = field.Type.Kind() == reflect.Pointer && !isHandle(field.Type)
		if choices, ok := field.Tag.Lookup("choices"); ok {
			p.choices = strings.Split(choices, "|")
		}
		if base(field.Type) == reflect.TypeFor[Object]() {
			p.typeName = field.Tag.Get("type")
		}
		list = append(list, p)
	}
	return list
}

// checkTag refuses keys that nothing here knows.
func checkTag(field reflect.StructField, where string) {
	rest := strings.TrimSpace(string(field.Tag))
	for rest != "" {
		colon := strings.Index(rest, ":")
		if colon < 0 {
			refuse("%s: the tag of %s is not of the form key:\"value\"", where, field.Name)
		}
		key := rest[:colon]
		quoted, err := strconv.QuotedPrefix(rest[colon+1:])
		if err != nil || !strings.Contains(tagKeys, " "+key+" ") {
			refuse("%s: `%s` in the tag of %s is none of %s", where, key, field.Name, strings.TrimSpace(tagKeys))
		}
		rest = strings.TrimSpace(rest[colon+1+len(quoted):])
	}
}

func flag(field reflect.StructField, key string) bool {
	value, there := field.Tag.Lookup(key)
	return there && value != "false"
}

// isHandle says whether a pointer type is that of a handle: then nil is no optional input.
func isHandle(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[*Tensor](), reflect.TypeFor[*Object](), reflect.TypeFor[*List](),
		reflect.TypeFor[*Function](), reflect.TypeFor[*ModelFile]():
		return true
	}
	return false
}

// base is a field's type without the pointer of an optional input.
func base(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return base(t.Elem())
	}
	return t
}

// wireType is the type of a wire that carries a Go type, or nothing for what no wire carries.
func wireType(t reflect.Type, tag reflect.StructTag) string {
	if name, ok := tag.Lookup("type"); ok {
		return name
	}
	t = base(t)
	if wire, ok := reflect.Zero(t).Interface().(Wire); ok {
		return wire.WireType()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "BOOLEAN"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "INT"
	case reflect.Float32, reflect.Float64:
		return "FLOAT"
	case reflect.String:
		return "STRING"
	}
	switch t {
	case reflect.TypeFor[Integer]():
		return "INT"
	case reflect.TypeFor[Tensor](), reflect.TypeFor[Object](), reflect.TypeFor[List](),
		reflect.TypeFor[Function](), reflect.TypeFor[ModelFile]():
		return "*"
	}
	return ""
}

// parsed is a tag's value of some type, if the tag has the key.
func parsed[T any](field reflect.StructField, where, key string, parse func(string) (T, error)) witTypes.Option[T] {
	text, there := field.Tag.Lookup(key)
	if !there {
		return witTypes.None[T]()
	}
	value, err := parse(text)
	if err != nil {
		refuse("%s: %s:%q in the tag of %s is none for the type %v", where, key, text, field.Name, field.Type)
	}
	return witTypes.Some(value)
}

func parseWide(text string) (types.WideInteger, error) {
	magnitude, negative := strings.CutPrefix(text, "-")
	n, err := strconv.ParseUint(magnitude, 0, 64)
	return Integer{negative, n}.wide(), err
}

func parseText(text string) (string, error) { return text, nil }

func parseFloat(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

// portType is what an input takes, by its field's type and tag.
func portType(field reflect.StructField, where string) nodes.Port {
	t := base(field.Type)
	wire := wireType(field.Type, field.Tag)
	_, socket := field.Tag.Lookup("type")
	switch {
	case wire == "":
		refuse("%s: the field %s of type %v cannot be an input", where, field.Name, t)
	case socket:
	case wire == "BOOLEAN":
		return nodes.MakePortBoolean(nodes.BooleanPort{Default: parsed(field, where, "default", strconv.ParseBool)})
	case wire == "INT":
		step := parsed(field, where, "step", func(text string) (uint32, error) {
			n, err := strconv.ParseUint(text, 10, 32)
			return uint32(n), err
		})
		return nodes.MakePortInteger(nodes.IntegerPort{
			Default: parsed(field, where, "default", parseWide),
			Min:     parsed(field, where, "min", parseWide),
			Max:     parsed(field, where, "max", parseWide),
			Step:    step, Seed: flag(field, "seed")})
	case wire == "FLOAT":
		return nodes.MakePortNumber(nodes.NumberPort{
			Default: parsed(field, where, "default", parseFloat),
			Min:     parsed(field, where, "min", parseFloat),
			Max:     parsed(field, where, "max", parseFloat),
			Step:    parsed(field, where, "step", parseFloat)})
	case wire == "STRING":
		preset := parsed(field, where, "default", parseText)
		category, models := field.Tag.Lookup("models")
		choices, fixed := field.Tag.Lookup("choices")
		switch {
		case models:
			return nodes.MakePortChoice(nodes.ChoicePort{Choices: nodes.MakeChoicesModels(category), Default: preset})
		case flag(field, "images"):
			return nodes.MakePortChoice(nodes.ChoicePort{Choices: nodes.MakeChoicesImages(), Default: preset})
		case fixed:
			options := strings.Split(choices, "|")
			return nodes.MakePortChoice(nodes.ChoicePort{Choices: nodes.MakeChoicesFixed(options), Default: preset})
		}
		return nodes.MakePortText(nodes.TextPort{Default: preset, Multiline: flag(field, "multiline")})
	}
	return nodes.MakePortSocket(wire)
}
