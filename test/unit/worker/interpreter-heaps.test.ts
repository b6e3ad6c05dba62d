import { describe, expect, it } from 'vitest'
import { ThreadFacts } from '../../../host/master/thread-facts.ts'
import { InterpreterHeaps } from '../../../host/worker/interpreter-heaps.ts'

describe('the memory of interpreters', () => {
  it('is told to the master when it has changed, and only then', () => {
    const facts = new ThreadFacts()
    const told: unknown[] = []
    const heaps = new InterpreterHeaps({
      notify: (name, notice) => {
        told.push(notice)
        if (name === 'heap') facts.noticeHandlers.heap(notice as { language: string; bytes: number }, { thread: 2 })
      },
    })
    let lua = 100
    heaps.add('lua', () => lua)
    heaps.add('js', () => 50)
    heaps.tell()
    heaps.tell()
    expect(told).toEqual([
      { language: 'lua', bytes: 100 },
      { language: 'js', bytes: 50 },
    ])
    lua = 200
    expect(heaps.total).toBe(250)
    heaps.tell()
    expect(told).toHaveLength(3)
    expect([...facts.heaps(2)]).toEqual([
      ['lua', 200],
      ['js', 50],
    ])
    expect([...facts.heaps(1)]).toEqual([])
  })
})
