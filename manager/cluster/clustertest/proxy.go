package clustertest

import (
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// A Proxy is a TCP connection to a server that can fail as a network does.
type Proxy struct {
	target   string
	listener net.Listener

	mu      sync.Mutex
	faults  Faults
	changed chan struct{} // closed when faults change
	conns   map[net.Conn]bool
	running sync.WaitGroup
}

// Faults are what a proxy does wrong.
type Faults struct {
	Cut      bool          // connections are closed, new ones too
	ToServer bool          // nothing reaches the server until that is over
	ToClient bool          // nothing reaches the client until that is over
	Delay    time.Duration // of all that is sent
}

// NewProxy starts a proxy for a server that clients reach at that URL.
func NewProxy(url string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{target: strings.TrimPrefix(url, "http://"), listener: l, changed: make(chan struct{}), conns: map[net.Conn]bool{}}
	p.running.Go(p.accept)
	return p, nil
}

// URL returns the URL for clients.
func (p *Proxy) URL() string { return "http://" + p.listener.Addr().String() }

// Set makes the proxy fail in that way from now on. The zero Faults are none.
func (p *Proxy) Set(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
	close(p.changed)
	p.changed = make(chan struct{})
	if f.Cut {
		for c := range p.conns {
			c.Close()
		}
	}
}

// Close ends all connections and the proxy.
func (p *Proxy) Close() {
	p.listener.Close()
	p.Set(Faults{Cut: true})
	p.running.Wait()
}

func (p *Proxy) state() (Faults, chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults, p.changed
}

// add notes a connection. It returns false, and closes it, while the proxy cuts.
func (p *Proxy) add(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.faults.Cut {
		c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		if p.add(c) {
			p.running.Go(func() { p.connect(c) })
		}
	}
}

// connect connects a client with the server, until either closes.
func (p *Proxy) connect(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		client.Close()
		return
	}
	if !p.add(server) {
		client.Close()
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.copy(server, client, func(f Faults) bool { return f.ToServer }) })
	both.Go(func() { p.copy(client, server, func(f Faults) bool { return f.ToClient }) })
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, client)
	delete(p.conns, server)
}

// copy sends what it receives, unless it is held, and closes both connections at the end.
func (p *Proxy) copy(to, from net.Conn, held func(Faults) bool) {
	type chunk struct {
		bytes []byte
		at    time.Time
	}
	chunks := make(chan chunk, 1024)
	go func() {
		defer close(chunks)
		for {
			b := make([]byte, 16<<10)
			n, err := from.Read(b)
			if n > 0 {
				chunks <- chunk{b[:n], time.Now()}
			}
			if err != nil {
				return
			}
		}
	}()
	defer func() {
		to.Close()
		from.Close()
		for range chunks { // until the reader has ended
		}
	}()
	for c := range chunks {
		f, changed := p.state()
		for held(f) && !f.Cut {
			<-changed
			f, changed = p.state()
		}
		time.Sleep(time.Until(c.at.Add(f.Delay)))
		if _, err := to.Write(c.bytes); err != nil && err != io.EOF {
			return
		}
	}
}
