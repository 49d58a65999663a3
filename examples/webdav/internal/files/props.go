package files

import (
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"slices"

	"golang.org/x/net/webdav"
)

// mostProps bounds the file of the properties of one resource.
const mostProps = 256 << 10

// A file is an open file or folder, with its dead properties.
type file struct {
	*os.File
	dir  *Dir
	name string
}

var _ webdav.DeadPropsHolder = (*file)(nil)

// Readdir returns the members of a folder that clients see.
func (f *file) Readdir(count int) ([]fs.FileInfo, error) {
	infos, err := f.File.Readdir(count)
	return slices.DeleteFunc(infos, func(i fs.FileInfo) bool {
		return Hidden(i.Name()) || !i.IsDir() && !i.Mode().IsRegular()
	}), err
}

// DeadProps returns the properties that clients have set.
func (f *file) DeadProps() (map[xml.Name]webdav.Property, error) {
	text, err := f.dir.root.ReadFile(PropsFile(f.name))
	if err := ignoreMissing(err); err != nil {
		return nil, err
	}
	return DecodeProps(text)
}

// Patch changes the properties, all or none. It replaces their file in one step.
func (f *file) Patch(patches []webdav.Proppatch) ([]webdav.Propstat, error) {
	props, err := f.DeadProps()
	if err != nil {
		return nil, err
	}
	text, stat, err := PatchProps(props, patches)
	if err == nil && stat.Status == http.StatusOK {
		err = f.dir.writeProps(f.name, text)
	}
	return []webdav.Propstat{stat}, err
}

// DecodeProps reads the text of a file of properties. There are none in an empty one.
func DecodeProps(text []byte) (map[xml.Name]webdav.Property, error) {
	props := map[xml.Name]webdav.Property{}
	if len(text) == 0 {
		return props, nil
	}
	var list []webdav.Property
	err := json.Unmarshal(text, &list)
	for _, p := range list {
		props[p.XMLName] = p
	}
	return props, err
}

// PatchProps changes properties, all or none, and returns the new text of their file. It is empty
// if none are left. The status says whether the change is one that can be made.
func PatchProps(props map[xml.Name]webdav.Property, patches []webdav.Proppatch) (text []byte, stat webdav.Propstat, err error) {
	stat.Status = http.StatusOK
	for _, patch := range patches {
		for _, p := range patch.Props {
			stat.Props = append(stat.Props, webdav.Property{XMLName: p.XMLName})
			if patch.Remove {
				delete(props, p.XMLName)
			} else {
				props[p.XMLName] = p
			}
		}
	}
	if len(props) == 0 {
		return nil, stat, nil
	}
	if text, err = json.Marshal(slices.Collect(maps.Values(props))); len(text) > mostProps {
		stat.Status = http.StatusInsufficientStorage
	}
	return text, stat, err
}

// PropsFile returns the name of the file with the properties of a resource.
func PropsFile(name string) string {
	if name == "." {
		return hidden + "/root"
	}
	return path.Join(path.Dir(name), hidden, "props", path.Base(name))
}

func (d *Dir) writeProps(name string, text []byte) error {
	if len(text) == 0 {
		return d.removeProps(name)
	}
	file := PropsFile(name)
	if err := d.root.MkdirAll(path.Dir(file), 0o755); err != nil {
		return err
	}
	if err := d.root.MkdirAll(Uploads, 0o755); err != nil {
		return err
	}
	temp := Uploads + "/" + rand.Text()
	if err := d.root.WriteFile(temp, text, 0o644); err != nil {
		return err
	}
	return d.root.Rename(temp, file)
}

func (d *Dir) removeProps(name string) error {
	return ignoreMissing(d.root.Remove(PropsFile(name)))
}

func (d *Dir) renameProps(from, to string) error {
	if _, err := d.root.Stat(PropsFile(from)); err != nil {
		return d.removeProps(to)
	}
	if err := d.root.MkdirAll(path.Dir(PropsFile(to)), 0o755); err != nil {
		return err
	}
	return d.root.Rename(PropsFile(from), PropsFile(to))
}
