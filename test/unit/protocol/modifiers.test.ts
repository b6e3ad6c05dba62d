import { describe, expect, it } from 'vitest'
import { modifierName, modifiers } from '../../../protocol/index.ts'

describe('modifiers', () => {
  it('have one name per number, in one byte', () => {
    const numbers = Object.values(modifiers).map(({ modifier1 }) => modifier1)
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(Math.min(...numbers)).toBe(0)
    expect(Math.max(...numbers)).toBe(255)
  })

  it('are found by number', () => {
    expect([0, 6, 24, 17, 100, 101, 110, 111, 173].map(modifierName)).toEqual([
      'python',
      'lua',
      'js',
      'spooler',
      'ping',
      'echo',
      'signal',
      'cache',
      'rpc',
    ])
    expect(modifierName(250)).toBeUndefined()
  })
})
