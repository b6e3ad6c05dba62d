// How many workers are wanted, round by round.
import { describe, expect, it } from 'vitest'
import { Cheaper, type CheaperAlgorithm, type CheaperPlan, type Load } from '../../../host/master/cheaper.ts'

const plan = (algorithm: CheaperAlgorithm, more: Partial<CheaperPlan> = {}): CheaperPlan => ({
  algorithm,
  fewest: 2,
  most: 8,
  initial: 2,
  step: 2,
  overload: 3,
  busyness: { min: 25, max: 50, multiplier: 2 },
  cores: 1,
  ...more,
})

/** Asks for some rounds, a second each; the workers that are wanted are ready at once. */
class Rounds {
  readonly cheaper: Cheaper
  #nowMs = 0
  #spentMs = 0

  constructor(cheaper: Cheaper) {
    this.cheaper = cheaper
  }

  run(count: number, load: (ready: number) => Partial<Load>, spentMs = 0): number[] {
    return Array.from({ length: count }, () => {
      this.#nowMs += 1000
      this.#spentMs += spentMs
      const ready = this.cheaper.wanted
      return this.cheaper.round({ ready, idle: ready, waiting: 0, nowMs: this.#nowMs, spentMs: this.#spentMs, ...load(ready) })
    })
  }
}

const busy = () => ({ idle: 0 })
const quiet = (ready: number) => ({ idle: ready })

describe('the algorithm spare', () => {
  it('starts workers, a step at a time, when none has been idle for so many rounds, up to the most', () => {
    const rounds = new Rounds(new Cheaper(plan('spare')))
    expect(rounds.run(12, busy)).toEqual([2, 2, 4, 4, 4, 6, 6, 6, 8, 8, 8, 8])
  })

  it('stops one at a time when more than one has been idle for so many rounds, down to the fewest', () => {
    const rounds = new Rounds(new Cheaper(plan('spare', { initial: 4 })))
    expect(rounds.run(9, quiet)).toEqual([4, 4, 3, 3, 3, 2, 2, 2, 2])
  })

  it('leaves things as they are when one is idle, and forgets what was before', () => {
    const rounds = new Rounds(new Cheaper(plan('spare', { initial: 4 })))
    expect(rounds.run(2, busy)).toEqual([4, 4])
    expect(rounds.run(1, () => ({ idle: 1 }))).toEqual([4])
    expect(rounds.run(2, busy)).toEqual([4, 4])
    expect(rounds.run(10, () => ({ idle: 1 }))).toEqual(new Array(10).fill(4))
  })

  it('takes requests that wait for a sign of need, whoever may be idle', () => {
    const rounds = new Rounds(new Cheaper(plan('spare')))
    expect(rounds.run(3, () => ({ idle: 1, waiting: 1 }))).toEqual([2, 2, 4])
  })

  it('asks for no more while those that it has asked for still start', () => {
    const rounds = new Rounds(new Cheaper(plan('spare', { initial: 4 })))
    expect(rounds.run(20, () => ({ ready: 2, idle: 0 }))).toEqual(new Array(20).fill(4))
  })
})

describe('the algorithm backlog', () => {
  it('starts workers as soon as more requests wait than may', () => {
    const rounds = new Rounds(new Cheaper(plan('backlog')))
    expect(rounds.run(2, () => ({ waiting: 3 }))).toEqual([2, 2])
    expect(rounds.run(4, () => ({ waiting: 4 }))).toEqual([4, 6, 8, 8])
  })

  it('stops them one by one when none waits', () => {
    const rounds = new Rounds(new Cheaper(plan('backlog', { initial: 5 })))
    expect(rounds.run(5, () => ({ waiting: 0 }))).toEqual([4, 3, 2, 2, 2])
  })
})

describe('the algorithm busyness', () => {
  it('starts workers when they spend more than the highest share of their time in requests', () => {
    const rounds = new Rounds(new Cheaper(plan('busyness')))
    // Two workers, 1200 of 2000 ms: 60 %; of four 30 %.
    expect(rounds.run(8, () => ({}), 1200)).toEqual([2, 2, 2, 4, 4, 4, 4, 4])
  })

  it('stops one when they have spent less than the lowest share for as many turns as the multiplier says', () => {
    const rounds = new Rounds(new Cheaper(plan('busyness', { initial: 4, overload: 1 })))
    expect(rounds.run(7, () => ({}), 100)).toEqual([4, 4, 3, 3, 2, 2, 2])
  })

  it('sees requests that wait for one that does not end', () => {
    const rounds = new Rounds(new Cheaper(plan('busyness', { overload: 1 })))
    expect(rounds.run(3, () => ({ waiting: 1 }))).toEqual([2, 4, 6])
  })
})

describe('by hand', () => {
  it('the number goes up and down between the fewest and the most', () => {
    const cheaper = new Cheaper(plan('manual', { most: 3 }))
    expect([cheaper.change(1), cheaper.change(1), cheaper.change(-1), cheaper.change(-1)]).toEqual([3, 3, 2, 2])
  })

  it('nothing else changes it with the algorithm manual', () => {
    const rounds = new Rounds(new Cheaper(plan('manual', { initial: 3 })))
    expect(rounds.run(20, () => ({ idle: 0, waiting: 100 }), 8000)).toEqual(new Array(20).fill(3))
  })
})
