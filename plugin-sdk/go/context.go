package berth

import (
	"fmt"

	context "wit_component/berth_node_context"
)

// Level is how much a message matters.
type Level uint8

// The levels.
const (
	Trace Level = iota
	Debug
	Info
	Warn
	Severe
)

// Log says something to the operator, in the words of fmt.Sprintf.
func Log(level Level, format string, args ...any) {
	context.Log(uint8(level), fmt.Sprintf(format, args...))
}

// Progress says that value of total steps of this node are done.
func Progress(value, total int) { context.Progress(uint32(max(value, 0)), uint32(max(total, 0))) }

// Preview shows an intermediate image [height, width, 3], F32, 0…1, with the progress. The host may
// drop it.
func Preview(image *Tensor) error {
	if err := image.Err(); err != nil {
		return err
	}
	_, err := take(context.Preview(image.raw))
	return err
}

// IsCancelled says whether the run was cancelled. Every operation fails with [ErrCancelled] from
// then on.
func IsCancelled() bool { return context.Cancelled() }

// ShowText shows a text as a result of this node.
func ShowText(text string) { context.ShowText(text) }

// Place is where a file goes.
type Place uint8

// The places: the operator's output folder, and a folder that the operator empties.
const (
	Output Place = iota
	Temporary
)

// Artifact is a file that was written. The name was chosen by the host.
type Artifact struct {
	Name      string // With its extension and without a folder.
	Subfolder string // The folder inside the place, or empty.
	Place     Place
}

// Save writes data as PREFIX_00001_.EXTENSION with the next free number, and shows it as a result
// of this node. The prefix may name folders with `/`. The kind is how a client shows it: images,
// audio, files.
func Save(place Place, kind, prefix, extension string, data []byte) (Artifact, error) {
	saved, err := take(context.Save(uint8(place), kind, prefix, extension, data))
	return Artifact{saved.Name, saved.Subfolder, Place(saved.Place)}, err
}

// ReadInput is a file of the operator's input folder. Errors: [ErrNotFound], [ErrInvalidArgument].
func ReadInput(name string) ([]byte, error) { return take(context.ReadInput(name)) }

// InputFingerprint is a digest of a file of the input folder that changes when its content does.
func InputFingerprint(name string) (string, error) { return take(context.InputFingerprint(name)) }
