package berth

import models "wit_component/berth_node_models"

// ModelFile is an open model file. Opening reads its header; a weight is read when an operation
// first needs it.
type ModelFile struct{ raw *models.Model }

// OpenModel opens a label of a category, such as checkpoints, vae, clip or loras.
// Errors: [ErrNotFound], [ErrAccessDenied], [ErrInvalidArgument] for a file that is no model.
func OpenModel(category, label string) (*ModelFile, error) {
	raw, err := take(models.ModelOpen(category, label))
	if err != nil {
		return nil, err
	}
	counted()
	return &ModelFile{raw}, nil
}

// Models is the labels of a category that this plugin may open, sorted.
func Models(category string) []string { return models.Available(category) }

// Label is the label it was opened by.
func (m *ModelFile) Label() string { return m.raw.Label() }

// Metadata is one entry of the file's metadata, and whether there is one.
func (m *ModelFile) Metadata(name string) (string, bool) { return m.raw.Metadata(name).Get() }

// MetadataNames is the names of the file's metadata.
func (m *ModelFile) MetadataNames() []string { return m.raw.MetadataNames() }

// Keys is the keys of all tensors, sorted.
func (m *ModelFile) Keys() []string { return m.raw.Keys() }

// Info is dtype and shape of one tensor, without reading it, and whether there is one.
func (m *ModelFile) Info(key string) (dtype DType, shape []int, ok bool) {
	info, ok := m.raw.Info(key).Get()
	if !ok {
		return 0, nil, false
	}
	for _, dim := range info.Shape {
		shape = append(shape, int(dim))
	}
	return DType(info.Dtype), shape, true
}

// Weight is the tensor of a key, by handle. Nothing is read yet. Where there is none, it is a
// failed tensor with [ErrNotFound].
func (m *ModelFile) Weight(key string) *Tensor { return made(m.raw.Weight(key)) }

// Close gives the handle back now.
func (m *ModelFile) Close() { m.raw.Drop() }
