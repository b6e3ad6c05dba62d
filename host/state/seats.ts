// The seats of threads. A thread's number says what it is to the server (worker 1, mule 2); its seat says which living thread it
// is. A successor boots while its predecessor serves, so two threads may have one number for a while, and each its own seat: what
// only one thread may be behind (a lock's holder, a doorbell, a response ring, a deadline) goes by seat. Seat 0 is the master's.
//
//   per seat:    the number of its thread, 0 for none yet | requests it holds | 1 once it is to take nothing more |
//                 1 once it takes requests
//   per number:  the seat of the thread that stands for it now, 0 for none
//
// Invariant: the master alone says which seat stands for a number; a thread writes only what it holds.

import { type StateLayout, seatWords } from './layout.ts'

const word = { number: 0, running: 1, leaving: 2, serving: 3 } as const

export class Seats {
  /** The highest seat. */
  readonly capacity: number
  readonly #words: Int32Array
  readonly #current: Int32Array

  constructor(buffer: SharedArrayBuffer, layout: StateLayout) {
    this.capacity = layout.seatCapacity
    this.#words = new Int32Array(buffer, layout.seats, (layout.seatCapacity + 1) * seatWords)
    this.#current = new Int32Array(buffer, layout.currentSeats, layout.threads + 1)
  }

  /** Each number has the seat of the same number: how a server begins. */
  seatAll(): void {
    for (let number = 1; number < this.#current.length; number += 1) {
      this.name(number, number)
      this.setServing(number)
      this.setCurrent(number, number)
    }
  }

  /** The number of the seat's thread; 0 for none, or one that is to stand for none yet. */
  number(seat: number): number {
    return Atomics.load(this.#words, seat * seatWords + word.number)
  }

  name(seat: number, number: number): void {
    Atomics.store(this.#words, seat * seatWords + word.number, number)
  }

  /** The seat of the thread that stands for a number; 0 when none does. */
  current(number: number): number {
    return Atomics.load(this.#current, number)
  }

  setCurrent(number: number, seat: number): void {
    Atomics.store(this.#current, number, seat)
  }

  /** Requests that the seat's thread holds. */
  running(seat: number): number {
    return Atomics.load(this.#words, seat * seatWords + word.running)
  }

  setRunning(seat: number, running: number): void {
    Atomics.store(this.#words, seat * seatWords + word.running, running)
  }

  /** Requests that all threads of a number hold: one that drains and its successor may both have some. */
  runningOf(number: number): number {
    let sum = 0
    for (let seat = 1; seat <= this.capacity; seat += 1) if (this.number(seat) === number) sum += this.running(seat)
    return sum
  }

  /** The thread takes requests when it is rung. */
  isServing(seat: number): boolean {
    return Atomics.load(this.#words, seat * seatWords + word.serving) === 1
  }

  setServing(seat: number): void {
    Atomics.store(this.#words, seat * seatWords + word.serving, 1)
  }

  /** The thread finishes what it has begun, and begins nothing. */
  isLeaving(seat: number): boolean {
    return Atomics.load(this.#words, seat * seatWords + word.leaving) === 1
  }

  setLeaving(seat: number): void {
    Atomics.store(this.#words, seat * seatWords + word.leaving, 1)
  }

  /** The thread is gone; the seat is another's to take. */
  threadEnded(seat: number): void {
    const number = this.number(seat)
    if (number !== 0 && this.current(number) === seat) this.setCurrent(number, 0)
    for (const at of Object.values(word)) Atomics.store(this.#words, seat * seatWords + at, 0)
  }
}
