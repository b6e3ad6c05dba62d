// Where requests run on cores of their own, the core that overran is stopped, and no other.
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { TestStops } from '../../support/test-stops.ts'
import { CoreServer, settle } from './core-server.ts'
import { functionsOf } from './overruns.ts'

const stops = new TestStops()
const setUserHarakiri = (): void => stops.set()
const stopped = { code: 'HARAKIRI', message: stops.verdict }

beforeEach(() => {
  stops.traces.length = 0
})

describe('where requests run on cores', () => {
  let cores: CoreServer

  beforeAll(async () => {
    cores = await CoreServer.boot({ file: 'overruns.py', stops, services: { setUserHarakiri } })
  })

  test('the one that overran is stopped, those that wait go on', async () => {
    const { server } = cores
    const [first, overdue, last] = [server.ask('waits'), server.ask('waits_then_loops'), server.ask('waits')]
    const outcome = expect(overdue).rejects.toMatchObject(stopped)
    await settle()
    expect(cores.resume()).toBe(3)
    await outcome
    expect([(await first).text, (await last).text]).toEqual(['waited', 'waited'])
    expect(functionsOf(stops)).toEqual(['waits_then_loops', 'loops'])
  })

  test.each(['loops', 'matches', 'multiplies', 'loops_async', 'loops_later'])(
    'it is stopped on its own stack: %s',
    async (name) => {
      await expect(cores.server.ask(name)).rejects.toMatchObject(stopped)
      expect(stops.traces).toHaveLength(1)
      expect((await cores.server.ask('answers_async')).text).toBe('answered')
    },
  )

  test.each(['', 'later'])('it is over when its task still waits on its way out (%s)', async (query) => {
    await expect(cores.server.ask('cleans_up', { query })).rejects.toMatchObject(stopped)
    expect((await cores.server.ask('takes_log')).text).toContain("'waits on'")
  })

  test('it waits for nothing on its way out', async () => {
    await expect(cores.server.ask('waits_in_the_end')).rejects.toMatchObject({ code: 'HARAKIRI' })
    expect((await cores.server.ask('takes_log')).text).toBe("['did not wait']")
  })
})
