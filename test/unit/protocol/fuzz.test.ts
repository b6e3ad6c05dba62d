// The parsers of the protocol under changed bytes: the short form of `npm run soak -- --only parsers`.
import { expect, it } from 'vitest'
import { parsers } from '../../../soak/parsers.ts'

it('parsers take or refuse whatever comes, and the same wherever it is cut', async () => {
  const plan = { seed: 7, seconds: undefined, count: 50_000, harakiriGrace: undefined, say: () => {} }
  const { facts, violations } = await parsers.run(plan)
  expect(violations).toEqual([])
  expect(facts[0]).toEqual(['inputs', 50_000])
})
