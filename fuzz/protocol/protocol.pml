/*
 * The protocol between clients and the manager: who sends what when, and every race between
 * cancellation, grant, release, withdrawal, draining and stopping. The script run beside this file has
 * spin check it completely; README.md says what is left out and lists the properties, P1 to P11.
 *
 * Names are those of the Go code in manager/, in the order of its files. A comment "P3" marks the
 * assertion that states the property. The blocks "#if FAULT == n" are deliberate faults: each says what
 * the line that it changes is for, and run --faults shows that the checks notice.
 *
 * The mix of clients is set by -D flags:
 */

#ifndef INBOX
#define INBOX 1		/* capacity of the inbox */
#endif
#ifndef ACQUIRERS
#define ACQUIRERS 0	/* clients that call Acquire, with a ctx that may end */
#endif
#ifndef TRIERS
#define TRIERS 0	/* clients that call TryAcquire */
#endif
#ifndef SUBMITTERS
#define SUBMITTERS 0	/* clients that call Submit */
#endif
#ifndef RIVALS
#define RIVALS 0	/* 1: a second goroutine withdraws each ticket at any time */
#endif
#ifndef DRAINERS
#define DRAINERS 0	/* clients that call Drain, with a ctx that may end */
#endif
#ifndef ENDLESS
#define ENDLESS 0	/* clients that call for ever, to no effect */
#endif
#ifndef ROUNDS
#define ROUNDS 1	/* how often each of the first two kinds calls */
#endif
#ifndef STOP
#define STOP 0		/* 1: m.ctx ends, at any moment */
#endif
#ifndef SHARED
#define SHARED 0	/* 1: requests read or write, and writers may narrow to reading */
#endif
#ifndef TWICE
#define TWICE 0		/* 1: grants are released twice, the second time at any later moment */
#endif
#ifndef STEADY
#define STEADY 0	/* 1: no ctx ends */
#endif
#ifndef MAXWAITING
#define MAXWAITING 255	/* WithMaxWaiting; 255: no limit */
#endif
#ifndef FAULT
#define FAULT 0
#endif

#define LOCKERS	(ACQUIRERS + TRIERS + SUBMITTERS)
#define REQS	(LOCKERS + ENDLESS)	/* a client has one live request at a time */
#define CALLS	(ACQUIRERS * ROUNDS + TRIERS + SUBMITTERS + SHARED * LOCKERS + ENDLESS + 1)
#define NONE	255

/* Kinds of message, modes of call, errors. */
mtype = { acquire, release, withdraw, narrow, drain, stop, sealed };
mtype = { wait, noWait, ticket };
mtype = { ok, gaveUp, errStopped, errConflict, errBusy, errDraining, errNotHeld, errWithdrawn };

/* What clients and the manager share: the Manager, */
bool ctxEnded;					/* m.ctx.Err() != nil */
chan inbox = [INBOX] of { mtype, byte, byte, byte, byte };	/* kind, call, req, seq, done */
bool done, drained;				/* closed */

/* the calls, */
mtype mode[CALLS];
bool writes[CALLS];				/* what it claims: the one node, to write or to read */
chan answer[CALLS] = [1] of { mtype, byte, byte };	/* err, and the grant: req, seq */
byte callReq[CALLS], callSeq[CALLS];		/* call.grant; its request is NONE if there is none */

/* the tickets, each with the number of its call, */
chan granted[CALLS] = [1] of { byte, byte };	/* the grant: req, seq */
bool grantedClosed[CALLS], ended[CALLS];	/* closed */
mtype err[CALLS];

/* and the done channels of Withdraw: a ticket's own client and its rival have one each. */
bool withdrawDone[2 * CALLS];

/*
 * What only the properties know.
 */
mtype = { pool, client, manager };
mtype owner[CALLS];		/* who has the call: P10 */
bool lost[CALLS];		/* the client has left the call to the manager for ever */
bool delivered[CALLS];		/* its grant was received by the client */
bool withdrawn[CALLS];		/* a Withdraw has returned */
byte readers, writers;		/* the clients that hold */
byte running;			/* the clients that have not ended */
bool timerRuns, managerRuns;	/* the two goroutines of the manager */

