// Every example of the reference is run, in its language, on a real server that has everything.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApiEntry } from '../../host/api/kinds.ts'
import { apiTable, camelCaseName } from '../../host/api/table/index.ts'
import { FullServer, type Language, languages } from '../support/full-server.ts'

const entries: readonly ApiEntry[] = apiTable

/** What these do is seen otherwise than by an answer. */
const endings: readonly string[] = ['disconnect', 'stop']

const exampleOf = (name: string, language: Language): string =>
  entries.find((entry) => entry.name === name)?.example[language] ?? ''

for (const language of languages) {
  describe(`the examples in ${language}`, () => {
    // Of its own for each language: an example may leave something behind that another language's would stumble on.
    let full: FullServer
    beforeAll(async () => {
      full = await FullServer.start()
    })
    afterAll(async () => await full[Symbol.asyncDispose]())

    it.each(entries.filter(({ name }) => !endings.includes(name)).map(({ name, example }) => [name, example[language]] as const))(
      'run: %s',
      async (name, code) => {
        expect(code).toMatch(new RegExp(`\\b${language === 'js' ? camelCaseName(name) : name}\\b`))
        expect(await full.run(language, code)).toEqual({ ok: true, text: expect.any(String) })
      },
    )

    it('run: disconnect, and the client gets no answer', async () => {
      await expect(full.run(language, exampleOf('disconnect', language))).rejects.toThrow()
    })

    it('run: stop, and the server ends', async () => {
      await full.run(language, exampleOf('stop', language)).catch(() => {})
      expect(await full.server.exited()).toBe(0)
    })
  })
}
