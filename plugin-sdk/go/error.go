package berth

import (
	"errors"
	"fmt"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	types "wit_component/berth_node_types"
)

// Kind is which of the contract's errors an [Error] is.
type Kind uint8

// The kinds of errors, as the contract has them.
const (
	InvalidArgument Kind = iota // An argument is wrong; the message says which, and what is expected.
	AccessDenied                // The plugin was not granted this.
	NotFound                    // No such model, key, field or file.
	QuotaExceeded               // One operation's own operands are over the plugin's quota.
	OutOfMemory                 // One operation's own operands are over the machine's limit.
	Unsupported                 // Right, but not provided by this host.
	Cancelled                   // The run was cancelled: return at once.
	FailedNode                  // What a node says itself, with a code and a hint.
	Other                       // Anything else.
)

// Errors to compare with by errors.Is: each stands for every error of its kind.
var (
	ErrInvalidArgument = &Error{Kind: InvalidArgument}
	ErrAccessDenied    = &Error{Kind: AccessDenied}
	ErrNotFound        = &Error{Kind: NotFound}
	ErrQuotaExceeded   = &Error{Kind: QuotaExceeded}
	ErrOutOfMemory     = &Error{Kind: OutOfMemory}
	ErrUnsupported     = &Error{Kind: Unsupported}
	ErrCancelled       = &Error{Kind: Cancelled}
)

// Tier is a place where bytes can be.
type Tier uint8

// The tiers.
const (
	Device Tier = iota // The memory of the device that computes.
	Host               // The host's memory.
	Disk               // Model files, and the file that the host spills to.
)

func (t Tier) String() string { return [...]string{"device", "host", "disk"}[t] }

// Shortage is what did not fit, in bytes.
type Shortage struct {
	Tier      Tier   // Where it did not fit.
	Requested uint64 // What the operation would have held.
	Limit     uint64 // The limit or quota it met.
	Used      uint64 // What is held already, and cannot leave.
}

// Error is an error as it travels between plugins and the host. Whatever a node returns, the
// operator can still tell a wrong argument from a lack of memory.
type Error struct {
	Kind     Kind
	Message  string   // As people read it.
	Code     string   // Of a FailedNode: what kind of error it is, for programs.
	Hint     string   // Of a FailedNode: what people can do about it; may be empty.
	Shortage Shortage // Of QuotaExceeded and OutOfMemory.
}

// Error is the message.
func (e *Error) Error() string {
	s := e.Shortage
	switch {
	case e.Message != "":
		return e.Message
	case e.Kind == Cancelled:
		return "the run was cancelled"
	case e.Kind == QuotaExceeded || e.Kind == OutOfMemory:
		return fmt.Sprintf("an operation needs %d bytes on the %s, where %d are allowed and %d are taken",
			s.Requested, s.Tier, s.Limit, s.Used)
	}
	return "something failed"
}

// Is says whether target stands for this kind of error, such as [ErrNotFound].
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && *other == Error{Kind: e.Kind}
}

// Invalid is an error about something that the user can set right.
func Invalid(format string, args ...any) error {
	return &Error{Kind: InvalidArgument, Message: fmt.Sprintf(format, args...)}
}

// Failed is an error of a node's own: a code for programs such as `not-an-upscaler`, what went
// wrong, and what people can do about it, which may be empty.
func Failed(code, message, hint string) error {
	return &Error{Kind: FailedNode, Message: message, Code: code, Hint: hint}
}

// fromHostError makes a Go error of the contract's.
func fromHostError(err types.Error) error {
	shortage := func(s types.Shortage) Shortage {
		return Shortage{Tier(s.Tier), s.Requested, s.Limit, s.Used}
	}
	switch err.Tag() {
	case types.ErrorInvalidArgument:
		return &Error{Kind: InvalidArgument, Message: err.InvalidArgument()}
	case types.ErrorAccessDenied:
		return &Error{Kind: AccessDenied, Message: err.AccessDenied()}
	case types.ErrorNotFound:
		return &Error{Kind: NotFound, Message: err.NotFound()}
	case types.ErrorQuotaExceeded:
		return &Error{Kind: QuotaExceeded, Shortage: shortage(err.QuotaExceeded())}
	case types.ErrorOutOfMemory:
		return &Error{Kind: OutOfMemory, Shortage: shortage(err.OutOfMemory())}
	case types.ErrorUnsupported:
		return &Error{Kind: Unsupported, Message: err.Unsupported()}
	case types.ErrorCancelled:
		return &Error{Kind: Cancelled}
	case types.ErrorFailed:
		f := err.Failed()
		return &Error{Kind: FailedNode, Message: f.Message, Code: f.Code, Hint: f.Hint}
	default:
		return &Error{Kind: Other, Message: err.Other()}
	}
}

// toHostError makes the contract's error of any Go error. An [Error] inside of it decides the
// case, and what was wrapped around it goes into the text.
func toHostError(err error) types.Error {
	var e *Error
	if !errors.As(err, &e) {
		return types.MakeErrorOther(err.Error())
	}
	text := err.Error()
	s := types.Shortage{Tier: uint8(e.Shortage.Tier), Requested: e.Shortage.Requested,
		Limit: e.Shortage.Limit, Used: e.Shortage.Used}
	switch e.Kind {
	case InvalidArgument:
		return types.MakeErrorInvalidArgument(text)
	case AccessDenied:
		return types.MakeErrorAccessDenied(text)
	case NotFound:
		return types.MakeErrorNotFound(text)
	case QuotaExceeded:
		return types.MakeErrorQuotaExceeded(s)
	case OutOfMemory:
		return types.MakeErrorOutOfMemory(s)
	case Unsupported:
		return types.MakeErrorUnsupported(text)
	case Cancelled:
		return types.MakeErrorCancelled()
	case FailedNode:
		return types.MakeErrorFailed(types.Failure{Code: e.Code, Message: text, Hint: e.Hint})
	default:
		return types.MakeErrorOther(text)
	}
}

// take makes Go's pair of the contract's result.
func take[T any](result witTypes.Result[T, types.Error]) (T, error) {
	if result.Tag() == witTypes.ResultErr {
		var none T
		return none, fromHostError(result.Err())
	}
	return result.Ok(), nil
}