/*
 * The lock table, for one node: internal/locktable proves the rule for trees. Storage of requests is
 * used again as soon as it is free.
 */
byte seq[REQS];			/* 0: not live */
bool shares[REQS];
bool held[REQS];
byte who[REQS];			/* the call that waits for it; NONE once it is granted */
byte lastSeq, live, waiting;
bool draining;

#define isWaiting(r)	(seq[r] != 0 && !held[r])
#if FAULT == 1
/* A request that waits is granted though somebody else holds. */
#define blocks(q, r)	(seq[q] != 0 && seq[q] < seq[r] && !held[q])
#else
#define blocks(q, r)	(seq[q] != 0 && seq[q] < seq[r] && !(shares[q] && shares[r]))
#endif

/* admit grants every request that no earlier live one conflicts with. Those have who set until deliver. */
inline admit() {
	r_ = 0;
	do
	:: r_ < REQS && isWaiting(r_) ->
		q_ = 0;
		do
		:: q_ < REQS && !blocks(q_, r_) -> q_++
		:: else -> break
		od;
		if
		:: q_ == REQS -> held[r_] = true; waiting--
		:: else
		fi;
		r_++
	:: r_ < REQS && !isWaiting(r_) -> r_++
	:: else -> break
	od;
	q_ = 0
}

inline tableSubmit(c, r) {
	d_step {
		assert(!drained);	/* P8 */
		r = 0;
		do
		:: r < REQS && seq[r] != 0 -> r++
		:: else -> break
		od;
		assert(r < REQS);	/* P4: what a client gave up is over before its next request arrives */
		lastSeq++; live++; waiting++;
		seq[r] = lastSeq; who[r] = c; held[r] = false; shares[r] = !writes[c];
		admit(); r_ = 0
	}
}

inline tableEnd(r) {
	d_step {
		assert(seq[r] != 0);
		if
		:: isWaiting(r) -> waiting--
		:: else
		fi;
		seq[r] = 0; who[r] = NONE; held[r] = false; shares[r] = false;
		live--;
		admit(); r_ = 0
	}
}

inline tableNarrow(r, c) {
	d_step {
		shares[r] = !writes[c];
		admit(); r_ = 0
	}
}

/*
 * message.go. A client looks whether the contexts have ended, and sends some time later: in the
 * gap between the two, everything can happen. A ctx may end if its client is fickle; then it does end
 * some time, if the client waits for long enough.
 */

inline send(k, c, r, s, d) {
	if
	:: ctxEnded -> res = errStopped
	:: !ctxEnded ->
		if
		:: inbox!k(c, r, s, d) -> res = ok
		:: full(inbox) ->
			if
			:: inbox!k(c, r, s, d) -> res = ok
#if FAULT != 2
			/* Without this a client waits for ever for room in a sealed inbox. */
			:: done -> res = errStopped
#endif
			fi
		fi
	fi
}

inline sendWithin(fickle, k, c) {
	if
	:: fickle -> res = gaveUp
	:: ctxEnded -> res = errStopped
	:: !ctxEnded ->
		if
		:: inbox!k(c, NONE, 0, NONE) -> res = ok
		:: full(inbox) ->
			if
			:: inbox!k(c, NONE, 0, NONE) -> res = ok
			:: fickle -> res = gaveUp
			:: done -> res = errStopped
			fi
		fi
	fi
}

/*
 * call.go. The client has a call until it is sent, and again from when the manager has answered.
 */

inline newCall(c, m, w) {
	d_step {
		c = 0;
		do
		:: c < CALLS && owner[c] != pool -> c++
		:: else -> break
		od;
		assert(c < CALLS);
		assert(empty(answer[c]) && callReq[c] == NONE);	/* P10 */
		owner[c] = client; mode[c] = m; writes[c] = w
	}
}

inline recycle(c) {
	d_step {
		assert(owner[c] == client);	/* P10 */
		owner[c] = pool; mode[c] = 0; writes[c] = false; callReq[c] = NONE; callSeq[c] = 0; delivered[c] = false
	}
}

