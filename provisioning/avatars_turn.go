package provisioning

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientation returns how a camera held a JPEG picture (Exif 2.32, tag 0x0112): 1 upright, up to 8. Everything that cannot be read is upright.
func orientation(content []byte) int {
	if !bytes.HasPrefix(content, []byte("\xff\xd8")) {
		return 1
	}
	for rest := content[2:]; len(rest) >= 4 && rest[0] == 0xff; {
		length := int(binary.BigEndian.Uint16(rest[2:])) + 2
		if rest[1] == 0xda || length < 4 || length > len(rest) { // the pixels begin
			return 1
		}
		if tiff, ok := bytes.CutPrefix(rest[4:length], []byte("Exif\x00\x00")); ok && rest[1] == 0xe1 {
			return tiffOrientation(tiff)
		}
		rest = rest[length:]
	}
	return 1
}

// tiffOrientation looks through the first directory of a TIFF structure.
func tiffOrientation(tiff []byte) int {
	const entry, tag = 12, 0x0112
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(tiff, []byte("MM")) {
		order = binary.BigEndian
	}
	if len(tiff) < 8 {
		return 1
	}
	at := int64(order.Uint32(tiff[4:]))
	if at < 8 || at+2 > int64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < entry {
			return 1
		}
		if order.Uint16(entries) == tag {
			if n := int(order.Uint16(entries[8:])); n >= 1 && n <= 8 {
				return n
			}
			return 1
		}
		entries = entries[entry:]
	}
	return 1
}

// turn returns a square picture upright that was taken in an orientation.
func turn(src *image.RGBA, orientation int) *image.RGBA {
	if orientation <= 1 || orientation > 8 {
		return src
	}
	last := src.Bounds().Dx() - 1
	dst := image.NewRGBA(src.Bounds())
	for y := range last + 1 {
		for x := range last + 1 {
			// Where the pixel that belongs to (x, y) stands in the picture as it was taken.
			from := [...]image.Point{
				2: {last - x, y}, 3: {last - x, last - y}, 4: {x, last - y}, 5: {y, x}, 6: {y, last - x}, 7: {last - y, last - x}, 8: {last - y, x},
			}[orientation]
			dst.SetRGBA(x, y, src.RGBAAt(from.X, from.Y))
		}
	}
	return dst
}
