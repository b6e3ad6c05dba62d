// What is concluded from load runs: bars met or not, and the notes that keep a reader from misreading the figures.
import { describe, expect, it } from 'vitest'
import { judge } from '../../../bench/bars.ts'
import { notesOn } from '../../../bench/comparison.ts'
import { describeClient, failures, judgeLoad, medianRate } from '../../../bench/load.ts'
import { line, run } from './samples.ts'

describe('judge', () => {
  it('wants a ratio to reach its bar', () => {
    expect(judge('helloKeepAlive', 'x', 1).isMet).toBe(true)
    expect(judge('helloKeepAlive', 'x', 0.999).isMet).toBe(false)
  })

  it('wants times, memory and errors to stay below theirs', () => {
    expect(judge('startLua', 'x', 0.4).isMet).toBe(true)
    expect(judge('memoryGrowth', 'x', 64.1).isMet).toBe(false)
    expect(judge('noErrors', 'x', 1).isMet).toBe(false)
  })

  it('holds what could not be measured as not met', () => {
    expect(judge('helloKeepAlive', 'x', Number.NaN).isMet).toBe(false)
    expect(judge('startLua', 'x', Number.NaN).isMet).toBe(false)
  })
})

describe('judgeLoad', () => {
  const ours = line({ target: 'polywsgi', side: 'polywsgi', rates: [800, 900, 1000] })
  const fast = line({ target: 'fast', rates: [1800], served: 2 })
  const fair = line({ target: 'fair', rates: [600] })

  it('holds the median against the best peer, and against the best that serves every client where that is another', () => {
    expect(judgeLoad([ours, fast, fair], 'row', 'helloKeepAlive')).toMatchObject([
      { subject: 'row, fast', measured: 0.5, isMet: false },
      { subject: 'row, fair', measured: 1.5, isMet: true },
      { subject: 'row', measured: 0, isMet: true },
    ])
  })

  it('judges once when the best peer serves every client', () => {
    expect(judgeLoad([ours, fair], 'row', 'helloKeepAlive').map(({ subject }) => subject)).toEqual(['row, fair', 'row'])
  })

  it('counts failed requests of polywsgi even in a row without a bar on throughput', () => {
    const broken = { ...ours, runs: [run(1, { socketErrors: 2 }), run(1, { badStatuses: 3 })] }
    expect(judgeLoad([broken, fair], 'row')).toMatchObject([{ subject: 'row', measured: 5, isMet: false }])
  })

  it('never meets a bar against a peer that answered nothing', () => {
    expect(judgeLoad([ours, line({ target: 'dead', rates: [0] })], 'row', 'helloKeepAlive')[0]).toMatchObject({ isMet: false })
  })

  it('judges nothing when only peers were measured', () => {
    expect(judgeLoad([fast, fair], 'row', 'helloKeepAlive')).toEqual([])
  })
})

describe('a load line', () => {
  it('counts failures over all its runs, and rates by the median', () => {
    const measured = { ...line({}), runs: [run(1, { socketErrors: 1 }), run(9), run(5, { badStatuses: 1 })] }
    expect(failures(measured)).toBe(2)
    expect(medianRate(measured)).toBe(5)
  })
})

describe('describeClient', () => {
  it('says what wrk does', () => {
    expect(describeClient({ connections: 16, answer: '' }, 3, 5)).toBe(
      'wrk -t1 -c16 -d3s, GET, keep-alive; median of 5 runs in alternation.',
    )
    const posting = { connections: 2, answer: '', script: 'post.lua', probeBody: Buffer.alloc(7) }
    expect(describeClient(posting, 1, 1)).toBe('wrk -t1 -c2 -d1s, POST of 7 bytes, keep-alive; one run.')
  })
})

describe('notesOn', () => {
  it('has nothing to say about a plain row', () => {
    expect(notesOn('lua', [line({})])).toEqual([])
  })

  it('says what JavaScript is compared with', () => {
    expect(notesOn('js', [])).toEqual(["Debian's uWSGI has no JavaScript plugin: its side is the same work in Python."])
  })

  it('names a target that closes connections and a peer that leaves clients waiting', () => {
    const notes = notesOn('python', [line({ target: 'closing', keepsAlive: false }), line({ target: 'narrow', served: 2 })])
    expect(notes).toEqual([
      'closing does not keep connections open.',
      'narrow answers 2 of 16 clients and leaves the others waiting: its workers keep to one connection.',
    ])
  })
})
