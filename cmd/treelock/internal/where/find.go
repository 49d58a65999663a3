package where

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
)

// A place has the values of some settings.
type place struct {
	kind error // of an error in it: ErrUsage or ErrConfig
	// get returns the value of a setting, and what to call the place of it.
	get func(setting) (text, name string, ok bool)
}

// Find returns the settings. It reads files and asks the socket of treelock dev, and does not
// connect to etcd. An error is an [ErrUsage] or an [ErrConfig].
func (f *Flags) Find() (*Settings, error) {
	s := &Settings{Verbose: f.verbose}
	places := []place{{ErrUsage, f.get}, {ErrConfig, getenv}}
	user, err := userFile()
	if err != nil {
		return nil, err
	}
	machine, err := readFile(machineFile, trusted)
	if err != nil {
		return nil, err
	}
	// The root says where the project's file is, so that file does not count for it.
	root, _ := settingOf("root")
	rootSource, err := s.find(root, append(places[:2:2], user, machine))
	if err != nil {
		return nil, err
	}
	if rootSource.Place == inRepository || rootSource.Place == inFolder {
		if err := checkOwner(filepath.Join(s.Root, projectFile)); err != nil {
			return nil, &kindError{ErrConfig, err}
		}
	}
	project, err := readFile(filepath.Join(s.Root, projectFile), untrusted)
	if err != nil {
		return nil, err
	}
	places = append(places, project, user, machine)
	for _, set := range table {
		source := rootSource
		if set.key != root.key {
			if source, err = s.find(set, places); err != nil {
				return nil, err
			}
		}
		s.remember(&source, project)
		if source.Place != "" {
			s.Sources = append(s.Sources, source)
		}
	}
	return s, s.configure()
}

func (f *Flags) get(set setting) (text, name string, ok bool) {
	text, ok = f.text(set.flag)
	return text, "--" + set.flag, ok
}

// getenv takes an empty variable as none, as etcdctl does.
func getenv(set setting) (text, name string, ok bool) {
	names := []string{set.env}
	if set.key == "endpoints" {
		names = []string{handedOn, set.env}
	}
	for _, name := range names {
		if text = os.Getenv(name); text != "" {
			return text, name, true
		}
	}
	return "", "", false
}

// handedOn is the variable by which treelock run hands the endpoints on to what it runs.
const handedOn = "TREELOCK_ETCD"

// remember undoes what endpoints have gained when they were handed on: those of the project's file
// get no password, and treelock dev knows no users.
func (s *Settings) remember(source *Source, project place) {
	if source.Place != handedOn {
		return
	}
	endpoints, _ := settingOf(source.Key)
	theirs := &Settings{}
	if text, name, ok := project.get(endpoints); ok && theirs.setEndpoints(text) == nil && theirs.Etcd() == s.Etcd() {
		source.Place = name
	}
	socket, err := DevSocket()
	s.Dev = err == nil && s.Etcd() == SocketEndpoint(socket)
}

// find sets a setting from the first place that has it, else to the default.
func (s *Settings) find(set setting, places []place) (Source, error) {
	for _, p := range places {
		text, name, ok := p.get(set)
		if !ok {
			continue
		}
		source := Source{set.key, set.show(text), name}
		if err := set.set(s, text); err != nil {
			return source, &kindError{p.kind, fmt.Errorf("%s: %s %s: %w", name, set.key, source.Value, err)}
		}
		return source, nil
	}
	text, name, err := s.standard(set)
	if err != nil || name == "" {
		return Source{}, err
	}
	if err := set.set(s, text); err != nil {
		return Source{}, &kindError{ErrConfig, fmt.Errorf("%s: %s %s: %w", name, set.key, set.show(text), err)}
	}
	return Source{set.key, set.show(text), name}, nil
}

// standard returns the default of a setting, and where it comes from. There is none if that is "".
func (s *Settings) standard(set setting) (text, name string, err error) {
	switch set.key {
	case "endpoints":
		endpoint, err := devEndpoint()
		s.Dev = err == nil
		return endpoint, "treelock dev", err
	case "prefix":
		return defaultPrefix, "default", nil
	case "root":
		return defaultRoot()
	case "raw":
		return "false", "default", nil
	case "name":
		return defaultName(), "default", nil
	case "ttl":
		return defaultTTL.String(), "default", nil
	case "connect-timeout":
		return defaultConnect.String(), "default", nil
	}
	return "", "", nil
}

// Where a root comes from that was not named.
const (
	inRepository = "git repository"
	inFolder     = "working directory"
)

// defaultRoot returns the top folder of the git repository that has the working directory, else the
// working directory. It resolves symbolic links first, as git does: the parents of a link are not
// those of the folder.
func defaultRoot() (root, name string, err error) {
	dir, err := os.Getwd()
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", "", &kindError{ErrConfig, fmt.Errorf("find the root folder: %w", err)}
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at, inRepository, nil
		}
		if at == filepath.Dir(at) {
			return dir, inFolder, nil
		}
	}
}

// defaultName returns user@host:pid.
func defaultName() string {
	name, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return fmt.Sprintf("%s@%s:%d", name, host, os.Getpid())
}
