// The nodes of {{name}}.
package main

import "berth"

// The inputs of Negative. A field is an input, and its tag says how clients show it.
type negativeInputs struct {
	Image    berth.Image `tooltip:"The images to turn into their negatives."`
	Strength float64     `default:"1" min:"0" max:"1" step:"0.01" tooltip:"0 leaves the images as they are, 1 makes black white."`
}

type negativeOutputs struct {
	Image berth.Image `tooltip:"The negatives."`
}

var _ = berth.Node("Negative", berth.About{
	Category:    "image",
	Description: "Turns images into their negatives.",
}, negative)

func negative(in negativeInputs) (out negativeOutputs, err error) {
	kept := in.Image.MulN(1 - in.Strength)
	turned := in.Image.NSub(1).MulN(in.Strength)
	out.Image = berth.NewImage(kept.Add(turned))
	return out, nil
}
