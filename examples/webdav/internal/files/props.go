package files

import (
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io/fs"
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
	props := map[xml.Name]webdav.Property{}
	text, err := f.dir.root.ReadFile(propsFile(f.name))
	if errors.Is(err, fs.ErrNotExist) {
		return props, nil
	}
	var list []webdav.Property
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	for _, p := range list {
		props[p.XMLName] = p
	}
	return props, err
}

// Patch changes the properties, all or none. It replaces their file in one step.
func (f *file) Patch(patches []webdav.Proppatch) ([]webdav.Propstat, error) {
	props, err := f.DeadProps()
	if err != nil {
		return nil, err
	}
	stat := webdav.Propstat{Status: http.StatusOK}
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
	list := make([]webdav.Property, 0, len(props))
	for _, p := range props {
		list = append(list, p)
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	if len(text) > mostProps {
		stat.Status = http.StatusInsufficientStorage
		return []webdav.Propstat{stat}, nil
	}
	return []webdav.Propstat{stat}, f.dir.writeProps(f.name, text, len(list) == 0)
}

// propsFile returns the name of the file with the properties of a resource.
func propsFile(name string) string {
	if name == "." {
		return hidden + "/root"
	}
	return path.Join(path.Dir(name), hidden, "props", path.Base(name))
}

func (d *Dir) writeProps(name string, text []byte, empty bool) error {
	if empty {
		return d.removeProps(name)
	}
	file := propsFile(name)
	if err := d.root.MkdirAll(path.Dir(file), 0o755); err != nil {
		return err
	}
	if err := d.root.MkdirAll(uploads, 0o755); err != nil {
		return err
	}
	temp := uploads + "/" + rand.Text()
	if err := d.root.WriteFile(temp, text, 0o644); err != nil {
		return err
	}
	return d.root.Rename(temp, file)
}

func (d *Dir) removeProps(name string) error {
	return ignoreMissing(d.root.Remove(propsFile(name)))
}

func (d *Dir) renameProps(from, to string) error {
	if _, err := d.root.Stat(propsFile(from)); err != nil {
		return d.removeProps(to)
	}
	if err := d.root.MkdirAll(path.Dir(propsFile(to)), 0o755); err != nil {
		return err
	}
	return d.root.Rename(propsFile(from), propsFile(to))
}
