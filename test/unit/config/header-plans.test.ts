// Headers that a configuration adds to responses and takes out of them: as a plan, or refused with the reason.
import { describe, expect, it } from 'vitest'
import { planHeaders } from '../../../host/header-plans.ts'
import { headerChange } from '../../../host/request/header-change.ts'
import { load, refusalOf } from './world.ts'

const plan = (...argv: string[]) => planHeaders(load(argv).settings)

describe('headers of all responses', () => {
  it('are planned when they are asked for', () => {
    expect(plan()).toBe(undefined)
    expect(plan('--add-header', 'X-A: one: two ', '--add-header=X-B:', '--rem-header', 'X-C', '--del-header=Server')).toEqual({
      added: 'X-A\0one: two\0X-B\0',
      removed: ['x-c', 'server'],
    })
    expect(plan('--add-header', 'X-A: \u20ac')?.added).toBe('X-A\0\xe2\x82\xac')
  })

  it.each([
    ['--add-header=X-A', "add-header = X-A: write a name, a colon and a value, as in 'X-Frame-Options: DENY'"],
    ['--add-header=X A: 1', 'add-header = X A: 1: "X A" is not a header name'],
    ['--add-header=: 1', 'add-header = : 1: "" is not a header name'],
    ['--add-header=X-A: 1\r\nX-B: 2', 'the value of header X-A holds a character that HTTP does not allow'],
    ['--add-header=X-A: 1\x002', 'holds a NUL byte'],
    ['--rem-header=X-A: 1', 'rem-header = X-A: 1: "X-A: 1" is not a header name'],
  ])('are refused: %j', (argument, message) => {
    expect(refusalOf(() => plan(argument))).toContain(message)
  })

  it('go after those of the app, and those removed go, whatever their case', () => {
    const change = headerChange({ added: 'X-A\0new\0X-Both\0forced', removed: ['x-b', 'x-both'] })
    expect(change('')).toBe('X-A\0new\0X-Both\0forced')
    expect(change('X-B\0' + '1\0X-A\0app\0x-b\0' + '2\0X-BOTH\0app')).toBe('X-A\0app\0X-A\0new\0X-Both\0forced')
    expect(headerChange({ added: '', removed: ['x-b'] })('X-B\0x')).toBe('')
  })
})
