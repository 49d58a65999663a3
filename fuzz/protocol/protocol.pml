/*
 * The protocol between clients and the manager: who sends what when, and every race between
 * cancellation, grant, release, withdrawal, draining and stopping. The script run beside this file has
 * spin check it completely; README.md says what is left out and lists the properties, P1 to P22.
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
#define RIVALS 0	/* 1: a second goroutine withdraws each ticket at any time, or asks for its error */
#endif
#ifndef DRAINERS
#define DRAINERS 0	/* clients that call Drain, with a ctx that may end */
#endif
#ifndef SHUTDOWN
#define SHUTDOWN 0	/* 1: those that call Drain call Shutdown */
#endif
#ifndef COUNTERS
#define COUNTERS 0	/* clients that call Stats */
#endif
#ifndef SURVEYORS
#define SURVEYORS 0	/* 1: a client takes a snapshot, with a ctx that may end if there are no acquirers */
#endif
#ifndef SUSPENDERS
#define SUSPENDERS 0	/* 1: a client suspends the node, with a ctx that may end, and resumes it */
#endif
#ifndef NESTERS
#define NESTERS 0	/* clients that lock, and have goroutines that acquire inside the grant */
#endif
#ifndef HELPERS
#define HELPERS 0	/* how many */
#endif
#ifndef UNDER
#define UNDER 0		/* 1: a nester also calls Acquire under its grant, which must be refused */
#endif
#ifndef GROWERS
#define GROWERS 0	/* clients that read, and widen to writing, with a ctx that may end */
#endif
#ifndef RELEASERS
#define RELEASERS 0	/* 1: another goroutine releases the grant of each grower at any moment */
#endif
#ifndef REVOKERS
#define REVOKERS 0	/* clients that revoke a live request, whichever */
#endif
#ifndef ENDLESS
#define ENDLESS 0	/* clients that call for ever, to no effect */
#endif
#ifndef ROUNDS
#define ROUNDS 1	/* how often each of the first two kinds calls */
#endif
#ifndef STOP
#define STOP 0		/* 1: the context given to Start ends, at any moment */
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
#ifndef HASTY
#define HASTY 0		/* 1: a Submit or a Snapshot whose ctx ends does not wait for the answer to what is in the inbox */
#endif
#ifndef KEEP
#define KEEP 0		/* 1: a trier holds until all others have returned; so every ctx ends, and every ticket is withdrawn */
#endif
#ifndef MAXWAITING
#define MAXWAITING 255	/* WithMaxWaiting; 255: no limit */
#endif
#ifndef FAULT
#define FAULT 0
#endif

#define LOCKERS	(ACQUIRERS + TRIERS + SUBMITTERS + NESTERS * (1 + HELPERS + UNDER) + 2 * GROWERS)
#if SURVEYORS + SUSPENDERS && LOCKERS == 1
#define REQS	2	/* that a survey takes more than one step */
#else
#define REQS	(LOCKERS + ENDLESS)	/* a client has one live request at a time, and a grower two */
#endif
#define CALLS	(ACQUIRERS * ROUNDS + TRIERS + SUBMITTERS * (1 + RIVALS + HASTY) + ENDLESS + COUNTERS + SURVEYORS + SUSPENDERS + NESTERS * (1 + HELPERS) + GROWERS + REVOKERS + 1)
#if SUBMITTERS
#define TICKETS	SUBMITTERS
#else
#define TICKETS	1	/* no array is empty */
#endif
#define NONE	255
#define SEQS	((LOCKERS + 1) * ROUNDS + 1)	/* more than any sequence number: one that gives up may try again */

/* Kinds of message, modes of call, verdicts, errors. */
mtype = { kindAcquire, kindRelease, kindCancel, kindWithdraw, kindAsk, kindNarrow, kindWiden, kindRevoke, kindDrain, kindCount, kindLook, kindLookAway, kindSuspend, kindComplete, kindResume, kindStop, kindSealed };
mtype = { modeWait, modeNoWait, modeTicket };
mtype = { verdictDone, verdictRefused, verdictMustWait, verdictCanceled };
mtype = { errCanceled, errStopped, errConflict, errBusy, errDraining, errNotHeld, errWithdrawn, errReleased, errLost, errDeadlock, errSuspended };
#define ok 0	/* no error */

/* What clients and the manager share: the Manager, */
bool ctxEnded;					/* the context given to Start has ended */
bool stopping;					/* m.stopBegun is closed */
chan inbox = [INBOX] of { mtype, byte, byte, byte, bit };	/* kind, call, req, seq; late says when it was sent, for P17 */
#if INBOX > 1
#define late	ctxEnded	/* the context had ended when the message was sent */
#else
#define late	0	/* each message is a batch of its own */
#endif
bool done, drained;				/* closed */
bool final;					/* m.final is what Stats returns once done is closed */
chan cancelSem = [1] of { bit };			/* tokens: one, that clients wait for each other; 8 in the code */

/* the calls, */
mtype mode[CALLS];
bool writes[CALLS];				/* what it claims: the one node, to write or to read */
bool expectWait[CALLS];
#if FAULT == 28
/* The client may not have received that it has to wait when it is granted. */
chan replies[CALLS] = [1] of { mtype };
#else
chan replies[CALLS] = [2] of { mtype };		/* verdicts */
#endif
byte callTicket[CALLS];				/* NONE if it is about none */
byte callReq[CALLS], callSeq[CALLS];		/* call.grant; its request is NONE if there is none */
mtype callErr[CALLS];
bool callWidens[CALLS], callToken[CALLS];	/* of kindWiden; call.grant is granted */
byte callUnder[CALLS];				/* the grant in its context, or NONE */

/* and the tickets. */
chan granted[TICKETS] = [1] of { byte, byte };	/* the grant: req, seq */
bool grantedClosed[TICKETS];
byte ticketReq[TICKETS], ticketSeq[TICKETS];	/* with NONE, the other says why there is no grant: */
#define stoppedTicket 0
#define withdrawnTicket 1
#define lostTicket 2

/* And the survey. */
bool begun;
byte latest, left;	/* survey.last and left */

/* And the suspension. */
bool suspensionOver;			/* suspension.over is closed */

/*
 * What only the properties know.
 */
mtype = { pool, client, manager };
mtype owner[CALLS];		/* who has the call: P10 */
bool dropped[CALLS];		/* the client does not look at the call again: what the manager answers is garbage */
bool canceled[CALLS];		/* the client has left the call to the manager until it is gone, or for ever */
byte context[CALLS];		/* of an Acquire: see lapse; 0 if it never ends */
#define mayEnd 1
#define hasEnded 2	/* before the grant was made */
bool delivered[TICKETS];	/* its grant was received by the client */
byte withdrawing[TICKETS];	/* the calls of Withdraw that have not returned */
bool withdrawn[TICKETS];	/* a Withdraw has returned */
bool ticketsLeft;		/* the manager does nothing more with any ticket */
byte entered[SEQS];		/* as what the client of a request holds now, 0 if it holds nothing: */
#define reads 1
#define wrote 2
#define readsInside 3		/* inside a grant */
#define wroteInside 4
byte holders[5];			/* the clients that hold so */
bool gone[SEQS];		/* its release or revocation has arrived */
byte running;			/* the clients that have not ended */
byte unseen[SEQS];		/* what the survey has still to see of each request, as it was when the survey began: see standing */
bool building;		/* the survey is its client's */
bool timerRuns, managerRuns;	/* the two goroutines of the manager */

/*
 * The lock table, for one node: internal/locktable proves the rule for trees. Storage of requests is
 * used again as soon as it is free.
 */
byte seq[REQS];			/* 0: not live */
bool shares[REQS];
bool held[REQS];
byte who[REQS];			/* the call that waits for it, or CALLS and the ticket; NONE once it is granted */
byte inside[REQS], widens[REQS];	/* the grant that it is inside, or that it widens, or NONE */
byte under[REQS];		/* the grant that the caller holds while it waits, or NONE */
bool released[REQS];		/* lives on for the grants inside it */
bool lost[SEQS];		/* loop.revoked, and Lost is closed */
bool forgotten[SEQS];		/* it is not in loop.revoked any more */
byte lastSeq, live, waiting;
bool draining;
bool surveying;			/* the survey is in loop.surveys */
bool suspended, complete;	/* the suspension is in loop.suspensions; all that is live there is known */
byte counted;			/* suspension.live, a bit for each request */
#define bit(r)	(1 << (r))

