package berth

import (
	"fmt"
	"iter"
	"math"
	"unsafe"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	tensors "wit_component/berth_node_tensors"
	types "wit_component/berth_node_types"
)

// Bytes that cross between plugin and host at once. Larger pieces would gain nothing.
const piece = 1 << 20

// Tensor is an immutable array that the host holds: a handle, and nothing else. Elements are
// row-major. Operations are methods, and each makes a new tensor.
//
// An operation that fails gives a failed tensor, whose [Tensor.Err] says why. Every operation on
// a failed tensor fails with the same error, so a formula of many operations is written
// without a check after each, and its result is checked once: by the node's caller, when the
// node returns it, or by Err. A nil Tensor is a failed one too, and stands for an optional
// operand that is not there.
type Tensor struct {
	raw *tensors.Tensor
	err error
}

type tensorResult = witTypes.Result[*tensors.Tensor, types.Error]

// The first failure of a run, to be reported when Go code stumbles over a failed tensor.
var firstFailure error

// broken is a failed tensor.
func broken(err error) *Tensor {
	if firstFailure == nil {
		firstFailure = err
	}
	return &Tensor{err: err}
}

// made is the tensor of an operation's result.
func made(result tensorResult) *Tensor {
	raw, err := take(result)
	if err != nil {
		return broken(err)
	}
	t := &Tensor{raw: raw}
	account(raw)
	return t
}

// apply runs an operation, unless an operand failed already.
func apply(run func() tensorResult, operands ...*Tensor) *Tensor {
	for _, operand := range operands {
		if err := operand.Err(); err != nil {
			return broken(err)
		}
	}
	return made(run())
}

// Err is why the tensor could not be made, or nil.
func (x *Tensor) Err() error {
	switch {
	case x == nil:
		return Invalid("a tensor is missing")
	case x.err != nil:
		return x.err
	case x.raw == nil:
		return Invalid("a tensor was used after it was closed")
	}
	return nil
}

// Given says whether there is a tensor at all: an optional input may have none.
func (x *Tensor) Given() bool { return x != nil }

// Close gives the tensor back to the host now. Without it, the host gets it back when the
// collector finds it, or at the end of the run. What was made of it stays.
func (x *Tensor) Close() {
	if x != nil && x.raw != nil {
		x.raw.Drop()
		x.raw = nil
	}
}

// DType is the element type; of a failed tensor, F32.
func (x *Tensor) DType() DType {
	if x.Err() != nil {
		return F32
	}
	return DType(x.raw.Dtype())
}

// Shape is the dimensions, outermost first: none for a scalar, and none for a failed tensor.
func (x *Tensor) Shape() []int {
	if x.Err() != nil {
		return nil
	}
	raw := x.raw.Shape()
	shape := make([]int, len(raw))
	for i, dim := range raw {
		shape[i] = int(dim)
	}
	return shape
}

// Dim is one dimension; axis −1 is the last. It is 0 where there is no such axis.
func (x *Tensor) Dim(axis int) int {
	shape := x.Shape()
	if axis < 0 {
		axis += len(shape)
	}
	if axis < 0 || axis >= len(shape) {
		return 0
	}
	return shape[axis]
}

// Len is how many elements there are; of a failed tensor, 0.
func (x *Tensor) Len() int {
	if x.Err() != nil {
		return 0
	}
	elements := 1
	for _, dim := range x.Shape() {
		elements *= dim
	}
	return elements
}

func (x *Tensor) String() string {
	if err := x.Err(); err != nil {
		return "a failed tensor: " + err.Error()
	}
	return fmt.Sprintf("a %v tensor of %v", x.DType(), x.Shape())
}

// dimension is a dimension, index or count as the contract has it.
func dimension(dim int) (uint32, error) {
	if dim < 0 || uint64(dim) > math.MaxUint32 {
		return 0, Invalid("%d cannot be a dimension, an index or a count", dim)
	}
	return uint32(dim), nil
}

func dimensions(shape []int) ([]uint32, error) {
	dims := make([]uint32, len(shape))
	for i, dim := range shape {
		var err error
		if dims[i], err = dimension(dim); err != nil {
			return nil, err
		}
	}
	return dims, nil
}

// denseBytes is how long a tensor of these is, or an error that says why there is none.
func denseBytes(dtype DType, shape []int) (int, error) {
	bytes := uint64(dtype.Size())
	if bytes == 0 {
		return 0, Invalid("a %v tensor comes from a model file, never from bytes", dtype)
	}
	for _, dim := range shape {
		if bytes *= uint64(dim); bytes > math.MaxInt32 {
			return 0, Invalid("a tensor of %v is larger than a plugin's memory", shape)
		}
	}
	return int(bytes), nil
}

