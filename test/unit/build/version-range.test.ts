// Which installed versions satisfy what uwsgiplugin.json asks for.
import { describe, expect, it } from 'vitest'
import { faultOfVersionRange, satisfies } from '../../../host/build/version-range.ts'

describe('a range of versions', () => {
  it.each(['1.2.3', '^1.2.3', '~0.2.0', '>=1.0.0', '>= 1.0.0', '*', '1.0.0-rc.1', '1.0.0+build'])('may be %s', (range) => {
    expect(faultOfVersionRange(range)).toBeUndefined()
  })

  it.each(['', 'latest', '1', '1.2', '1.x', '^1', '1.0.0 || 2.0.0', '<2.0.0', 'file:../x', '9999999999.0.0'])(
    'may not be %j',
    (range) => {
      expect(faultOfVersionRange(range)).toMatch(/^is not a version/)
    },
  )

  it.each([
    ['1.2.3', '1.2.3', true],
    ['1.2.4', '1.2.3', false],
    ['1.9.0', '^1.2.3', true],
    ['1.2.2', '^1.2.3', false],
    ['2.0.0', '^1.2.3', false],
    ['0.2.9', '^0.2.3', true],
    ['0.3.0', '^0.2.3', false],
    ['0.0.3', '^0.0.3', true],
    ['0.0.4', '^0.0.3', false],
    ['1.2.9', '~1.2.3', true],
    ['1.3.0', '~1.2.3', false],
    ['0.0.5', '~0.0.3', true],
    ['9.0.0', '>=1.2.3', true],
    ['1.2.2', '>=1.2.3', false],
    ['3.1.4', '*', true],
    ['3.1.4-rc.1', '*', false],
    ['1.0.0-rc.1', '1.0.0-rc.1', true],
    ['1.0.0-rc.2', '1.0.0-rc.1', false],
    ['1.0.0', '1.0.0-rc.1', false],
    ['1.0.0', '^1.0.0-rc.1', true],
    ['1.3.0-rc.1', '^1.0.0', false],
    ['undefined', '*', false],
    ['', '1.0.0', false],
  ])('%s against %s: %s', (installed, range, expected) => {
    expect(satisfies(installed, range)).toBe(expected)
  })
})