#define isInside(q, r)	(q < REQS && seq[(q) % REQS] != 0 && inside[(q) % REQS] == r)
#define anyInside(r)	(isInside(0, r) || isInside(1, r) || isInside(2, r) || isInside(3, r) || isInside(4, r))
#define writesIn(q, r)	(isInside(q, r) && !shares[(q) % REQS])
#define anyWritesIn(r)	(writesIn(0, r) || writesIn(1, r) || writesIn(2, r) || writesIn(3, r) || writesIn(4, r))
#define isWaiting(r)	(seq[r] != 0 && !held[r])
#define conflict(q, r)	(!(shares[q] && shares[r]))
#if FAULT == 52
/* A widening waits for those that wait for its grant. */
#define passes(r, q)	(q == widens[r])
#else
/* A widening passes its grant, and those that wait for that. */
#define passes(r, q)	(widens[r] != NONE && (q == widens[r] || isWaiting(q) && seq[q] > seq[widens[r]] && conflict(q, widens[r])))
#endif
#if FAULT == 1
/* A request that waits is granted though somebody else holds. */
#define blocks(q, r)	(seq[q] != 0 && seq[q] < seq[r] && inside[q] == inside[r] && !held[q])
#else
#define blocks(q, r)	(seq[q] != 0 && seq[q] < seq[r] && inside[q] == inside[r] && conflict(q, r) && !passes(r, q))
#endif

/* admit grants every request that no earlier live one conflicts with. Those that waited have who set until deliverAll. */
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

inline tableSubmit(c, r, in, grows) {
	d_step {
		assert(!drained);	/* P8 */
		assert(!suspended || !suspensionOver);	/* P22 */
		r = 0;
		do
		:: r < REQS && seq[r] != 0 -> r++
		:: else -> break
		od;
		assert(r < REQS);	/* P4: what a client gave up is over before its next request arrives */
		lastSeq++; live++; waiting++;
		seq[r] = lastSeq; who[r] = NONE; held[r] = false; shares[r] = !writes[c];
		inside[r] = in; widens[r] = grows; under[r] = NONE;
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
		counted = counted & ~bit(r);
		seq[r] = 0; who[r] = NONE; held[r] = false; shares[r] = false;
		widens[r] = NONE; under[r] = NONE; released[r] = false;
		r_ = 0;
		do
		:: r_ < REQS -> under[r_] = (under[r_] == r -> NONE : under[r_]); r_++
		:: else -> break
		od;
		live--;
		if
		:: inside[r] != NONE && released[inside[r]] && !anyInside(inside[r]) -> up_ = inside[r]
		:: else
		fi;
		inside[r] = NONE;
		admit(); r_ = 0
	}
}