/* touch is what the manager does first with a call. */
inline touch(c) {
	assert(owner[c] == manager || lost[c])	/* P10 */
}

/* reply answers c, which is the client's again. */
inline reply(c, e, r, s) {
	atomic {
		touch(c);
		assert(nfull(answer[c]));	/* P5 */
		owner[c] = client;
		answer[c]!e(r, s)
	}
}

/*
 * acquire.go.
 */

/* l_acquire is the arrival of a request. */
inline l_acquire(c, r) {
	atomic {
		touch(c);
		if
#if FAULT != 3
		/* Else requests arrive after Drain has said that nothing is live. */
		:: draining -> reply(c, errDraining, NONE, 0)
#endif
		:: else ->
			tableSubmit(c, r);
			if
			:: !held[r] && mode[c] == noWait -> tableEnd(r); reply(c, errConflict, NONE, 0)
			:: !held[r] && mode[c] != noWait && waiting > MAXWAITING -> tableEnd(r); reply(c, errBusy, NONE, 0)
			:: else ->
				callReq[c] = r; callSeq[c] = seq[r];
				if
				:: mode[c] == ticket -> reply(c, ok, NONE, 0); owner[c] = manager
				:: else
				fi
			fi
		fi
	};
	deliverAll()
}

inline deliver(r) {
	atomic {
		d_ = who[r];
		who[r] = NONE;
		if
		:: mode[d_] == ticket ->
			touch(d_);
			assert(nfull(granted[d_]));	/* P5 */
			granted[d_]!callReq[d_], callSeq[d_]
		:: else -> reply(d_, ok, callReq[d_], callSeq[d_])
		fi;
		d_ = 0
	}
}

/* deliverAll delivers what a step of the table has granted: clients may run between any two. */
inline deliverAll() {
	do
	:: atomic {
		n_ = 0;
		do
		:: n_ < REQS && !(held[n_] && who[n_] != NONE) -> n_++
		:: else -> break
		od;
		if
		:: n_ < REQS -> deliver(n_)
		:: else -> n_ = 0; break
		fi
	}
	od
}

/*
 * ticket.go.
 */

inline end(c, e) {
	assert(!ended[c] && !grantedClosed[c]);	/* P11 */
	err[c] = e;
	ended[c] = true;
	grantedClosed[c] = true
}

/*
 * withdraw.go.
 */

inline Withdraw(c, d) {
	send(withdraw, c, NONE, 0, d);
#if FAULT == 4
	/* Withdraw returns before the manager has seen it. */
	if
	:: res == ok -> skip
	:: else ->
#else
	if
	:: withdrawDone[d] -> assert(delivered[c] || grantedClosed[c])	/* P3 */
	:: done ->
#endif
		/* The manager has ended, and what it may have left in the channel is for whoever gets it. */
		if
#if FAULT == 5
		/* Withdraw leaves a grant in the channel, as the manager has ended. */
		:: true
#else
		:: granted[c]?_, _ -> end(c, errWithdrawn)
		:: empty(granted[c])	/* closed or not */
#endif
#if FAULT == 27
		/* Withdraw takes a closed channel for one with a grant. */
		:: grantedClosed[c] && empty(granted[c]) -> end(c, errWithdrawn)
#endif
		fi
	fi;
	withdrawn[c] = true
}

inline l_withdraw(c, r, d) {
	atomic {
		touch(c);
		r = callReq[c];
		if
#if FAULT != 6
		:: r != NONE && seq[r] == callSeq[c] ->
#else
		/* Without the number, a withdrawal is of whoever uses the storage now. */
		:: r != NONE && seq[r] != 0 ->
#endif
			if
			:: isWaiting(r) -> takenBack = true
			:: else -> takeBack(c)
			fi
		:: else
		fi;
		if
		:: takenBack -> tableEnd(r)
		:: else
		fi
	};
	if
	:: takenBack ->
		takenBack = false;
#if FAULT != 7
		/* Else those whom the withdrawal unblocks never hear of it. */
		deliverAll();
#endif
		if
		:: mode[c] == ticket -> end(c, errWithdrawn)
		:: mode[c] != ticket
		fi;
#if FAULT != 8
		/* Else Drain waits for ever if the last one is withdrawn. */
		settleDrain()
#endif
	:: !takenBack
	fi;
	if
	:: d != NONE -> withdrawDone[d] = true
	:: d == NONE
	fi
}

