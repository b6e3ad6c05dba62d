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
  const storm = 'const storm = () => { Promise.resolve().then(storm); Promise.resolve().then(storm) }'
  it.each([
    ['when their request is ended', `${storm}; storm(); await new Promise(() => {})`],
    ['when a timer of an ended request begins with them', `${storm}; setTimeout(storm, 1500); await new Promise(() => {})`],
  ])('cost the interpreter %s: others would wait behind them', async (_when, code) => {
    await using server = await start({}, '--harakiri', '1', '--harakiri-grace', '1')
    expect((await ask(server, 'js', code)).status).toBe(504)
    await server.logged('promises of a request that was ended make more promises without an end')
    await server.logged('worker 1: ready in ', 2)
    expect((await ask(server, 'js', "return 'ok'")).text).toBe('ok')
    expect((await ask(server, 'lua', "return 'ok'")).text).toBe('ok')
  })
  it('cost nothing but themselves while they can be stopped one by one', async () => {
    await using server = await start({}, '--harakiri', '1', '--harakiri-grace', '1')
    await ask(server, 'js', 'globalThis.kept = 7')
    const chains =
      'const chain = async () => { for (;;) await null }; for (let i = 0; i < 20; i++) chain(); await new Promise(() => {})'
    expect((await ask(server, 'js', chains)).status).toBe(504)
    await server.logged('unhandled promise rejection: InternalError: interrupted')
    expect((await ask(server, 'js', 'return globalThis.kept')).text).toBe('7')
    expect(server.log).not.toContain('DAMN')
  })
})
