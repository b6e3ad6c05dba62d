// Bad input over HTTP and uwsgi, from a fixed seed: the short form of `npm run soak -- --only fuzz`.
import { expect, it } from 'vitest'
import { fuzz } from '../../soak/fuzz.ts'

it('bad input ends, hangs or fills nothing, and hides no request', async () => {
  const { facts, violations } = await fuzz.run({
    seed: 7,
    seconds: undefined,
    count: 20_000,
    harakiriGrace: undefined,
    say: () => {},
  })
  expect(violations).toEqual([])
  expect(Number(facts[0]?.[1])).toBeGreaterThanOrEqual(20_000)
})