inline takeBack(c) {
	if
	:: mode[c] != ticket ->
#if FAULT == 9
		/* The manager leaves a grant that it has sent with a client that no longer receives. */
		skip
#else
		assert(nempty(answer[c]));	/* P5: nor does it wait for what it takes back */
		answer[c]?_, _, _;
		takenBack = true
#endif
#if FAULT == 10
	/* The manager waits for a grant that the client may have got. */
	:: else -> granted[c]?_, _; takenBack = true
#elif FAULT == 11
	/* The manager ends a request whose grant the client may have got. */
	:: else -> takenBack = true
#elif FAULT == 12
	/* The manager leaves a grant that it has sent in the ticket. */
	:: else
#else
	:: mode[c] == ticket && nempty(granted[c]) -> granted[c]?_, _; takenBack = true
	:: mode[c] == ticket && empty(granted[c])
#endif
	fi
}

/*
 * release.go.
 */

inline l_release(r, s) {
	if
	:: atomic {
#if FAULT == 13
		/* Without the number, a late second release ends whatever uses the storage now. */
		seq[r] != 0 ->
#else
		seq[r] == s ->
#endif
		tableEnd(r) };
		deliverAll();
		settleDrain()
	:: else
	fi
}

/*
 * narrow.go.
 */

inline l_narrow(c, r, s) {
	atomic {
		touch(c);
		if
		:: seq[r] != s -> reply(c, errNotHeld, NONE, 0)
		:: else -> tableNarrow(r, c); reply(c, ok, NONE, 0)
		fi
	};
#if FAULT != 14
	/* Else those whom the narrowing unblocks never hear of it. */
	deliverAll()
#endif
}

/*
 * drain.go.
 */

inline settleDrain() {
	atomic {
		if
#if FAULT == 15
		/* Those that hold are live, too. */
		:: draining && !drained && waiting == 0 ->
#else
		:: draining && !drained && live == 0 ->
#endif
			assert(live == 0);	/* P8 */
			drained = true
		:: else
		fi
	}
}

/*
 * stop.go.
 */

inline refuse(k, c) {
	if
#if FAULT == 16
	/* A message that came too late stays without an answer. */
	:: k == acquire -> reply(c, errStopped, NONE, 0)
#else
	:: k == acquire || k == narrow -> reply(c, errStopped, NONE, 0)
#endif
	:: else
	fi
}

inline l_stop() {
#if FAULT != 17
	/* Else those that wait do so for ever. */
	do
	:: n_ < REQS ->
		if
		:: isWaiting(n_) && mode[who[n_]] == ticket ->
#if FAULT == 18
			/* The answer of Submit may still be there. */
			reply(who[n_], errStopped, NONE, 0);
#endif
			end(who[n_], errStopped)
		:: isWaiting(n_) && mode[who[n_]] != ticket -> reply(who[n_], errStopped, NONE, 0)
		:: !isWaiting(n_)
		fi;
		n_++
	:: n_ == REQS -> break
	od;
#endif
#if FAULT != 19
	/* Else the goroutine that sends it may be left behind. */
	do
	:: kind != stop -> refuse(kind, c); inbox?kind, c, r, s, d
	:: kind == stop -> break
	od;
#else
	refuse(kind, c);
#endif
#if FAULT != 20
	/* Else a client that looked in time sends too late, and waits for ever for the answer. */
	seal()
#endif
}

inline seal() {
	n_ = 0;	/* own */
	do
	:: n_ < INBOX ->
		if
		:: inbox!sealed(0, 0, 0, 0)
		:: full(inbox) ->
#if FAULT == 21
			/* That it is full now says nothing about what it is full of. */
			break;
#endif
			inbox?kind, c, r, s, d;
			refuse(kind, c);
			if
			:: kind != sealed -> n_ = 0
			:: kind == sealed ->
				if
				:: inbox!sealed(0, 0, 0, 0) -> n_++
#if FAULT == 22
				/* A client was faster: it counts as an own message. */
				:: full(inbox) -> n_++
#elif FAULT == 23
				/* A round that only begins after every message but the first never ends. */
				:: full(inbox) || n_ > 0 -> n_ = 0
#else
				:: full(inbox) -> n_ = 0
#endif
				fi
			fi
		fi
	:: n_ == INBOX -> break
	od
}

