package main

import (
	"io"
	"net/rpc"
)

// Calls are what one worker may call in the parent.
type Calls struct {
	service *service
	worker  int
	setup   Setup
	ready   chan<- int      // to the goroutine that runs the workers: this worker has its locks
	begin   <-chan struct{} // closed when all workers are ready
	stop    <-chan struct{} // closed when the workers are to stop
	gone    chan struct{}   // closed when the connection has ended; nothing is sent
}

// serve answers the calls that come in until the connection ends. It returns when all are answered.
func (c *Calls) serve(conn pipes) {
	c.gone = make(chan struct{})
	conn.ReadCloser = &watched{conn.ReadCloser, c.gone}
	server := rpc.NewServer()
	if err := server.Register(c); err != nil {
		panic(err)
	}
	server.ServeConn(conn)
}

// Setup tells the worker what to do.
func (c *Calls) Setup(_ struct{}, r *Setup) error { *r = c.setup; return nil }

// Ready returns when all workers have called it.
func (c *Calls) Ready(struct{}, *Reply) error {
	c.ready <- c.worker
	select {
	case <-c.begin:
	case <-c.stop:
	case <-c.gone:
	}
	return nil
}

// Stop returns when the worker must begin no further operation.
func (c *Calls) Stop(struct{}, *Reply) error {
	select {
	case <-c.stop:
	case <-c.gone:
	}
	return nil
}

// Begin registers an operation.
func (c *Calls) Begin(b Begin, r *Reply) error { *r = c.service.begin(c.worker, b); return nil }

// End tells that an operation is over.
func (c *Calls) End(by By, _ *Reply) error { c.service.end(by); return nil }

// Between is called where the worker has checked that it holds its lock, and has not yet sent the
// write, after a [Reply] that asks for that. The worker may be stopped there.
func (c *Calls) Between(struct{}, *Reply) error { c.service.between(c.worker); return nil }

// Call does an operation on the store.
func (c *Calls) Call(call Call, r *Reply) error { *r = c.service.call(c.worker, call); return nil }

// Versions returns what the slots of Transfer.Src must hold.
func (c *Calls) Versions(rec Record, r *Reply) error {
	*r = c.service.versions(c.worker, rec)
	return nil
}

// Record writes the outcome of an operation into the ledger.
func (c *Calls) Record(rec Record, r *Reply) error {
	*r = c.service.record(c.worker, rec)
	return nil
}

// Repaired records that an operation was taken over.
func (c *Calls) Repaired(by By, r *Reply) error { *r = c.service.repaired(c.worker, by); return nil }

// Ended counts an operation of a client.
func (c *Calls) Ended(e Ended, _ *Reply) error { c.service.ended(c.worker, e); return nil }

// A pipes is a connection of two pipes.
type pipes struct {
	io.ReadCloser
	io.WriteCloser
}

func (p pipes) Close() error {
	p.ReadCloser.Close()
	return p.WriteCloser.Close()
}

// A watched reader closes gone at its first error. It is for one goroutine.
type watched struct {
	io.ReadCloser
	gone chan struct{}
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.ReadCloser.Read(b)
	select {
	case <-w.gone:
	default:
		if err != nil {
			close(w.gone)
		}
	}
	return n, err
}
