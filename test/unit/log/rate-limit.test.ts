// What a flood of lines leaves in the log: as many as may be a second, and one that tells of the rest.
import { describe, expect, it } from 'vitest'
import type { Log } from '../../../host/api/context.ts'
import { limitedLog } from '../../../host/log/rate-limit.ts'

const create = (rate: number) => {
  const lines: string[] = []
  let time = 0
  const timers: { at: number; call: () => void }[] = []
  const log: Log = { text: (line) => void lines.push(line), bytes: (line) => void lines.push(Buffer.from(line).toString()) }
  const limited = limitedLog(log, {
    ...{ rate, who: () => 'worker 3', now: () => time },
    after: (milliseconds, call) => void timers.push({ at: time + milliseconds, call }),
  })
  const pass = (milliseconds: number, timersFire = true): void => {
    time += milliseconds
    if (timersFire) for (const timer of timers.splice(0)) if (timer.at <= time) timer.call()
  }
  return { lines, limited, log, pass }
}

const told = (count: number, rate: number): string =>
  `[log-rate] worker 3: ${count} more lines in a second than the ${rate} that guests may log were dropped`

describe('a limited log', () => {
  it('takes so many lines in a second, and tells of the others in one when it is over', () => {
    const { lines, limited, pass } = create(2)
    for (const line of ['a', 'b', 'c']) limited.text(line)
    limited.bytes(Buffer.from('d'))
    expect(lines).toEqual(['a', 'b'])
    pass(1000)
    expect(lines).toEqual(['a', 'b', told(2, 2)])
    limited.bytes(Buffer.from('e'))
    expect(lines.at(-1)).toBe('e')
  })

  it('tells with the next line where the thread has no time for a timer', () => {
    const { lines, limited, pass } = create(1)
    limited.text('a')
    limited.text('b')
    pass(5000, false)
    limited.text('c')
    expect(lines).toEqual(['a', told(1, 1), 'c'])
    pass(0)
    expect(lines).toHaveLength(3)
  })

  it('is the log itself without a limit', () => {
    const { log, limited } = create(0)
    expect(limited).toBe(log)
  })
})
