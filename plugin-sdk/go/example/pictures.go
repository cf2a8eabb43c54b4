// Pictures has two real nodes: a filter, and a small network.
package main

import (
	"fmt"
	"slices"

	"berth"
)

type sharpenInputs struct {
	Image  berth.Image `tooltip:"The image to sharpen."`
	Amount float64     `default:"1" min:"0" max:"5" step:"0.01" tooltip:"0 leaves it as it is."`
}

var _ = berth.Node("Sharpen", berth.About{
	Category:    "image/filters",
	Description: "Makes the edges of an image clearer, by what a slight blur takes away.",
}, sharpen)

func sharpen(in sharpenInputs) (berth.Image, error) {
	_, _, _, channels := in.Image.Size()
	x := in.Image.Permute(0, 3, 1, 2)
	// Pascal's fifth row, in both directions: the binomial blur.
	row := [...]float32{1, 4, 6, 4, 1}
	var taps []float32
	for _, a := range row {
		for _, b := range row {
			taps = append(taps, a*b/256)
		}
	}
	kernel := berth.FromSlice(taps, 1, 1, 5, 5).Broadcast(channels, 1, 5, 5)
	padded := x.Pad(berth.Edge, [2]int{0, 0}, [2]int{0, 0}, [2]int{2, 2}, [2]int{2, 2})
	blurred := padded.Conv2D(kernel, nil, berth.Walk{Groups: channels})
	sharp := x.Add(x.Sub(blurred).MulN(in.Amount))
	return berth.NewImage(sharp.Permute(0, 2, 3, 1).Clamp(0, 1)), nil
}

type upscaleInputs struct {
	Image     berth.Image `tooltip:"The image to enlarge."`
	ModelName string      "models:\"upscale_models\" tooltip:\"The network: convolutions `0`, `1`, … with `weight` and `bias`.\""
}

var _ = berth.Node("Upscale", berth.About{
	Category: "image/upscaling",
	Description: "Enlarges an image by a network of convolutions whose last one gives several pixels for each " +
		"(Shi et al. 2016).",
}, upscale)

func upscale(in upscaleInputs) (berth.Image, error) {
	model, err := berth.OpenModel("upscale_models", in.ModelName)
	if err != nil {
		return berth.Image{}, err
	}
	keys, layers := model.Keys(), 0
	for slices.Contains(keys, fmt.Sprintf("%d.weight", layers)) {
		layers++
	}
	batch, height, width, channels := in.Image.Size()
	x := in.Image.Permute(0, 3, 1, 2)
	for i := range layers {
		weight := model.Weight(fmt.Sprintf("%d.weight", i))
		bias := model.Weight(fmt.Sprintf("%d.bias", i))
		x = x.Conv2D(weight, bias, berth.Walk{Padding: weight.Dim(2) / 2})
		if i+1 < layers {
			x = x.ReLU()
		}
		berth.Progress(i+1, layers)
	}
	if err := x.Err(); err != nil {
		return berth.Image{}, err
	}
	made := x.Dim(1)
	factor := 1
	for factor <= made && factor*factor*channels != made {
		factor++
	}
	if layers == 0 || factor > made {
		return berth.Image{}, berth.Failed("not-an-upscaler",
			fmt.Sprintf("`%s` is no network that enlarges images of %d channels", in.ModelName, channels),
			"choose a model with the tensors 0.weight, 0.bias, 1.weight, …")
	}
	pixels := x.
		Reshape(batch, channels, factor, factor, height, width).
		Permute(0, 1, 4, 2, 5, 3).
		Reshape(batch, channels, height*factor, width*factor)
	return berth.NewImage(pixels.Permute(0, 2, 3, 1).Clamp(0, 1)), nil
}
