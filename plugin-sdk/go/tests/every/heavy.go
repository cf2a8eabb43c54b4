package main

import (
	"berth"
	"fmt"
)

var _ = berth.Node("Heavy", berth.About{OutputNode: true}, func(in struct {
	How int `default:"0"`
}) (struct{}, error) { switch in.How {
case 0: // large reads
	x := berth.Ones(berth.F32, 4<<20)
	sum := float32(0)
	for range 100 {
		v := must(x.Floats())
		sum += v[len(v)-1]
	}
	berth.ShowText(fmt.Sprint(sum))
case 1: // many objects
	for i := range 300000 {
		o := must(berth.NewObject("A", berth.Fields{"i": i, "t": "text"}))
		v, _ := o.Get("t")
		if v != "text" {
			panic("text")
		}
	}
case 2: // Go's own garbage, without the host
	n := 0
	for i := range 20000 {
		b := make([]byte, 1<<20)
		b[i] = 1
		n += len(b)
	}
	berth.ShowText(fmt.Sprint(n))
case 3: // much alive, and large reads
	var keep [][]float32
	x := berth.Ones(berth.F32, 4<<20)
	for range 24 {
		keep = append(keep, must(x.Floats()))
	}
	for range 20 {
		x = x.AddN(1)
		must(x.Floats())
	}
	berth.ShowText(fmt.Sprint(len(keep), keep[3][7]))
}; return struct{}{}, nil })
