package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/treelock/treelock/examples/speed/figures"
)

// The sizes make the text of a picture about as large as that of the page around it.
const (
	width       = 8 * vg.Inch
	height      = 3.6 * vg.Inch
	legendWidth = 2.3 * vg.Inch
	margin      = 8 // points
	fontSize    = 11
	headroom    = 0.12 // of a decade
)

// A style tells a line from others by colour, glyph and dashes, so that any one of them will do.
type style struct {
	color  color.RGBA
	glyph  draw.GlyphDrawer
	dashes []vg.Length
	width  vg.Length
}

// styles have the colours of Okabe and Ito, which people with any kind of sight can tell apart, but for their
// yellow, which is too light on white. The first is for the floor, the second for the main thing.
var styles = []style{
	{color.RGBA{0x66, 0x66, 0x66, 0xff}, draw.CrossGlyph{}, []vg.Length{4, 3}, 1.2},
	{color.RGBA{0x00, 0x72, 0xb2, 0xff}, draw.CircleGlyph{}, nil, 2.4},
	{color.RGBA{0xd5, 0x5e, 0x00, 0xff}, draw.BoxGlyph{}, nil, 1.4},
	{color.RGBA{0x00, 0x9e, 0x73, 0xff}, draw.TriangleGlyph{}, nil, 1.4},
	{color.RGBA{0xcc, 0x79, 0xa7, 0xff}, draw.PyramidGlyph{}, nil, 1.4},
	{color.RGBA{0x56, 0xb4, 0xe9, 0xff}, draw.SquareGlyph{}, nil, 1.4},
	{color.RGBA{0xe6, 0x9f, 0x00, 0xff}, draw.RingGlyph{}, nil, 1.4},
}

// draw returns the picture, or nil if there is no line with two points.
func (c chart) draw(set *figures.Set) ([]byte, error) {
	p, legend := plot.New(), plot.NewLegend()
	c.axes(p)
	var most, least float64
	lines := 0
	for _, l := range c.lines {
		points := l.points(c.ticks, set)
		if len(points) < 2 {
			continue
		}
		drawn, glyphs, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		drawn.Color, drawn.Width, drawn.Dashes = l.style.color, l.style.width, l.style.dashes
		glyphs.Color, glyphs.Shape, glyphs.Radius = l.style.color, l.style.glyph, 3.5
		p.Add(drawn, glyphs)
		legend.Add(l.says, drawn, glyphs)
		for _, point := range points {
			if lines++; lines == 1 {
				most, least = point.Y, point.Y
			}
			most, least = max(most, point.Y), min(least, point.Y)
		}
	}
	if lines == 0 {
		return nil, nil
	}
	// At least a decade, as small differences must not look large.
	p.Y.Min, p.Y.Max = min(least-headroom, most-1), most+headroom
	return render(p, legend)
}

// points returns what is known of a line, as logarithms: the library's own logarithmic axes leave much room empty.
func (l line) points(at []int, set *figures.Set) plotter.XYs {
	var points plotter.XYs
	for _, x := range at {
		if s, ok := set.Of(l.at(x)); ok && s.Median > 0 { // zero has no logarithm
			points = append(points, plotter.XY{X: math.Log10(float64(x)), Y: math.Log10(s.Median)})
		}
	}
	return points
}

// axes sets everything but the lines.
func (c chart) axes(p *plot.Plot) {
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.title, c.x, c.y
	p.Title.Padding = 6
	p.BackgroundColor = color.White // the page may be dark
	var ticks plot.ConstantTicks
	for _, x := range c.ticks {
		ticks = append(ticks, plot.Tick{Value: math.Log10(float64(x)), Label: c.tickLabel(x)})
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks, plot.TickerFunc(oneTwoFive)
	p.X.Min, p.X.Max = ticks[0].Value, ticks[len(ticks)-1].Value
	grid := plotter.NewGrid()
	grid.Vertical.Color = nil
	grid.Horizontal.Color = color.Gray{0xcc}
	p.Add(grid)
}

// oneTwoFive puts ticks at 1, 2 and 5 times the powers of ten, between two logarithms.
func oneTwoFive(least, most float64) []plot.Tick {
	var ticks []plot.Tick
	for decade := math.Floor(least); decade <= most; decade++ {
		for _, factor := range []float64{1, 2, 5} {
			value := factor * math.Pow(10, decade)
			if at := math.Log10(value); at >= least && at <= most {
				ticks = append(ticks, plot.Tick{Value: at, Label: tickLabel(value)})
			}
		}
	}
	return ticks
}

// tickLabel writes a value with as few digits as it needs.
func tickLabel(value float64) string {
	if value < 1 {
		return fmt.Sprint(value)
	}
	return digits(int(math.Round(value)))
}

// render draws p with its legend to the right, where it hides nothing.
func render(p *plot.Plot, legend plot.Legend) ([]byte, error) {
	for _, s := range []*text.Style{
		&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &legend.TextStyle,
	} {
		s.Font.Variant, s.Font.Size = "Sans", fontSize
	}
	p.Title.TextStyle.Font.Size = fontSize + 1
	legend.Left, legend.Top, legend.Padding = true, true, 4
	legend.ThumbnailWidth = 26

	canvas := vgsvg.New(width, height)
	whole := draw.New(canvas)
	whole.SetColor(color.White)
	whole.Fill(whole.Rectangle.Path())
	p.Draw(draw.Crop(whole, margin, -legendWidth, margin, -margin))
	legend.Draw(draw.Crop(whole, width-legendWidth+2*margin, 0, 0, -4*margin))
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return nil, err
	}
	// The fonts are not a part of the file: where there is none of that name, a similar one must do.
	return bytes.ReplaceAll(svg.Bytes(), []byte("Liberation Sans"), []byte("Liberation Sans,Arial,Helvetica,sans-serif")), nil
}
