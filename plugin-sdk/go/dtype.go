package berth

import "fmt"

// DType is the element type of a tensor. The Q types are GGUF's block-quantized formats: only
// a weight given to [Tensor.Linear], [Tensor.Conv2D] or [Tensor.Embedding], and the operand of
// [Tensor.Cast], may have one.
type DType uint8

// The element types.
const (
	U8 DType = iota
	U32
	I32
	I64
	F16
	BF16
	F32
	F64
	F8E4M3
	F8E5M2
	Q4_0
	Q4_1
	Q5_0
	Q5_1
	Q8_0
	Q8_1
	Q2K
	Q3K
	Q4K
	Q5K
	Q6K
	Q8K
)

var dtypes = [...]struct {
	name string
	size int
}{
	{"u8", 1}, {"u32", 4}, {"i32", 4}, {"i64", 8}, {"f16", 2}, {"bf16", 2}, {"f32", 4}, {"f64", 8},
	{"f8_e4m3", 1}, {"f8_e5m2", 1}, {"q4_0", 0}, {"q4_1", 0}, {"q5_0", 0}, {"q5_1", 0}, {"q8_0", 0},
	{"q8_1", 0}, {"q2_k", 0}, {"q3_k", 0}, {"q4_k", 0}, {"q5_k", 0}, {"q6_k", 0}, {"q8_k", 0},
}

func (d DType) String() string {
	if int(d) < len(dtypes) {
		return dtypes[d].name
	}
	return fmt.Sprintf("dtype %d", uint8(d))
}

// Size is how many bytes one element has, or 0 for a block-quantized type.
func (d DType) Size() int {
	if int(d) < len(dtypes) {
		return dtypes[d].size
	}
	return 0
}

// Element is a Go number that tensors can be made of and read as.
type Element interface {
	uint8 | uint32 | int32 | int64 | float32 | float64
}

// DTypeOf is the element type of a Go number.
func DTypeOf[T Element]() DType {
	var zero T
	switch any(zero).(type) {
	case uint8:
		return U8
	case uint32:
		return U32
	case int32:
		return I32
	case int64:
		return I64
	case float32:
		return F32
	default:
		return F64
	}
}