/*
 * run.go.
 */

proctype run_() {
	mtype kind;
	byte c, r, s, d;
	byte n_, d_, r_, q_;	/* of the inlines */
	bool takenBack;

end_receive:
	do
	:: inbox?kind, c, r, s, d ->
		if
		:: ctxEnded -> break
		:: !ctxEnded	/* and may end now, before the message is dealt with */
		fi;
		if
		:: kind == acquire -> l_acquire(c, r)
		:: kind == release -> l_release(r, s)
		:: kind == withdraw -> l_withdraw(c, r, d)
		:: kind == narrow -> l_narrow(c, r, s)
		:: kind == drain -> draining = true; settleDrain()
		fi;
		atomic {
			assert(drained == (draining && live == 0));	/* P8 */
			kind = 0; c = 0; r = 0; s = 0; d = 0
		}
	od;
	l_stop();
	atomic { done = true; managerRuns = false }
}

/* afterFunc is the goroutine of context.AfterFunc. */
proctype afterFunc() {
end_waits:
	ctxEnded;
	timerRuns = true;
	inbox!stop(0, 0, 0, 0);
	timerRuns = false
}

/*
 * The clients.
 */

/* prepare is all that a client does before it sends a new call. */
inline prepare(c, m, w) {
	d_step { newCall(c, m, w); owner[c] = manager }
}

/* unsent is for a call that did not get into the inbox. */
inline unsent(c) {
	d_step { owner[c] = client; recycle(c) }
}

/* enter and leave are the first and the last moment of a hold. */
inline enter(w) {
	if
	:: w -> assert(readers == 0 && writers == 0); writers++	/* P2 */
	:: else -> assert(writers == 0); readers++	/* P2 */
	fi
}

inline leave(w, r, s) {
	assert(seq[r] == s && held[r]);	/* P7: what this client holds nobody else has ended */
	if
	:: w -> writers--
	:: else -> readers--
	fi
}

/* got is the moment in which a client receives the grant of call c. */
inline got(c, w, r, s) {
	assert(r != NONE && s != 0);
	assert(!delivered[c] && !withdrawn[c]);	/* P3 */
	delivered[c] = true;
	enter(w)
}

/* use is what a client does with a grant that it has got. */
inline use(w, r, s) {
#if TWICE
	if
	:: old != NONE -> send(release, 0, old, oldSeq, NONE)	/* again, while this client holds something else */
	:: true
	fi;
#endif
#if SHARED
	if
	:: w ->
		/* From now on others may read: before the answer is there. */
		atomic { writers--; readers++; w = false };
		Narrow(r, s);
		assert(res == ok || res == errStopped)
	:: true
	fi;
#endif
	d_step { leave(w, r, s) };
	send(release, 0, r, s, NONE);
#if TWICE
	if
	:: send(release, 0, r, s, NONE)	/* again, at any later moment */
	:: true
	fi;
	old = r; oldSeq = s;
#if SHARED
	if
	:: Narrow(r, s); assert(res == errNotHeld || res == errStopped)	/* P7 */
	:: true
	fi;
#endif
#endif
	d_step { r = 0; s = 0; w = false }
}

inline Narrow(r, s) {
	prepare(x, noWait, false);
	send(narrow, x, r, s, NONE);
	if
	:: res == ok -> atomic { answer[x]?res, _, _; recycle(x) }
	:: else -> unsent(x)
	fi;
	x = 0
}

inline choose(w) {
#if SHARED
	if
	:: w = true
	:: w = false
	fi
#else
	w = true
#endif
}

/* A client is fickle if its ctx ends some time. */
inline chooseFickle() {
#if STEADY
	fickle = false
#else
	if
	:: fickle = true
	:: fickle = false
	fi
#endif
}

