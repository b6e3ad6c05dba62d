// Request slots: one per request that is queued or running. The record holds who has the request and how its body comes;
// the area holds the packet and, when it fits, the body.
// Invariant: the state word alone says who owns a slot, and changes by one compare-and-swap: a thread may be terminated
// between any two instructions and the master still knows exactly which requests it had begun.
//
//   state word: generation (16 bits) | the worker's seat (14 bits) | phase (2 bits: 0 free, 1 queued, 2 running)

import { requestRecordWords, type StateLayout } from './layout.ts'

/**
 * Where the numbers of clients' connections begin, past what guests know as standard input, output and error. Other
 * connections are numbered from 2^20 on (host/gateway/descriptors.ts): there are never so many slots.
 */
export const firstConnectionFd = 3

export const SlotPhase = { free: 0, queued: 1, running: 2 } as const

/** How a request's body reaches the worker. */
export const BodyMode = {
  /** It lies in the area, behind the packet (or there is none). */
  inline: 0,
  /** It lies in a file whose descriptor both threads may use. */
  file: 1,
  /** The worker asks the master for it, piece by piece. */
  pull: 2,
} as const
export type BodyMode = (typeof BodyMode)[keyof typeof BodyMode]

/** States of a pull: the worker sets `requested`, the master answers with one of the others. */
export const PullState = { idle: 0, requested: 1, filled: 2, end: 3, gone: 4, timeout: 5 } as const
export type PullState = (typeof PullState)[keyof typeof PullState]

const word = {
  state: 0,
  packetLength: 1,
  bodyMode: 2,
  bodyLength: 3,
  contentLengthLow: 4,
  contentLengthHigh: 5,
  bodyFd: 6,
  clientGone: 7,
  unacknowledged: 8,
  windowAwaited: 9,
  pull: 10,
  pullLength: 11,
  leavingAwaited: 12,
  deadline: 13,
  /** worker number (16 bits) | core (16 bits) */
  core: 14,
  /** Seconds since the epoch. */
  begunAt: 15,
} as const

export interface SlotFilling {
  readonly packet: Uint8Array
  readonly bodyMode: BodyMode
  /** With mode `inline`: the whole body. */
  readonly body: Uint8Array | undefined
  /** Bytes; -1 when unknown. */
  readonly contentLength: number
  /** With mode `file`. */
  readonly bodyFd: number
}

/** Bytes a worker may send ahead of what the client took: enough to keep a fast client busy, little enough for many slow ones. */
export const responseWindow = 256 * 1024

export class RequestSlots {
  readonly count: number
  readonly areaSize: number
  readonly #words: Int32Array
  readonly #areas: Buffer

  constructor(buffer: SharedArrayBuffer, layout: StateLayout) {
    this.count = layout.requestSlots
    this.areaSize = layout.requestAreaSize
    this.#words = new Int32Array(buffer, layout.slotRecords, layout.requestSlots * requestRecordWords)
    this.#areas = Buffer.from(buffer, layout.areas, layout.requestSlots * layout.requestAreaSize)
  }

  /** The master fills a free slot and marks it queued. @returns its generation, which tags everything said about it. */
  fill(slot: number, filling: SlotFilling): number {
    const base = slot * requestRecordWords
    const words = this.#words
    const area = slot * this.areaSize
    this.#areas.set(filling.packet, area)
    if (filling.body !== undefined) this.#areas.set(filling.body, area + filling.packet.length)
    words[base + word.packetLength] = filling.packet.length
    words[base + word.bodyMode] = filling.bodyMode
    words[base + word.bodyLength] = filling.body?.length ?? 0
    words[base + word.contentLengthLow] = filling.contentLength >>> 0
    words[base + word.contentLengthHigh] = Math.floor(filling.contentLength / 2 ** 32)
    words[base + word.bodyFd] = filling.bodyFd
    this.#forgetLeaving(slot)
    words[base + word.unacknowledged] = 0
    words[base + word.windowAwaited] = 0
    this.#forgetPull(slot)
    words[base + word.deadline] = 0
    words[base + word.core] = 0
    const generation = ((words[base + word.state]! >>> 16) + 1) & 0xffff
    // The release: a worker that sees `queued` sees all of the above.
    Atomics.store(words, base + word.state, (generation << 16) | SlotPhase.queued)
    return generation
  }

