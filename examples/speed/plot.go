package main

import (
	"bytes"
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A chart is lines of times over a number of something. Both axes are logarithmic.
type chart struct {
	file, title, x string
	ticks          []int // where it is measured
	lines          []line
	perSecond      float64 // units of the y-axis
	unit           string
}

// A line is a benchmark of the table's kind. In its name %d stands for the number.
type line struct {
	says, name string
	impl       string
	unit       string
}

// processCharts are those of the locks in one process.
func processCharts() []chart {
	var byImpl []line
	for _, c := range columns {
		byImpl = append(byImpl, line{c.says, "Lock/op=write/nodes=disjoint/depth=4/clients=%d", c.impl, "sec/op"})
	}
	return []chart{
		{"clients.svg", "Acquire and release of a write at depth 4, each client on its own node",
			"clients", []int{1, 2, 32, 1000, 10_000}, byImpl, 1e9, "ns"},
		{"flat.svg", "One step, however many other requests hold or wait",
			"nodes held elsewhere, or waiters on the same node", []int{10, 1000, 100_000, 1_000_000}, []line{
				{"acquire (others hold)", "Live/op=write/depth=4/leaves=1000/live=%d", "treelock", "sec/op"},
				{"arrive, withdraw", "Waiters/waiters=%d/where=here/step=arrive", "treelock", "sec/op"},
				{"withdraw (middle)", "Waiters/waiters=%d/where=here/step=withdraw/at=middle", "treelock", "sec/op"},
				{"hand over", "Waiters/waiters=%d/where=here/step=hand-over", "treelock", "sec/op"},
			}, 1e9, "ns"},
	}
}

// colors are those of Okabe and Ito, which people with any kind of sight can tell apart.
var colors = []color.Color{
	color.RGBA{0x66, 0x66, 0x66, 0xff}, color.RGBA{0xd5, 0x5e, 0x00, 0xff}, color.RGBA{0x00, 0x72, 0xb2, 0xff},
	color.RGBA{0x00, 0x9e, 0x73, 0xff}, color.RGBA{0xcc, 0x79, 0xa7, 0xff}, color.RGBA{0x56, 0xb4, 0xe9, 0xff},
}

// draw returns the chart as SVG, or nothing if no line has two points.
func (c chart) draw(f figures) ([]byte, error) {
	plot.DefaultFont.Variant = "Sans"
	p, legend := plot.New(), plot.NewLegend()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.title, c.x, c.unit+" per operation (log)"
	grid := plotter.NewGrid()
	grid.Vertical.Color = nil
	p.Add(grid)
	for i, l := range c.lines {
		var points plotter.XYs
		for _, x := range c.ticks {
			if values := f.of(l.impl, fmt.Sprintf(l.name, x), l.unit); len(values) > 0 {
				points = append(points, plotter.XY{X: math.Log10(float64(x)), Y: math.Log10(median(values).Center * c.perSecond)})
			}
		}
		if len(points) < 2 {
			continue
		}
		line, glyphs, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = colors[i], vg.Points(1.6)
		glyphs.Color, glyphs.Shape, glyphs.Radius = colors[i], plotutil.Shape(i), vg.Points(3.5)
		p.Add(line, glyphs)
		legend.Add(l.says, line, glyphs)
	}
	if math.IsInf(p.Y.Max, -1) {
		return nil, nil
	}
	c.scale(p)
	legend.Top, legend.Left, legend.Padding = true, true, vg.Points(3)
	canvas := vgsvg.New(8*vg.Inch, 3.6*vg.Inch)
	whole := draw.New(canvas)
	whole.SetColor(color.White) // the page may be dark
	whole.Fill(whole.Rectangle.Path())
	p.Draw(draw.Crop(whole, 0, -2.2*vg.Inch, vg.Points(4), -vg.Points(4)))
	legend.Draw(draw.Crop(whole, 5.9*vg.Inch, 0, 0, -vg.Points(30)))
	var svg bytes.Buffer
	_, err := canvas.WriteTo(&svg)
	// The file has no fonts: a reader without this one needs the name of a similar one.
	return bytes.ReplaceAll(svg.Bytes(), []byte("Liberation Sans"), []byte("Liberation Sans,Arial,sans-serif")), err
}

// scale sets the range of the y-axis and the ticks of both axes. The axes are logarithmic.
func (c chart) scale(p *plot.Plot) {
	p.Y.Min, p.Y.Max = min(p.Y.Min-0.1, p.Y.Max-1), p.Y.Max+0.1 // at least a decade
	var x, y plot.ConstantTicks
	for _, n := range c.ticks {
		x = append(x, plot.Tick{Value: math.Log10(float64(n)), Label: fmt.Sprint(n)})
	}
	for decade := math.Floor(p.Y.Min); decade <= p.Y.Max; decade++ {
		for _, digit := range []float64{1, 2, 5} {
			n := digit * math.Pow(10, decade)
			y = append(y, plot.Tick{Value: math.Log10(n), Label: fmt.Sprint(n)})
		}
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = x, y
}