// FromBytes is a tensor of these bytes, little-endian, exactly as many as dtype and shape say.
func FromBytes(dtype DType, data []byte, shape ...int) *Tensor {
	dims, err := dimensions(shape)
	if err != nil {
		return broken(err)
	}
	expected, err := denseBytes(dtype, shape)
	if err != nil {
		return broken(err)
	}
	if len(data) != expected {
		return broken(Invalid("a %v tensor of %v has %d bytes, not %d", dtype, shape, expected, len(data)))
	}
	if len(data) <= piece {
		return made(tensors.FromBytes(uint8(dtype), dims, data))
	}
	upload := NewUpload(dtype, shape...)
	upload.Write(data)
	return upload.Finish()
}

// FromSlice is a tensor of these numbers, of their own element type; as many as the shape says.
func FromSlice[T Element](data []T, shape ...int) *Tensor {
	var bytes []byte
	if len(data) > 0 {
		bytes = unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), len(data)*int(unsafe.Sizeof(data[0])))
	}
	return FromBytes(DTypeOf[T](), bytes, shape...)
}

// Full is a tensor whose every element is value, converted to dtype.
func Full(dtype DType, value float64, shape ...int) *Tensor {
	dims, err := dimensions(shape)
	if err != nil {
		return broken(err)
	}
	return made(tensors.Full(uint8(dtype), dims, value))
}

// Zeros is a tensor of zeros.
func Zeros(dtype DType, shape ...int) *Tensor { return Full(dtype, 0, shape...) }

// Ones is a tensor of ones.
func Ones(dtype DType, shape ...int) *Tensor { return Full(dtype, 1, shape...) }

// Arange is the 1-D tensor start, start + step, … of count elements, computed in float64.
func Arange(dtype DType, start, step float64, count int) *Tensor {
	n, err := dimension(count)
	if err != nil {
		return broken(err)
	}
	return made(tensors.Arange(uint8(dtype), start, step, n))
}

// ReadRange gives length bytes from byte offset on, little-endian: for data that a plugin works
// through band by band. The bytes must lie inside the tensor.
func (x *Tensor) ReadRange(offset uint64, length int) ([]byte, error) {
	if err := x.Err(); err != nil {
		return nil, err
	}
	n, err := dimension(length)
	if err != nil {
		return nil, err
	}
	return take(x.raw.Read(offset, n))
}

// Pieces hands out all bytes in order, about a mebibyte at a time, and ends after an error.
// A quantized tensor has to be cast first.
func (x *Tensor) Pieces() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := x.Err(); err != nil {
			yield(nil, err)
			return
		}
		dtype := x.DType()
		if dtype.Size() == 0 {
			yield(nil, &Error{Kind: Unsupported, Message: fmt.Sprintf("reading %v blocks; cast them first", dtype)})
			return
		}
		total := uint64(x.Len()) * uint64(dtype.Size())
		for offset := uint64(0); offset < total; offset += piece {
			bytes, err := x.ReadRange(offset, int(min(piece, total-offset)))
			if !yield(bytes, err) || err != nil {
				return
			}
		}
	}
}

// Bytes is all bytes, little-endian. A quantized tensor has to be cast first.
func (x *Tensor) Bytes() ([]byte, error) {
	all := make([]byte, 0, x.Len()*x.DType().Size())
	for bytes, err := range x.Pieces() {
		if err != nil {
			return nil, err
		}
		all = append(all, bytes...)
	}
	return all, nil
}

// Read is all elements as T, cast by the host when they are of another type.
func Read[T Element](x *Tensor) ([]T, error) {
	if err := x.Err(); err != nil {
		return nil, err
	}
	if x.DType() != DTypeOf[T]() {
		return Read[T](x.Cast(DTypeOf[T]()))
	}
	numbers := make([]T, x.Len())
	if len(numbers) == 0 {
		return numbers, nil
	}
	room := unsafe.Slice((*byte)(unsafe.Pointer(&numbers[0])), len(numbers)*int(unsafe.Sizeof(numbers[0])))
	for bytes, err := range x.Pieces() {
		if err != nil {
			return nil, err
		}
		room = room[copy(room, bytes):]
	}
	return numbers, nil
}

// Floats is all elements as float32, cast by the host when they are of another type.
func (x *Tensor) Floats() ([]float32, error) { return Read[float32](x) }