#if ACQUIRERS
proctype acquirer() {
	mtype res;
	byte c, r, s, round;
#if TWICE
	byte old = NONE, oldSeq;
#endif
#if SHARED
	byte x;
#endif
	bool fickle, w;

	do
	:: round < ROUNDS ->
		atomic { round++; chooseFickle(); choose(w); prepare(c, wait, w) };
		sendWithin(fickle, acquire, c);
		if
		:: res != ok -> unsent(c)
		:: res == ok ->
			if
			:: atomic { answer[c]?res, r, s ->
				if
				:: res == ok -> got(c, w, r, s); recycle(c)
				:: else ->
					assert(res == errStopped && ctxEnded || res == errDraining && draining || res == errBusy);	/* P6 */
					recycle(c)
				fi };
				if
				:: res == ok -> use(w, r, s)
				:: else
				fi
			:: atomic { fickle -> lost[c] = true };
#if FAULT == 24
				/* Acquire leaves its request in the queue. */
				skip
#elif FAULT == 25
				/* The call is used again while the manager has it. */
				unsent(c); lost[c] = false
#elif FAULT == 26
				/* The withdrawal is given up when ctx ends, as it has already. */
				sendWithin(fickle, withdraw, c)
#else
				send(withdraw, c, NONE, 0, NONE)
#endif
#if LOCKERS == 1
				;
				/* P4: who comes later never waits for what was given up. */
				prepare(c, noWait, true);
				send(acquire, c, NONE, 0, NONE);
				if
				:: res != ok -> unsent(c)
				:: res == ok ->
					atomic { answer[c]?res, r, s ->
					if
					:: res == ok -> w = true; got(c, w, r, s)
					:: else -> assert(res == errStopped && ctxEnded || res == errDraining && draining)	/* P4 */
					fi;
					recycle(c) };
					if
					:: res == ok -> use(w, r, s)
					:: else
					fi
				fi
#endif
			fi
		fi;
		d_step { c = 0; r = 0; s = 0; w = false; fickle = false; res = 0 }
	:: round == ROUNDS -> break
	od;
	running--
}
#endif

#if TRIERS
proctype trier() {
	mtype res;
	byte c, r, s, round;
#if TWICE
	byte old = NONE, oldSeq;
#endif
#if SHARED
	byte x;
#endif
	bool w;

	do
	:: round < ROUNDS ->
		atomic { round++; choose(w); prepare(c, noWait, w) };
		send(acquire, c, NONE, 0, NONE);
		if
		:: res != ok -> unsent(c)
		:: res == ok ->
			atomic { answer[c]?res, r, s ->
			if
			:: res == ok -> got(c, w, r, s)
			:: else -> assert(res == errStopped && ctxEnded || res == errDraining && draining || res == errConflict)	/* P6 */
			fi;
			recycle(c) };
			if
			:: res == ok -> use(w, r, s)
			:: else
			fi
		fi;
		d_step { c = 0; r = 0; s = 0; w = false; res = 0 }
	:: round == ROUNDS -> break
	od;
	running--
}
#endif

#if SUBMITTERS
/* receive waits for the grant. An impatient client withdraws the ticket some time, before it has the grant or after. */
inline receive(c) {
	if
	:: atomic { granted[c]?r, s -> got(c, w, r, s) };
		if
		:: impatient -> Withdraw(c, 2 * c); impatient = false	/* which does nothing */
		:: true
		fi;
		use(w, r, s);
		if
		:: impatient -> Withdraw(c, 2 * c)	/* nor does this, whoever uses the storage now */
		:: else
		fi
	:: grantedClosed[c] && empty(granted[c]) ->
		assert(!delivered[c]);	/* P3 */
		assert(ended[c] && (err[c] == errStopped && ctxEnded || err[c] == errWithdrawn))	/* P6 */
	:: impatient -> Withdraw(c, 2 * c)
	fi
}