  /** A worker takes a queued slot for itself. @returns whether it got it. */
  claim(slot: number, seat: number): boolean {
    const at = slot * requestRecordWords + word.state
    const state = Atomics.load(this.#words, at)
    if ((state & 3) !== SlotPhase.queued) return false
    return Atomics.compareExchange(this.#words, at, state, (state & ~0xffff) | (seat << 2) | SlotPhase.running) === state
  }

  /** The master takes a request back that no worker has begun. @returns whether it was still queued. */
  withdraw(slot: number): boolean {
    const at = slot * requestRecordWords + word.state
    const state = Atomics.load(this.#words, at)
    if ((state & 3) !== SlotPhase.queued) return false
    return Atomics.compareExchange(this.#words, at, state, state & ~0xffff) === state
  }

  /** The master frees a slot whose request is over; the generation stays, so that late messages are recognised. */
  free(slot: number): void {
    const at = slot * requestRecordWords + word.state
    Atomics.store(this.#words, at, Atomics.load(this.#words, at) & ~0xffff)
  }

  /** When the worker is to be done with it. @param end milliseconds as `sharedNow` has them; 0 for never */
  setDeadline(slot: number, end: number): void {
    // The low 32 bits, and never 0 by accident.
    Atomics.store(this.#words, slot * requestRecordWords + word.deadline, end === 0 ? 0 : end | 0 || 1)
  }

  isOverdue(slot: number, now: number): boolean {
    const end = Atomics.load(this.#words, slot * requestRecordWords + word.deadline)
    return end !== 0 && ((now - end) | 0) >= 0
  }

  /** The worker that has claimed the slot says where the request runs: for those who ask what goes on, nothing depends on it. */
  noteCore(slot: number, workerId: number, core: number, begunAt: number): void {
    const base = slot * requestRecordWords
    this.#words[base + word.core] = (workerId << 16) | core
    this.#words[base + word.begunAt] = begunAt
  }

  /** Where the slot's request runs; undefined while no worker has it. */
  runningCore(slot: number): { readonly workerId: number; readonly core: number; readonly begunAt: number } | undefined {
    const base = slot * requestRecordWords
    const place = this.#words[base + word.core]!
    if ((Atomics.load(this.#words, base + word.state) & 3) !== SlotPhase.running || place === 0) return undefined
    return { workerId: place >>> 16, core: place & 0xffff, begunAt: this.#words[base + word.begunAt]! >>> 0 }
  }

  isQueued(slot: number): boolean {
    return (Atomics.load(this.#words, slot * requestRecordWords + word.state) & 3) === SlotPhase.queued
  }

  /** The seat of the worker that runs the slot's request; 0 when none does. */
  runningSeat(slot: number): number {
    const state = Atomics.load(this.#words, slot * requestRecordWords + word.state)
    return (state & 3) === SlotPhase.running ? (state >>> 2) & 0x3fff : 0
  }

  generation(slot: number): number {
    return Atomics.load(this.#words, slot * requestRecordWords + word.state) >>> 16
  }

  /** The packet: header and vars block. A view: valid while the slot is the caller's and no body piece was pulled. */
  packet(slot: number): Buffer {
    const start = slot * this.areaSize
    return this.#areas.subarray(start, start + this.#words[slot * requestRecordWords + word.packetLength]!)
  }

  bodyMode(slot: number): BodyMode {
    return this.#words[slot * requestRecordWords + word.bodyMode] as BodyMode
  }

  /** The body of mode `inline`. A view, as `packet`. */
  inlineBody(slot: number): Buffer {
    const base = slot * requestRecordWords
    const start = slot * this.areaSize + this.#words[base + word.packetLength]!
    return this.#areas.subarray(start, start + this.#words[base + word.bodyLength]!)
  }

  contentLength(slot: number): number {
    const base = slot * requestRecordWords
    return this.#words[base + word.contentLengthHigh]! * 2 ** 32 + (this.#words[base + word.contentLengthLow]! >>> 0)
  }

  bodyFd(slot: number): number {
    return this.#words[slot * requestRecordWords + word.bodyFd]!
  }

  isClientGone(slot: number): boolean {
    return Atomics.load(this.#words, slot * requestRecordWords + word.clientGone) === 1
  }

  /** The master says that nobody reads the response any more; a worker that waits for room or for body is woken. */
  setClientGone(slot: number): void {
    const base = slot * requestRecordWords
    Atomics.store(this.#words, base + word.clientGone, 1)
    Atomics.store(this.#words, base + word.unacknowledged, 0)
    Atomics.notify(this.#words, base + word.unacknowledged)
    Atomics.notify(this.#words, base + word.clientGone)
  }

  /** Resolves when the client has gone, or the slot becomes another request's. */
  async clientLeaves(slot: number): Promise<void> {
    this.#words[slot * requestRecordWords + word.leavingAwaited] = 1
    const wait = Atomics.waitAsync(this.#words, slot * requestRecordWords + word.clientGone, 0)
    if (wait.async) await wait.value
  }

  /** Whoever still waits for the client of the request before waits in vain. */
  #forgetLeaving(slot: number): void {
    const at = slot * requestRecordWords + word.clientGone
    this.#words[at] = 0
    if (this.#words[slot * requestRecordWords + word.leavingAwaited] === 0) return
    this.#words[slot * requestRecordWords + word.leavingAwaited] = 0
    Atomics.notify(this.#words, at)
  }

  /** Whoever still waits for a piece of the body before will not get it. */
  #forgetPull(slot: number): void {
    const at = slot * requestRecordWords + word.pull
    if (Atomics.exchange(this.#words, at, PullState.idle) === PullState.requested) Atomics.notify(this.#words, at)
  }

  // ── Response window ───────────────────────────────────────────────────────────────────────────────────────────────

  /** The worker counts bytes it is about to send. */
  countSent(slot: number, bytes: number): void {
    Atomics.add(this.#words, slot * requestRecordWords + word.unacknowledged, bytes)
  }

  /** True when a response of so many bytes more, cut into pieces, would have to wait for the client in between. */
  needsRoom(slot: number, bytes: number): boolean {
    const sent = Atomics.load(this.#words, slot * requestRecordWords + word.unacknowledged)
    return sent + bytes > responseWindow && !this.isClientGone(slot)
  }

  /** Parks the thread until the client took enough of what was sent. */
  awaitWindow(slot: number): void {
    const at = slot * requestRecordWords + word.unacknowledged
    for (;;) {
      const sent = this.#announceWindowWait(slot)
      if (sent <= responseWindow || this.isClientGone(slot)) return
      Atomics.wait(this.#words, at, sent)
    }
  }

  /** The same as a promise; undefined when there is room already. */
  windowOpens(slot: number): Promise<void> | undefined {
    const at = slot * requestRecordWords + word.unacknowledged
    const sent = this.#announceWindowWait(slot)
    if (sent <= responseWindow || this.isClientGone(slot)) return undefined
    const wait = Atomics.waitAsync(this.#words, at, sent)
    const again = (): Promise<void> | undefined => this.windowOpens(slot)
    return wait.async ? wait.value.then(again) : (this.windowOpens(slot) ?? Promise.resolve())
  }

  /** The flag is set before the word is read again, so that an acknowledgement in between is either seen or notifies. */
  #announceWindowWait(slot: number): number {
    const base = slot * requestRecordWords
    const sent = Atomics.load(this.#words, base + word.unacknowledged)
    if (sent <= responseWindow) return sent
    Atomics.store(this.#words, base + word.windowAwaited, 1)
    return Atomics.load(this.#words, base + word.unacknowledged)
  }

  /** The master counts bytes the client took. */
  acknowledge(slot: number, bytes: number): void {
    const base = slot * requestRecordWords
    const left = Atomics.sub(this.#words, base + word.unacknowledged, bytes) - bytes
    if (left <= responseWindow && Atomics.exchange(this.#words, base + word.windowAwaited, 0) === 1) {
      Atomics.notify(this.#words, base + word.unacknowledged)
    }
  }

  // ── Body pulls: the area carries one piece at a time ──────────────────────────────────────────────────────────────

  /** The worker asks; a message to the master must follow. */
  requestPull(slot: number): void {
    Atomics.store(this.#words, slot * requestRecordWords + word.pull, PullState.requested)
  }

  /** Parks the thread until the master answers. */
  awaitPull(slot: number): PullState {
    const at = slot * requestRecordWords + word.pull
    while (Atomics.load(this.#words, at) === PullState.requested) Atomics.wait(this.#words, at, PullState.requested)
    return Atomics.load(this.#words, at) as PullState
  }

  async pullAnswer(slot: number): Promise<PullState> {
    const at = slot * requestRecordWords + word.pull
    while (Atomics.load(this.#words, at) === PullState.requested) {
      const wait = Atomics.waitAsync(this.#words, at, PullState.requested)
      if (wait.async) await wait.value
    }
    return Atomics.load(this.#words, at) as PullState
  }

  /** The piece the master put into the area. A view, valid until the next pull. */
  pulled(slot: number): Buffer {
    const start = slot * this.areaSize
    return this.#areas.subarray(start, start + this.#words[slot * requestRecordWords + word.pullLength]!)
  }

  /** The master answers a pull, with a piece of at most `areaSize` bytes or with an end. */
  answerPull(slot: number, state: PullState, piece?: Uint8Array): void {
    const base = slot * requestRecordWords
    if (piece !== undefined) {
      this.#areas.set(piece, slot * this.areaSize)
      this.#words[base + word.pullLength] = piece.length
    }
    Atomics.store(this.#words, base + word.pull, state)
    Atomics.notify(this.#words, base + word.pull)
  }
}