/* circle finds out whether r, which would wait, closes a circle: whether a grant that its caller holds waits for it. */
inline circle(c, r) {
	d_step {
		q_ = 0;
		do
		:: q_ < REQS -> found_[q_] = blocks(q_, r); q_++
		:: else -> break
		od;
		n_ = 0;
		do
		:: n_ < REQS * REQS * REQS ->	/* often enough */
			q_ = n_ % REQS; r_ = (n_ / REQS) % REQS;
			if
			:: found_[q_] && seq[r_] != 0 && (isWaiting(q_) && blocks(r_, q_) || held[q_] && inside[r_] == q_ ||
				held[q_] && isWaiting(r_) && (widens[r_] == q_ || under[r_] == q_ && !released[q_])) -> found_[r_] = true
			:: else
			fi;
			n_++
		:: else -> break
		od;
		n_ = 0;
		do
		:: n_ < REQS -> circle_ = circle_ || found_[n_] && (widens[r] == n_ || callUnder[c] == n_); found_[n_] = false; n_++
		:: else -> break
		od;
		n_ = 0; q_ = 0; r_ = 0
#if FAULT == 53
		/* Else those in the circle wait for ever. */
		; circle_ = false
#endif
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

inline send(k, c, r, s) {
	if
	:: stopping -> res = errStopped
	:: !stopping ->
		if
		:: inbox!k(c, r, s, late) -> res = ok
		:: full(inbox) ->
			if
			:: inbox!k(c, r, s, late) -> res = ok
#if FAULT != 2
			/* Without this a client waits for ever for room in a sealed inbox. */
			:: done -> res = errStopped
#endif
			fi
		fi
	fi
}

/* post does not wait: a goroutine of its own sends if there is no room. Clients do nothing after it, so here they do. */
inline post(k, c) {
	if
	:: inbox!k(c, NONE, 0, late) -> res = ok	/* without a look at the contexts */
	:: full(inbox) -> send(k, c, NONE, 0)
	fi
}

inline sendWithin(fickle, k, c, r, s) {
	if
	:: fickle -> res = errCanceled
	:: stopping -> res = errStopped
	:: !stopping ->
		if
		:: inbox!k(c, r, s, late) -> res = ok
		:: full(inbox) ->
			if
			:: inbox!k(c, r, s, late) -> res = ok
			:: fickle -> res = errCanceled
			:: done -> res = errStopped
			fi
		fi
	fi
}

/*
 * call.go. The client has a call until it is sent, and again from when the manager has given the last answer.
 */

inline newCall(c, m, w) {
	d_step {
		c = 0;
		do
		:: c < CALLS && owner[c] != pool && !(dropped[c] && len(replies[c]) > 0) -> c++
		:: else -> break
		od;
		assert(c < CALLS);
#if HASTY
		if
		:: dropped[c] -> replies[c]?_; recycle(c)	/* as the garbage collector does */
		:: else
		fi;
#endif
		assert(empty(replies[c]) && callTicket[c] == NONE && callReq[c] == NONE && callErr[c] == ok);	/* P10 */
		owner[c] = client; mode[c] = m; writes[c] = w
	}
}

/* result takes the error of the last answer, which the client has received. */
inline result(c) {
	d_step { res = callErr[c]; recycle(c) }
}

inline recycle(c) {
	d_step {
		assert(owner[c] == client);	/* P10 */
		owner[c] = pool; mode[c] = 0; writes[c] = false; expectWait[c] = false; context[c] = 0;
		callTicket[c] = NONE; callReq[c] = NONE; callSeq[c] = 0; callErr[c] = ok; dropped[c] = false;
		callWidens[c] = false; callToken[c] = false; callUnder[c] = NONE
	}
}

/* drop is the last that a client does with a call that it has sent: it does not wait for the answer. */
inline drop(c) {
	dropped[c] = true
}

/* touch is what the manager does first with a call. */
inline touch(c) {
	assert(owner[c] == manager)	/* P10 */
}

/* last gives the last answer to c, which is the client's again; but if it is given up, only gone is the last. */
inline last(c, verdict) {
	atomic {
		touch(c);
		assert(nfull(replies[c]));	/* P5 */
		d_step {
			owner[c] = (canceled[c] && verdict != verdictCanceled -> manager : client);
			canceled[c] = (owner[c] == manager)
		};
		replies[c]!verdict
	}
}

inline c_deliver(c, r) {
	atomic {
		touch(c);
		callReq[c] = r; callSeq[c] = seq[r]; callToken[c] = callWidens[c];
		last(c, verdictDone)
	}
}

inline c_refuse(c, e) {
	atomic {
		touch(c);
#if FAULT != 34
		/* Else what a client waited for in vain comes with the error. */
		callReq[c] = NONE; callSeq[c] = 0;
#endif
		callErr[c] = e;
		last(c, verdictRefused)
	}
}

inline c_confirmCancel(c) {
	atomic {
		touch(c);
#if FAULT == 54
		/* Who gives up a widening that was granted is not told that it holds more. */
		callReq[c] = NONE; callSeq[c] = 0; callErr[c] = ok;
#else
		callReq[c] = (callToken[c] -> callReq[c] : NONE); callSeq[c] = (callToken[c] -> callSeq[c] : 0); callErr[c] = ok;
#endif
		last(c, verdictCanceled)
	}
}

/*
 * acquire.go.
 */

/* l_acquire is the arrival of a request. */
/* A request inside a grant never outlives it unless it was granted before. */
#define isOver(r, s)	(seq[r] != s || released[r])
#define whyOver(s)	(lost[s] && !forgotten[s] -> errLost : errReleased)

inline l_acquire(c, r, s, t) {
	atomic {
		touch(c);
		o_ = r;
		if
#if FAULT == 55
		/* A released grant takes requests in while it lives on. */
		:: o_ != NONE && seq[o_] != s -> c_refuse(c, whyOver(s))
#else
		:: o_ != NONE && isOver(o_, s) -> c_refuse(c, whyOver(s))
#endif
		:: o_ != NONE && !isOver(o_, s) && shares[o_] && writes[c] -> c_refuse(c, errNotHeld)
#if FAULT != 3
		/* Else requests arrive after Drain has said that nothing is live. */
		:: draining && o_ == NONE -> c_refuse(c, errDraining)
#endif
		:: !draining && o_ == NONE && suspended -> c_refuse(c, errSuspended)
		:: else ->
			tableSubmit(c, r, o_, NONE);
			assert(!held[r] || o_ == NONE || !gone[seq[o_]]);	/* P18 */
			if
			:: !held[r] && mode[c] == modeWait && callUnder[c] != NONE ->
				callUnder[c] = (isOver(callUnder[c], s) -> NONE : callUnder[c]);
				circle(c, r)
			:: else
			fi;
			if
			:: circle_ ->
				assert(!gone[s]);	/* P19 */
				circle_ = false; tableEnd(r); c_refuse(c, errDeadlock)
			:: !circle_ && !held[r] && mode[c] == modeNoWait -> tableEnd(r); c_refuse(c, errConflict)
			:: !circle_ && !held[r] && mode[c] != modeNoWait && waiting > MAXWAITING -> tableEnd(r); c_refuse(c, errBusy)
			:: else ->
				if
				:: mode[c] == modeTicket -> t = callTicket[c]; ticketReq[t] = r; ticketSeq[t] = seq[r]
				:: mode[c] != modeTicket && held[r] -> c_deliver(c, r)
				:: mode[c] != modeTicket && !held[r] ->
					who[r] = c; under[r] = callUnder[c]; callReq[c] = r; callSeq[c] = seq[r];
					if
#if FAULT == 29
					/* A client that is patient takes the first answer for the last. */
					:: true ->
#elif FAULT == 33
					/* A client that is not patient does not look at its ctx before it hears that it has to wait. */
					:: false ->
#else
					:: !expectWait[c] ->
#endif
						assert(nfull(replies[c]));	/* P5 */
						replies[c]!verdictMustWait
					:: else
					fi
				fi
			fi
		fi
	};
	if
	:: t != NONE -> acquireTicket(c, t, r)
	:: t == NONE
	fi
}

inline l_cancel(c, r) {
#if FAULT == 36
	/* Once it is gone a call is no longer the manager's, who has still to look what it is about. */
	last(c, verdictCanceled);
#endif
	atomic {
		touch(c);
		r = callReq[c];
		if
#if FAULT == 9
		/* The manager leaves a grant that it has sent with a client that no longer receives. */
		:: r != NONE && seq[r] == callSeq[c] && isWaiting(r) ->
#else
		:: r != NONE && seq[r] == callSeq[c] && (!callWidens[c] || isWaiting(r)) ->
#endif
			beforeChange(r);
			tableEnd(r);
			over = true
		:: else
		fi
	};
	if
	:: over ->
		over = false;
#if FAULT != 7
		/* Else those who waited for what was given up never hear that it is over. */
		afterEnd()
#endif
	:: !over
	fi;
#if FAULT == 36
#elif FAULT != 35
	/* Else who gives up waits for ever. */
	c_confirmCancel(c)
#endif
}

/*
 * lapse chooses whether the ctx of a client has ended when its request, which had to wait, is granted. (No ctx ends in
 * a step of its own: whether it has is chosen where somebody looks, and here, where P15 does. Who has given up has seen it.)
 */
inline lapse(c) {
	if
	:: context[c] == mayEnd && !canceled[c] -> context[c] = hasEnded
	:: true
	fi
}

/* afterEnd delivers what an end made possible, and ends the grant that lived on for the one that ended. */
inline afterEnd() {
	do
	:: deliverAll();
		if
		:: up_ == NONE -> break
		:: else -> atomic { x_ = up_; up_ = NONE; tableEnd(x_); x_ = 0 }
		fi
	od;
	checkSuspension();
	checkDrained()
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
		:: n_ < REQS ->
			w_ = who[n_];
			beforeGrant(n_);
			who[n_] = NONE;
			assert(inside[n_] == NONE || seq[inside[n_]] != 0 && !gone[seq[inside[n_]]]);	/* P18 */
			assert(widens[n_] == NONE || seq[widens[n_]] != 0 && !gone[seq[widens[n_]]]);	/* P18 */
			x_ = (widens[n_] != NONE -> widens[n_] : n_);
			beforeChange(x_);
			/* A widening is merged into its grant. */
			d_step {
				counted = (x_ != n_ -> counted & ~bit(n_) : counted);	/* its grant is there as well */
				shares[x_] = shares[n_];
				live = live - (x_ != n_);
				seq[n_] = (x_ == n_ -> seq[n_] : 0); held[n_] = (x_ == n_); widens[n_] = NONE
			};
			if
			:: w_ < CALLS -> lapse(w_); c_deliver(w_, x_)
			:: w_ >= CALLS -> t_deliver(w_ - CALLS, n_)
			fi;
			w_ = 0; x_ = 0
		:: else -> n_ = 0; break
		fi
	}
	od
}

/*
 * ticket.go.
 */

/* ended is why there will be no grant, or ok if there may be one. */
#define ended(t)	(ticketReq[t] != NONE -> ok : (ticketSeq[t] == withdrawnTicket -> errWithdrawn : (ticketSeq[t] == lostTicket -> errLost : errStopped)))

inline Err(t) {
	sure = grantedClosed[t];
	consult(kindAsk, t);
	if
	:: v == verdictDone
	:: v == verdictRefused ->
		if
#if FAULT == 31
		/* What Err receives then may be a grant. */
		:: ended(t) != ok -> res = ended(t)
		:: ended(t) == ok ->
#else
		:: ended(t) != ok || nempty(granted[t]) -> res = ended(t)
		:: ended(t) == ok && empty(granted[t]) ->
#endif
			assert(empty(granted[t]));	/* P3: Err takes no grant */
			if
			:: grantedClosed[t] -> res = errWithdrawn
			:: !grantedClosed[t] -> res = ok
			fi
		fi
	fi;
	assert(res == ok || !delivered[t] && grantedClosed[t]);	/* P12 */
	assert(res == ok && !sure || res == errStopped && stopping || res == errLost && REVOKERS || res == errWithdrawn && (withdrawn[t] || withdrawing[t] > 0));	/* P12 */
	d_step { sure = false; v = 0; res = 0 }
}

/* consult sets v to accepted if the manager has answered, and to refused if it has ended. */
inline consult(k, t) {
	d_step { prepare(c, 0, false); callTicket[c] = t };
	send(k, c, NONE, 0);
	if
	:: res == ok ->
#if FAULT == 4
		/* Withdraw returns before the manager has seen it. */
		if
		:: k == kindWithdraw -> v = verdictDone; canceled[c] = true
		:: k != kindWithdraw -> atomic { replies[c]?v -> result(c) }
		fi
#else
		atomic { replies[c]?v -> result(c) }
#endif
	:: res != ok -> done; unsent(c); v = verdictRefused
	fi;
	c = 0;
	assert(v == verdictDone || ticketsLeft)	/* P10 */
}

inline acquireTicket(c, t, r) {
#if FAULT == 32
	/* Submit returns without the grant that it was given at once. */
	last(c, verdictDone);
	if
	:: held[r] -> t_deliver(t, r)
	:: !held[r] -> who[r] = CALLS + t
	fi
#else
	if
	:: held[r] -> t_deliver(t, r)
	:: !held[r] -> who[r] = CALLS + t
	fi;
	last(c, verdictDone)
#endif
}

inline l_ask(c) {
	atomic {
		touch(c);
		callErr[c] = ended(callTicket[c]);
		last(c, verdictDone)
	}
}

inline t_deliver(t, r) {
	atomic {
		assert(nfull(granted[t]));	/* P5 */
		granted[t]!r, seq[r]
	}
}

inline t_refuse(t, why) {
	d_step { ticketReq[t] = NONE; ticketSeq[t] = why };
	closeGranted(t)
}

inline closeGranted(t) {
	atomic {
		assert(!grantedClosed[t]);	/* P11 */
		grantedClosed[t] = true
	}
}

/*
 * withdraw.go.
 */

inline Withdraw(t) {
	withdrawing[t]++;
	consult(kindWithdraw, t);
	if
	:: v == verdictDone -> assert(delivered[t] || grantedClosed[t])	/* P3 */
	:: v == verdictRefused ->
		/* The manager has ended, and what it may have left in the channel is for whoever gets it. */
		if
#if FAULT == 27
		/* Withdraw takes a closed channel for one with a grant. */
		:: grantedClosed[t] && empty(granted[t]) -> closeGranted(t)
#endif
#if FAULT == 5
		/* Withdraw leaves a grant in the channel, as the manager has ended. */
		:: true
#else
		:: granted[t]?_, _ -> assert(ended(t) == ok); closeGranted(t)
		:: empty(granted[t])	/* closed or not */
#endif
		fi
	fi;
	atomic {
		withdrawing[t]--;
		withdrawn[t] = true;
		assert(withdrawing[t] > 0 || delivered[t] || grantedClosed[t]);	/* P3 */
		v = 0; res = 0
	}
}

inline l_withdraw(c, r, t) {
	atomic {
		touch(c);
		t = callTicket[c];
		r = ticketReq[t];
		if
#if FAULT != 6
		:: r != NONE && (seq[r] == ticketSeq[t] || lost[ticketSeq[t]]) ->
#else
		/* Without the number, a withdrawal is of whoever uses the storage now. */
		:: r != NONE && seq[r] != 0 ->
#endif
			if
			:: isWaiting(r) && !lost[ticketSeq[t]] -> over = true
			:: else -> reclaimGrant(t)
			fi
		:: else
		fi;
		if
		:: over && !lost[ticketSeq[t]] -> beforeChange(r); tableEnd(r)
		:: else
		fi
	};
	if
	:: over ->
		over = false;
		deliverAll();
		checkSuspension();
#if FAULT != 8
		/* Else Drain waits for ever if the last one is withdrawn. */
		checkDrained();
#endif
		t_refuse(t, withdrawnTicket)
	:: !over
	fi;
	last(c, verdictDone)
}

inline reclaimGrant(t) {
	if
#if FAULT == 10
	/* The manager waits for a grant that the client may have got. */
	:: granted[t]?_, _ -> over = true
#elif FAULT == 11
	/* The manager ends a request whose grant the client may have got. */
	:: over = true
#elif FAULT == 12
	/* The manager leaves a grant that it has sent in the ticket. */
	:: true
#else
	:: nempty(granted[t]) -> granted[t]?_, _; over = true
	:: empty(granted[t])
#endif
	fi
}

/*
 * release.go.
 */

/* l_over is l_release and l_revoke: the end of a grant fails what waits for it and inside it, the latest first. */
inline l_over(k, c, r, s) {
	atomic {
		if
#if FAULT == 13
		/* Without the number, a late second release ends whatever uses the storage now. */
		:: r == NONE || seq[r] == 0 || k == kindRelease && released[r] -> forgotten[s] = (NESTERS && k == kindRelease && lost[s])
#else
		:: r == NONE || seq[r] != s || k == kindRelease && released[r] -> forgotten[s] = (NESTERS && k == kindRelease && lost[s])
#endif
		:: else ->
			gone[s] = (NESTERS || GROWERS || REVOKERS);	/* else only history, which costs states */
			over = true;
			do
			:: d_step {
				pickWaiting(r);
				if
				:: x_ == NONE && k == kindRevoke -> pickInside(r)
				:: else
				fi };
				if
				:: x_ == NONE -> break
				:: else ->
					w_ = who[x_];
					beforeChange(x_);
					d_step {
						if
						:: held[x_] -> lose(x_)
						:: else
						fi };
					tableEnd(x_);
					if
					:: w_ == NONE
					:: w_ < CALLS -> c_refuse(w_, (k == kindRevoke -> errLost : errReleased))
					:: w_ != NONE && w_ >= CALLS -> t_refuse(w_ - CALLS, lostTicket)
					fi;
					w_ = 0
				fi
			od;
			x_ = 0;
			if
			:: seq[r] == 0 || up_ != NONE
#if FAULT != 56
			/* Else what a released grant held is given away while grants inside it hold. */
			:: seq[r] != 0 && up_ == NONE && anyInside(r) -> released[r] = true
#endif
			:: else ->
				beforeChange(r);
#if FAULT != 57
				/* Else the client of what was revoked is not told that it lost it. */
				d_step {
					if
					:: k == kindRevoke -> lose(r)
					:: else
					fi };
#endif
				tableEnd(r)
			fi
		fi };
	if
	:: over -> over = false; afterEnd()
	:: !over && k == kindRevoke -> c_refuse(c, errNotHeld); k = 0
	:: !over && k != kindRevoke
	fi;
	if
	:: k == kindRevoke -> last(c, verdictDone)
	:: else
	fi
}

/* pickWaiting sets x_ to the next request to fail. */
inline pickWaiting(r) {
	x_ = NONE; n_ = 0;
	do
	:: n_ < REQS ->
		if
#if FAULT == 58
		/* A widening waits on though its grant is over. */
		:: isWaiting(n_) && (n_ == r || inside[n_] == r) && (x_ == NONE || seq[n_] > seq[x_]) -> x_ = n_
#elif FAULT == 59
		/* Those that wait inside are forgotten. */
		:: isWaiting(n_) && (n_ == r || widens[n_] == r) -> x_ = n_
#else
		:: isWaiting(n_) && (n_ == r || inside[n_] == r || widens[n_] == r) && (x_ == NONE || seq[n_] > seq[x_]) -> x_ = n_
#endif
		:: else
		fi;
		n_++
	:: else -> break
	od;
	n_ = 0
}

/* pickInside sets x_ to the next grant inside r that is lost with it. */
inline pickInside(r) {
	do
	:: n_ < REQS && !isInside(n_, r) -> n_++
	:: else -> break
	od;
	x_ = (n_ < REQS -> n_ : NONE); n_ = 0
}

/* lose closes Lost: from then on the client does not hold. */
inline lose(r) {
	lost[seq[r]] = true;
	holders[entered[seq[r]]]--; holders[0] = 0;
	entered[seq[r]] = 0
}

/*
 * widen.go.
 */

inline l_widen(c, r, s) {
	atomic {
		touch(c);
		o_ = r;
		if
		:: isOver(o_, s) -> c_refuse(c, whyOver(s))
		:: !isOver(o_, s) && !shares[o_] -> c_deliver(c, o_)	/* it held all of that before */
		:: !isOver(o_, s) && shares[o_] && suspended && inside[o_] == NONE -> c_refuse(c, errSuspended)
		:: else ->
			tableSubmit(c, r, inside[o_], o_);
			if
			:: held[r] -> beforeChange(o_); d_step { shares[o_] = shares[r] }; tableEnd(r); c_deliver(c, o_)
			:: else ->
				circle(c, r);
				if
				:: circle_ -> circle_ = false; tableEnd(r); c_refuse(c, errDeadlock)
				:: else ->
					who[r] = c; callReq[c] = r; callSeq[c] = seq[r];
					if
					:: !expectWait[c] ->
						assert(nfull(replies[c]));	/* P5 */
						replies[c]!verdictMustWait
					:: else
					fi
				fi
			fi
		fi
	}
}

/*
 * narrow.go.
 */

inline l_narrow(c, r, s) {
	atomic {
		touch(c);
		if
		:: isOver(r, s) -> c_refuse(c, errNotHeld)
#if FAULT != 60
		/* Else a grant inside holds more than its grant, and others get that as well. */
		:: !isOver(r, s) && anyWritesIn(r) -> c_refuse(c, errNotHeld)
#endif
		:: else ->
#if FAULT != 43
			/* Else a survey sees what is narrowed as it will be. */
			beforeChange(r);
#endif
			tableNarrow(r, c);
			last(c, verdictDone)
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

inline checkDrained() {
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
 * suspend.go. There is one suspension at most.
 */

inline l_suspend(c) {
	atomic {
		touch(c);
#if FAULT != 61
		/* Else what arrives while the survey looks is not waited for. */
		suspended = true;
#endif
		last(c, verdictDone)
	}
}

inline l_complete(c) {
	atomic {
		touch(c);
		suspended = true; complete = true;
		checkSuspension();
		last(c, verdictDone)
	}
}

/* checkSuspension closes over once all that was live is over. */
inline checkSuspension() {
	d_step {
		if
#if FAULT == 62
		/* A suspension is over while its survey has still to find what is live. */
		:: suspended && counted == 0 ->
#else
		:: suspended && complete && counted == 0 ->
#endif
			assert(live == 0);	/* P22 */
			suspensionOver = true
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
	:: k == kindAcquire -> c_refuse(c, errStopped)
#else
	:: k == kindAcquire || k == kindWithdraw || k == kindAsk || k == kindNarrow || k == kindWiden || k == kindRevoke || k == kindCount || k == kindLook || k == kindSuspend || k == kindComplete -> c_refuse(c, errStopped)
#endif
#if FAULT != 37
	/* A client that gives up when the manager has stopped waits for ever. */
	:: k == kindCancel -> c_confirmCancel(c)
#endif
	:: else
	fi
}

inline l_stop() {
	stopping = true;
#if FAULT == 18
	/* Who looks at a ticket once the manager has ended must not be told so before the last one has been refused. */
	refuse(kind, c);
#endif
#if FAULT != 17
	/* Else those that wait do so for ever. */
	n_ = 1;
	do
	:: n_ <= lastSeq ->
		d_step {
			w_ = NONE;
			do
			:: r_ < REQS && seq[r_] == n_ && isWaiting(r_) -> w_ = who[r_]; r_++
			:: r_ < REQS && !(seq[r_] == n_ && isWaiting(r_)) -> r_++
			:: else -> break
			od;
			r_ = 0
		};
		if
		:: w_ == NONE
		:: w_ < CALLS -> c_refuse(w_, errStopped)
		:: w_ != NONE && w_ >= CALLS -> t_refuse(w_ - CALLS, stoppedTicket)
		fi;
		n_++
	:: n_ > lastSeq -> break
	od;
#endif
	atomic { ticketsLeft = true; n_ = 0; w_ = 0 };
#if FAULT != 18
	refuse(kind, c);
#endif
#if FAULT != 20
	/* Else a client that looked in time sends too late, and waits for ever for the answer. */
	seal();
#endif
	final = true
}

inline seal() {
	do
	:: inbox!kindSealed(0, 0, 0, 0)
	:: full(inbox) -> break
	od;
	n_ = 0;	/* own */
	do
	:: n_ < INBOX ->
#if FAULT == 21
		/* That it is full now says nothing about what it is full of. */
		break;
#endif
		inbox?kind, c, r, s, _;
		refuse(kind, c);
		if
		:: inbox!kindSealed(0, 0, 0, 0) -> n_++
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
	:: n_ == INBOX -> break
	od
}

/*
 * stats.go.
 */

inline l_count(c) { last(c, verdictDone) }

/*
 * survey.go. There is one survey at most, and it looks at one request in a step. It has no "seen": that is what is not unseen.
 * Storage does not move here, so the order does not matter; this one meets more with few clients.
 */

/* standing is what a survey sees of a request. */
#define standing(r, holds)	(seq[r] == 0 -> 0 : 1 + holds + 2 * shares[r])

inline l_look(c) {
	atomic {
		touch(c);
		if
		:: !begun ->
			d_step {
				begun = true; surveying = true; latest = lastSeq; left = REQS;
				r_ = 0;
				do
				:: r_ < REQS -> unseen[seq[r_]] = standing(r_, held[r_]); r_++
				:: else -> break
				od;
				r_ = 0
			}
		:: else
		fi;
		left--;
		see(REQS - 1 - left, held[REQS - 1 - left]);
#if FAULT == 44
		/* The manager goes on with a survey that its client has back. */
#else
		surveying = (left > 0);
#endif
		last(c, verdictDone)
	}
}

/* see takes in a request as it is, which must be as it was. */
inline see(r, holds) {
	d_step {
		assert(!building);	/* P14: it is not the manager's any more */
		assert(seq[r] > latest || unseen[seq[r]] == 0 || unseen[seq[r]] == standing(r, holds));	/* P14 */
		counted = (suspended && seq[r] <= latest && unseen[seq[r]] != 0 && inside[r] == NONE -> counted | bit(r) : counted);
		unseen[seq[r]] = (seq[r] > latest -> unseen[seq[r]] : 0)
	}
}

inline beforeChange(r) {
	if
#if FAULT == 41
	/* A request that ends before its turn is not seen. */
	:: surveying && false
#else
	:: surveying -> see(r, held[r])
#endif
	:: else
	fi
}

inline beforeGrant(r) {
	if
#if FAULT == 42
	/* A request that is granted before its turn is seen as one that holds. */
	:: surveying && false
#else
	:: surveying -> see(r, false)
#endif
	:: else
	fi
}

/*
 * run.go.
 */

proctype run_() {
	mtype kind;
	byte c, r, s, t = NONE;
	byte n_, w_, r_, q_, x_, o_, up_ = NONE;	/* of the inlines */
	bool found_[REQS], circle_;
	bool over;
	byte batch;	/* messages that are known to be in the inbox */
	bool first, sentLate;

	do
	:: atomic { first = (batch == 0); batch = (first -> len(inbox) : batch) };
end_receive:
		inbox?kind, c, r, s, sentLate ->
		d_step { batch = (batch > 0 -> batch - 1 : 0) };
		/* The context is looked at once for each batch. It may end now, before the message is dealt with. */
		if
#if FAULT == 51
		/* A manager that looks in no batch deals with what was sent after the end. */
		:: kind == kindStop -> break
		:: else
#else
		:: kind == kindStop || first && ctxEnded -> break
		:: else
#endif
		fi;
		assert(!sentLate);	/* P17 */
		if
		:: kind == kindAcquire -> l_acquire(c, r, s, t)
		:: kind == kindRelease || kind == kindRevoke -> l_over(kind, c, r, s)
		:: kind == kindWiden -> l_widen(c, r, s)
		:: kind == kindCancel -> l_cancel(c, r)
		:: kind == kindWithdraw -> l_withdraw(c, r, t)
		:: kind == kindAsk -> l_ask(c)
		:: kind == kindNarrow -> l_narrow(c, r, s)
		:: kind == kindDrain -> draining = true; checkDrained()
		:: kind == kindCount -> l_count(c)
		:: kind == kindLook -> l_look(c)
		:: kind == kindLookAway -> surveying = false
		:: kind == kindSuspend -> l_suspend(c)
		:: kind == kindComplete -> l_complete(c)
		:: kind == kindResume -> suspended = false
		fi;
		atomic {
			assert(drained == (draining && live == 0));	/* P8 */
			do
			:: n_ < REQS -> assert(!held[n_] || who[n_] == NONE); n_++	/* P1: who is granted has been told */
			:: else -> break
			od;
			n_ = 0; o_ = 0;
			kind = 0; c = 0; r = 0; s = 0; t = NONE; first = false
		}
	od;
	l_stop();
	atomic { done = true; managerRuns = false }
}

/* announceStop is the goroutine of that name, in stop.go. */
proctype announceStop() {
end_waits:
	if
	:: ctxEnded ->
		timerRuns = true;
		if
		:: inbox!kindStop(0, 0, 0, 0)
#if FAULT != 19
		/* Else the goroutine that sends it is left behind, as no message comes out of a sealed inbox. */
		:: done
#endif
		fi;
		timerRuns = false
	:: done
	fi
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
inline enter(w, s) {
	if
	:: lost[s]	/* before it was received */
	:: !lost[s] && w -> assert(holders[reads] + holders[wrote] + holders[readsInside] + holders[wroteInside] == 0); holders[wrote]++; entered[s] = wrote	/* P2 */
	:: else -> assert(holders[wrote] + holders[wroteInside] == 0); holders[reads]++; entered[s] = reads	/* P2 */
	fi
}

/* enterInside is enter inside a grant. Its client holds as well, or has released it. */
inline enterInside(w, r, s) {
	if
	:: lost[s]
	:: !lost[s] && w -> assert(holders[readsInside] + holders[wroteInside] == 0 && seq[inside[r]] != 0 && holders[reads] == (entered[seq[inside[r]]] == reads)); holders[wroteInside]++; entered[s] = wroteInside	/* P2 */
	:: else -> assert(holders[wroteInside] == 0 && seq[inside[r]] != 0); holders[readsInside]++; entered[s] = readsInside	/* P2 */
	fi
}

inline leave(w, r, s) {
	if
	:: entered[s] == 0 -> assert(lost[s] || RELEASERS)	/* P7 */
	:: else ->
		assert(seq[r] == s && held[r]);	/* P7: what this client holds nobody else has ended */
		holders[entered[s]]--;
		entered[s] = 0
	fi
}

/* use is what a client does with a grant that it has got. */
inline use(w, r, s) {
#if TWICE
	if
	:: old != NONE -> send(kindRelease, 0, old, oldSeq)	/* again, while this client holds something else */
	:: true
	fi;
#endif
#if SHARED
	if
	:: w ->
		/* From now on others may read: before the answer is there. */
		d_step {
			holders[entered[s]]--;
			entered[s] = entered[s] - (entered[s] != 0);	/* unless it is lost */
			holders[entered[s]]++; holders[0] = 0;
			w = false
		};
		Narrow(r, s);
		assert(res == ok || res == errStopped || res == errNotHeld && (lost[s] || HELPERS))
	:: true
	fi;
#endif
	d_step { leave(w, r, s) };
	send(kindRelease, 0, r, s);
#if TWICE
	if
	:: send(kindRelease, 0, r, s)	/* again, at any later moment */
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
	prepare(c, modeNoWait, false);
	send(kindNarrow, c, r, s);
	if
	:: res == ok -> atomic { replies[c]?_ -> result(c) }
	:: else -> unsent(c)
	fi;
	c = 0
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
#elif KEEP
	fickle = true
#else
	if
	:: fickle = true
	:: fickle = false
	fi
#endif
}

/* The last answer to an acquire comes with a grant, or with an error. */
inline outcome(c) {
	r = callReq[c]; s = callSeq[c];
	result(c);
	assert((res == ok) == (r != NONE && s != 0) && (res == ok || r == NONE && s == 0))	/* P6: nothing comes with an error */
}

inline receiveGrant(c) {
	outcome(c);
	if
	:: res == ok -> enter(w, s)
	:: else
	fi
}

#if ACQUIRERS + HELPERS + UNDER + GROWERS
/* cancelCall is that of the client. The manager may have answered, or be about to. The client needs a token. */
inline cancelCall(c) {
	d_step { canceled[c] = true; owner[c] = manager };
	if
	:: cancelSem!0 -> sendCancel(c)
	:: done -> v = verdictCanceled	/* and the call is the manager's for ever */
	fi
}

inline sendCancel(c) {
#if FAULT == 24
	/* Acquire leaves its request in the queue. */
	res = errCanceled;
#elif FAULT == 26
	/* The message is given up when ctx ends, as it has already. */
	sendWithin(fickle, kindCancel, c, NONE, 0);
#else
	send(kindCancel, c, NONE, 0);
#endif
	if
	:: res == ok ->
#if FAULT == 25
		/* The call is used again while the manager has it. */
		d_step { canceled[c] = false; unsent(c) };
		v = verdictCanceled
#else
		do
		:: atomic { replies[c]?v ->
			if
#if FAULT == 39
			/* Who gives up takes what the manager has answered before for the last answer. */
			:: true ->
#else
			:: v == verdictCanceled ->
#endif
				assert(callReq[c] == NONE || callWidens[c]);	/* P6: nothing comes with an error */
				wide = (callReq[c] != NONE);
				result(c);
				v = verdictCanceled;
				break
			:: v != verdictCanceled
			fi }
		od
#endif
	:: res != ok -> v = verdictCanceled	/* here, too */
	fi;
#if FAULT != 47
	/* Else later ones wait for ever for the token. */
	cancelSem?_
#endif
}

inline acquired(c) {
	outcome(c);
	if
	:: res == ok && in == NONE -> enter(w, s)
	:: res == ok && in != NONE -> enterInside(w, r, s)
	:: else
	fi;
	assert(res != errReleased || in != NONE && gone[inSeq]);	/* P18 */
	assert(res != errDeadlock || beneath != NONE);	/* P19 */
	assert(res == ok || res == errReleased || res == errLost && REVOKERS || res == errDeadlock || res == errStopped && stopping || res == errDraining && draining || res == errBusy || res == errNotHeld && in != NONE && w || res == errSuspended && SUSPENDERS)	/* P6 */
}

inline widened(c) {
	wide = (callErr[c] == ok);
	result(c);
	assert(res != errReleased || gone[s]);	/* P18 */
	assert(res != errDeadlock || GROWERS > 1);	/* P19 */
	assert(res == ok || res == errReleased || res == errLost && REVOKERS || res == errDeadlock || res == errStopped && stopping || res == errSuspended && SUSPENDERS)	/* P6 */
}

/*
 * awaitLastReply leaves in v that the client waits no more, since ctx has ended, or else what came. Who is granted looks
 * at ctx once more: where it had ended before the grant, it has.
 */
inline awaitLastReply(c) {
	if
	:: replies[c]?v ->
		assert(v != verdictMustWait);	/* P10: it is the last answer, and the call is the client's again */
		if
#if FAULT == 46
		/* A client that is granted does not look at its ctx. */
		:: true ->
#else
		:: v != verdictDone || context[c] != hasEnded ->
#endif
			assert(v != verdictDone || context[c] != hasEnded)	/* P15 */
		:: v == verdictDone && fickle -> v = verdictMustWait
		fi
#if FAULT == 30
	/* A client that waits looks at nothing but the answers. */
	:: fickle && expectWait[c]
#else
	:: fickle
#endif
	fi
}

/* An acquirer asks inside the grant in, inSeq, or beneath that grant, or alone. */
proctype acquirer(byte in, inSeq, beneath) {
	mtype res, v;
	byte c, r, s, round;
#if TWICE
	byte old = NONE, oldSeq;
#endif
	bool fickle, w, wide;

	do
	:: round < ROUNDS ->
		atomic {
			round++; chooseFickle(); choose(w); prepare(c, modeWait, w);
			if
			:: expectWait[c] = true	/* be it that the inbox has a backlog */
			:: expectWait[c] = false
			fi;
			callUnder[c] = beneath;
			context[c] = (fickle -> mayEnd : 0)
		};
		sendWithin(fickle, kindAcquire, c, in, inSeq);
		if
		:: res != ok -> unsent(c)
		:: res == ok ->
			if
			:: expectWait[c] -> v = verdictMustWait	/* if it has to, which it is not told */
			:: !expectWait[c] ->
				/* No look at ctx: this comes at once. */
#if FAULT == 38
				/* A client that looks at its ctx at once, say behind a backlog, but is not patient, leaves no room for a third answer. */
				if
				:: fickle -> cancelCall(c)
				:: atomic { replies[c]?v ->
				if
				:: v != verdictMustWait -> acquired(c)
				:: else
				fi }
				fi
#else
				atomic { replies[c]?v ->
				if
				:: v != verdictMustWait -> acquired(c)
				:: else
				fi }
#endif
			fi;
			if
			:: v != verdictMustWait
			:: v == verdictMustWait ->
				atomic { awaitLastReply(c);
				if
				:: v != verdictMustWait -> acquired(c)
				:: else
				fi };
				if
				:: v == verdictMustWait -> cancelCall(c)
				:: v != verdictMustWait
				fi
			fi;
			if
			:: v != verdictCanceled && res == ok -> use(w, r, s)
			:: v != verdictCanceled && res != ok
			:: v == verdictCanceled
#if LOCKERS == 1
				;
				/* P4: who comes later never waits for what was given up. */
				prepare(c, modeNoWait, true);
				send(kindAcquire, c, NONE, 0);
				if
				:: res != ok -> unsent(c)
				:: res == ok ->
					atomic { w = true; replies[c]?v -> receiveGrant(c) };
					assert(res == ok || res == errStopped && stopping || res == errDraining && draining || res == errSuspended && SUSPENDERS);	/* P4 */
					if
					:: res == ok -> use(w, r, s)
					:: else
					fi
				fi
#endif
			fi
		fi;
		d_step { c = 0; r = 0; s = 0; v = 0; w = false; fickle = false; res = 0 }
	:: round == ROUNDS -> break
	od;
	running--
}
#endif

#if GROWERS
/* releaser is another goroutine that releases a grant. */
proctype releaser(byte r, s) {
	mtype res;

	d_step { leave(false, r, s) };
	send(kindRelease, 0, r, s);
	running--
}

proctype grower() {
	mtype res, v;
	byte c, r, s, inSeq;
	bool fickle, w, wide;

#if SHARED
	choose(w);	/* what writes is widened to what it holds */
#endif
	prepare(c, modeNoWait, w);
	send(kindAcquire, c, NONE, 0);
	if
	:: res != ok -> unsent(c)
	:: res == ok -> atomic { replies[c]?_ -> receiveGrant(c) };
		if
		:: res != ok
		:: res == ok ->
			atomic {
#if RELEASERS
				running++; run releaser(r, s);
#endif
				chooseFickle(); prepare(c, modeWait, true); callWidens[c] = true;
				if
				:: expectWait[c] = true
				:: expectWait[c] = false
				fi;
				context[c] = (fickle -> mayEnd : 0)
			};
			sendWithin(fickle, kindWiden, c, r, s);
			if
			:: res != ok -> unsent(c)
			:: res == ok ->
				v = verdictMustWait;
				if
				:: expectWait[c]
				:: !expectWait[c] ->
					atomic { replies[c]?v ->
					if
					:: v != verdictMustWait -> widened(c)
					:: else
					fi }
				fi;
				if
				:: v != verdictMustWait
				:: v == verdictMustWait ->
					atomic { awaitLastReply(c);
					if
					:: v != verdictMustWait -> widened(c)
					:: else
					fi };
					if
					:: v == verdictMustWait -> cancelCall(c)
					:: else
					fi
				fi
			fi;
			atomic {
				if
				:: wide && entered[s] == reads ->
					assert(holders[reads] == 1 && holders[wrote] == 0);	/* P2 */
					holders[reads]--; holders[wrote]++; entered[s] = wrote
				:: else -> assert(wide || w || entered[s] == 0 || stopping || shares[r])	/* P20 */
				fi };
			d_step { leave(w, r, s) };
			send(kindRelease, 0, r, s)
		fi
	fi;
	d_step { c = 0; r = 0; s = 0; v = 0; res = 0; fickle = false; wide = false; running-- }
}
#endif

#if NESTERS
proctype nester() {
	mtype res;
	byte c, r, s, i;
	bool w;
#if TWICE
	byte old = NONE, oldSeq;
#endif

	choose(w);
	prepare(c, modeNoWait, w);
	send(kindAcquire, c, NONE, 0);
	if
	:: res != ok -> unsent(c)
	:: res == ok -> atomic { replies[c]?_ -> receiveGrant(c) };
		if
		:: res != ok
		:: res == ok ->
			atomic {
				do
				:: i < HELPERS -> running++; run acquirer(r, s, NONE); i++
				:: else -> break
				od;
#if UNDER
				running++; i = running; run acquirer(NONE, s, r)
#endif
			};
#if UNDER
			running < i;
#endif
			use(w, r, s)
		fi
	fi;
	d_step { c = 0; r = 0; s = 0; res = 0; w = false; i = 0; running-- }
}
#endif

#if REVOKERS
/* revoker has found a live request, with a survey. It may end before it is revoked. */
proctype revoker() {
	mtype res;
	byte c, r, s;

	atomic {
		if
		:: seq[0] != 0
#if REQS > 1
		:: seq[1] != 0 -> r = 1
#endif
#if REQS > 2
		:: seq[2] != 0 -> r = 2
#endif
		:: true -> r = NONE	/* none */
		fi;
		s = (r != NONE -> seq[r % REQS] : 0) };
	if
	:: r == NONE
	:: else ->
		prepare(c, 0, false);
		send(kindRevoke, c, r, s);
		if
		:: res != ok -> unsent(c)
		:: res == ok -> atomic { replies[c]?_ -> result(c) };
			assert(seq[r] != s || res == errStopped);	/* P21 */
			assert(res == ok && gone[s] || res == errNotHeld || res == errStopped && stopping)	/* P21 */
		fi
	fi;
	d_step { c = 0; r = 0; s = 0; res = 0; running-- }
}
#endif

#if TRIERS
proctype trier() {
	mtype res;
	byte c, r, s, round;
#if TWICE
	byte old = NONE, oldSeq;
#endif
	bool w;

	do
	:: round < ROUNDS ->
		atomic { round++; choose(w); prepare(c, modeNoWait, w) };
		send(kindAcquire, c, NONE, 0);
		if
		:: res != ok -> unsent(c)
		:: res == ok ->
			atomic { replies[c]?_ -> receiveGrant(c) };
			assert(res == ok || res == errStopped && stopping || res == errDraining && draining || res == errConflict || res == errSuspended && SUSPENDERS);	/* P6 */
			if
			:: res == ok ->
#if KEEP
				running == 1;
#endif
				use(w, r, s)
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
inline receive(t) {
	if
	:: atomic { granted[t]?r, s ->
		assert(!delivered[t] && !withdrawn[t]);	/* P3 */
		delivered[t] = true;
		assert(r != NONE && s != 0);
		enter(w, s) };
		if
		:: impatient -> Withdraw(t); Err(t); impatient = false	/* which does nothing, and there is none */
		:: true
		fi;
		use(w, r, s);
		if
		:: impatient -> Withdraw(t)	/* nor does this, whoever uses the storage now */
		:: else
		fi
	:: grantedClosed[t] && empty(granted[t]) ->
		assert(!delivered[t]);	/* P3 */
		Err(t)
	:: impatient -> Withdraw(t)
	fi
}

/* waitsFor says whether the grant of a ticket is still to come. */
#define waitsFor(t)	(seq[ticketReq[t]] == ticketSeq[t] && who[ticketReq[t]] != NONE)

proctype submitter(byte t) {
	mtype res, v;
	byte c, r, s;
#if TWICE
	byte old = NONE, oldSeq;
#endif
	bool fickle, impatient, w, sure;

	atomic { chooseFickle(); choose(w); prepare(c, modeTicket, w); callTicket[c] = t };
	sendWithin(fickle, kindAcquire, c, NONE, 0);
	if
#if HASTY
	:: res == ok && fickle ->
		/* Perhaps it is answered, perhaps not. */
		drop(c);
#if FAULT != 49
		/* Else a request that nobody can withdraw stays in the queue. */
		d_step { prepare(c, 0, false); callTicket[c] = t };
		post(kindWithdraw, c);
		if
		:: res == ok -> drop(c)
		:: else -> unsent(c)
		fi
#endif
#endif
	:: res == ok ->
		atomic { replies[c]?_ ->
		assert(callErr[c] != ok || ended(t) != ok || gone[ticketSeq[t]] || len(granted[t]) == !waitsFor(t));	/* P3: what was granted at once is there */
		result(c) };
		if
		:: res == ok ->
			atomic {
				if
				:: impatient = true
#if !KEEP
				:: impatient = false
#endif
				fi;
#if RIVALS
				running++;
				run rival(t)
#endif
			};
			if
			:: receive(t)
#if STOP
			:: true	/* the client never receives */
#endif
			fi
		:: else -> assert(res == errStopped && stopping || res == errDraining && draining || res == errBusy || res == errLost && REVOKERS || res == errSuspended && SUSPENDERS)	/* P6 */
		fi
	:: else -> unsent(c)
	fi;
	d_step { c = 0; r = 0; s = 0; res = 0; v = 0; fickle = false; impatient = false; w = false; running-- }
}

#if RIVALS
/* rival is another goroutine that withdraws the ticket, at any time, or asks for its error. */
proctype rival(byte t) {
	mtype res, v;
	byte c;
	bool sure;

	if
	:: Withdraw(t)
	:: Err(t)
	fi;
	running--
}
#endif
#endif

#if COUNTERS
proctype counter() {
	mtype res, v;
	byte c;

	prepare(c, 0, false);
	send(kindCount, c, NONE, 0);
	if
	:: res == ok -> atomic { replies[c]?v -> result(c) }
	:: res != ok -> unsent(c)
	fi;
	if
	:: v == verdictDone
	:: v != verdictDone ->
#if FAULT != 40
		/* What the manager has counted is the manager's until it has ended. */
		done;
#endif
		assert(final && stopping)	/* P13 */
	fi;
	d_step { c = 0; v = 0; res = 0; running-- }
}
#endif

#if SURVEYORS + SUSPENDERS
/*
 * dropSurvey does not wait for the answer: perhaps it comes, perhaps not. (It is an inline of its own since spin does not
 * count more than seven lines that #if skips in one.)
 */
inline dropSurvey(c) {
	drop(c);
#if FAULT != 50
	/* Here, too. */
	post(kindLookAway, 0);
#endif
	res = errCanceled
}

/* runSurvey leaves ok in res once the survey is over, or else why it is not. */
inline runSurvey() {
	prepare(c, 0, false);
	do
	:: sendWithin(fickle, kindLook, c, NONE, 0);
		if
		:: res != ok ->
			unsent(c);
#if FAULT != 45
			/* Else the manager goes on with it for ever. */
			post(kindLookAway, 0);
#endif
			res = errCanceled;
			break
#if HASTY
		:: res == ok && fickle -> dropSurvey(c); break
#endif
		:: res == ok ->
			atomic { replies[c]?v ->
			if
			:: v != verdictDone -> assert(stopping); result(c); break	/* P6 */
			:: v == verdictDone && left > 0 -> owner[c] = manager	/* once more */
			:: v == verdictDone && left == 0 ->
				result(c);
				building = SURVEYORS;
				do
				:: i < SEQS -> assert(unseen[i] == 0); i++	/* P14 */
				:: else -> break
				od;
				i = 0;
				break
			fi }
		fi
	od;
	c = 0
}
#endif

#if SURVEYORS
proctype surveyor() {
	mtype res, v;
	byte c, i;
	bool fickle;

#if !ACQUIRERS
	chooseFickle();
#endif
	runSurvey();
	atomic { v = 0; res = 0; fickle = false; running-- }
}
#endif

#if SUSPENDERS
proctype suspender() {
	mtype res, v;
	byte c, i;
	bool fickle;

	atomic { chooseFickle(); prepare(c, 0, false) };
	send(kindSuspend, c, NONE, 0);
	if
	:: res != ok -> unsent(c)
	:: res == ok -> atomic { replies[c]?_ -> result(c) }
	fi;
	if
	:: res != ok -> assert(stopping)	/* P6 */
	:: res == ok ->
		runSurvey();
		if
		:: res != ok
		:: res == ok ->
			prepare(c, 0, false);
			send(kindComplete, c, NONE, 0);
			if
			:: res != ok -> unsent(c)
			:: res == ok -> atomic { replies[c]?_ -> result(c) }
			fi;
			if
			:: suspensionOver
			:: fickle
			:: done
			fi
		fi;
		assert(!suspensionOver || live == 0);	/* P22 */
		send(kindResume, 0, NONE, 0)
	fi;
	d_step { c = 0; v = 0; res = 0; fickle = false; running-- }
}
#endif

#if DRAINERS
/* lateDrain is the goroutine that a Drain leaves behind. */
proctype lateDrain() {
	mtype res;

	send(kindDrain, 0, 0, 0);
	running--
}

proctype drainer() {
	bool fickle;
#if SHUTDOWN
	mtype res;
#endif

	chooseFickle();
	if
	:: stopping -> fickle = false	/* the manager was the first to end */
	:: !stopping ->
		if
		:: inbox!kindDrain(0, 0, 0, late)
		:: full(inbox) ->
			if
			:: inbox!kindDrain(0, 0, 0, late)
#if FAULT != 48
			/* Else nothing drains if the ctx ends while there is no room. */
			:: fickle -> atomic { running++; run lateDrain() }
#else
			:: fickle
#endif
			:: done	/* then the goroutine ends at once, and is left out */
			fi
		fi
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
#if SHUTDOWN
	send(kindStop, 0, 0, 0);
	done;
#endif
	running--
}
#endif

#if ENDLESS
bool calling[ENDLESS];

/* endless calls for ever, to no effect: with a grant that it has released long ago. */
proctype endless(byte i) {
	mtype res;
	byte c;

	do
	:: calling[i] = true;
		if
		:: send(kindRelease, 0, 0, 1)
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
	assert(empty(cancelSem));	/* P16 */
#if STOP || SHUTDOWN
	assert(done && !managerRuns && !timerRuns);	/* P6 */
	do
	:: inbox?kind, _, _, _, _ -> assert(kind == kindSealed); i++	/* P6 */
	:: empty(inbox) -> break
	od;
	assert(i == INBOX);	/* P6: nobody can send any more */
#else
	assert(empty(inbox) && managerRuns);
	assert(!surveying && !suspended);	/* P4 */
	assert(live == 0 && waiting == 0);	/* P4 */
	assert(drained == (DRAINERS > 0));	/* P8 */
#endif
	i = 0;
	do
	:: i < CALLS ->
		assert(owner[i] == pool || canceled[i] && stopping || dropped[i] && len(replies[i]) > 0);	/* P10: nor is a call forgotten */
		i++
	:: i == CALLS -> break
	od
}

init {
	byte i;

	atomic {
		do
		:: i < CALLS -> owner[i] = pool; callTicket[i] = NONE; callReq[i] = NONE; callUnder[i] = NONE; i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < TICKETS -> ticketReq[i] = NONE; i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < REQS -> who[i] = NONE; inside[i] = NONE; widens[i] = NONE; under[i] = NONE; i++
		:: else -> break
		od;
		managerRuns = true;
		run run_();
		run announceStop();
		running = ACQUIRERS + TRIERS + SUBMITTERS + COUNTERS + SURVEYORS + SUSPENDERS + DRAINERS + NESTERS + GROWERS + REVOKERS;
		i = 0;
#if NESTERS
		run nester();
#endif
#if GROWERS
		do
		:: i < GROWERS -> run grower(); i++
		:: else -> break
		od;
		i = 0;
#endif
#if REVOKERS
		run revoker();
#endif
#if ACQUIRERS
		do
		:: i < ACQUIRERS -> run acquirer(NONE, 0, NONE); i++
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
		:: i < SUBMITTERS -> run submitter(i); i++
		:: else -> break
		od;
		i = 0;
#endif
#if COUNTERS
		do
		:: i < COUNTERS -> run counter(); i++
		:: else -> break
		od;
		i = 0;
#endif
#if SURVEYORS
		run surveyor();
#endif
#if SUSPENDERS
		run suspender();
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