proctype submitter() {
	mtype res;
	byte c, r, s;
#if TWICE
	byte old = NONE, oldSeq;
#endif
#if SHARED
	byte x;
#endif
	bool fickle, impatient, w;

	atomic { chooseFickle(); choose(w); prepare(c, ticket, w) };
	sendWithin(fickle, acquire, c);
	if
	:: res == ok ->
		atomic { answer[c]?res, _, _; lost[c] = true };	/* a call of Submit is never used again */
		if
		:: res == ok ->
			atomic {
				if
				:: impatient = true
				:: impatient = false
				fi;
#if RIVALS
				running++;
				run rival(c)
#endif
			};
			if
			:: receive(c)
#if STOP
			:: true	/* the client never receives */
#endif
			fi
		:: else -> assert(res == errStopped && ctxEnded || res == errDraining && draining || res == errBusy)	/* P6 */
		fi
	:: else
	fi;
	d_step { c = 0; res = 0; fickle = false; impatient = false; w = false; running-- }
}

#if RIVALS
/* rival is another goroutine that withdraws the ticket, at any time. */
proctype rival(byte c) {
	mtype res;

	Withdraw(c, 2 * c + 1);
	running--
}
#endif
#endif

#if DRAINERS
proctype drainer() {
	mtype res;
	bool fickle;

	chooseFickle();
	send(drain, 0, 0, 0, NONE);
	if
	:: res != ok -> fickle = false	/* the manager was the first to end */
	:: else
	fi;
	if
	:: drained -> assert(live == 0)	/* P8 */
	:: fickle
	:: done ->
		if
		:: drained -> assert(live == 0)	/* P8 */
		:: !drained
		fi
	fi;
	running--
}
#endif

#if ENDLESS
bool calling[ENDLESS];

/* endless calls for ever, to no effect: with a grant that it has released long ago. */
proctype endless(byte i) {
	mtype res;
	byte x;

	do
	:: calling[i] = true;
		if
		:: send(release, 0, 0, 1, NONE)
		:: Narrow(0, 1); assert(res == errNotHeld || res == errStopped)
		fi;
		calling[i] = false
	od
}	/* never reached */

ltl stops { [] (ctxEnded -> <> done) }	/* P9 */
ltl returns { [] (done -> <> !calling[0]) }	/* P9 */
#endif

/*
 * The whole: who takes part, and what must be true when nobody can go on.
 */

proctype judge() {
	byte i;
	mtype kind;

	timeout;
	assert(running == 0);	/* P1: everybody who called got an answer */
#if STOP
	assert(done && !managerRuns && !timerRuns);	/* P6 */
	do
	:: inbox?kind, _, _, _, _ -> assert(kind == sealed); i++	/* P6 */
	:: empty(inbox) -> break
	od;
	assert(i == INBOX);	/* P6: nobody can send any more */
#else
	assert(empty(inbox) && managerRuns);
	assert(live == 0 && waiting == 0);	/* P4 */
	assert(drained == (DRAINERS > 0));	/* P8 */
#endif
	i = 0;
	do
	:: i < CALLS ->
		assert(owner[i] == pool || lost[i] || mode[i] == ticket);	/* P10: nor is a call forgotten */
		i++
	:: i == CALLS -> break
	od
}

init {
	byte i;

	atomic {
		do
		:: i < CALLS -> owner[i] = pool; callReq[i] = NONE; i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < REQS -> who[i] = NONE; i++
		:: else -> break
		od;
		managerRuns = true;
		run run_();
		run afterFunc();
		running = ACQUIRERS + TRIERS + SUBMITTERS + DRAINERS;
		i = 0;
#if ACQUIRERS
		do
		:: i < ACQUIRERS -> run acquirer(); i++
		:: else -> break
		od;
		i = 0;
#endif
#if TRIERS
		do
		:: i < TRIERS -> run trier(); i++
		:: else -> break
		od;
		i = 0;
#endif
#if SUBMITTERS
		do
		:: i < SUBMITTERS -> run submitter(); i++
		:: else -> break
		od;
		i = 0;
#endif
#if DRAINERS
		do
		:: i < DRAINERS -> run drainer(); i++
		:: else -> break
		od;
		i = 0;
#endif
#if ENDLESS
		do
		:: i < ENDLESS -> run endless(i); i++
		:: else -> break
		od;
		i = 0
#else
		run judge()
#endif
	};
#if STOP
	ctxEnded = true	/* at any moment */
#endif
}
