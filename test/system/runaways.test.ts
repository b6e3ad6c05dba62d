// Code that does not end, in each language: its client is told, another worker serves beside it, and both serve again.
import { describe, expect, it } from 'vitest'
import { bombs } from '../../soak/runaways.ts'
import { ask, languages, start } from '../support/faults-server.ts'

describe.each(languages)('what does not end in %s', (language) => {
  it('is answered 500 or 504, beside and before requests that are served', async () => {
    await using server = await start({}, '--workers', '2', '--harakiri', '1', '--harakiri-grace', '1')
    for (const [name, code] of Object.entries(bombs[language])) {
      // JavaScript's holds the machine's memory for seconds: that is for the soak, which has a machine of its own.
      if (language === 'js' && name === 'a built-in that never polls') continue
      const running = ask(server, language, code)
      expect([name, (await ask(server, 'lua', "return 'beside'")).text]).toEqual([name, 'beside'])
      expect([name, [500, 504].includes((await running).status)]).toEqual([name, true])
      const after = await Promise.all([1, 2].map(() => ask(server, language, "return 'ok'")))
      expect([name, after.map(({ status }) => status)]).toEqual([name, [200, 200]])
    }
  })
})

describe('promises that make more promises without an end', () => {
  it('cost the interpreter when they go on after their request was ended: others would wait behind them', async () => {
    await using server = await start({}, '--harakiri', '1', '--harakiri-grace', '1')
    expect((await ask(server, 'js', bombs.js['a storm of promises'] as string)).status).toBe(504)
    await server.logged('promises of a request that was ended make more promises without an end')
    await server.logged('worker 1: ready in ', 2)
    expect((await ask(server, 'js', "return 'ok'")).text).toBe('ok')
    expect((await ask(server, 'lua', "return 'ok'")).text).toBe('ok')
  })
})
