// Every example of the reference is run, in its language, on a real server that has everything.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApiEntry } from '../../host/api/kinds.ts'
import { apiTable, camelCaseName } from '../../host/api/table/index.ts'
import { FullServer, languages } from '../support/full-server.ts'

const entries: readonly ApiEntry[] = apiTable

for (const language of languages) {
  describe(`the examples in ${language}`, () => {
    // Of its own for each language: an example may leave something behind that another language's would stumble on.
    let full: FullServer
    beforeAll(async () => {
      full = await FullServer.start()
    })
    afterAll(async () => await full[Symbol.asyncDispose]())

    it.each(entries.map(({ name, example }) => [name, example[language]] as const))('run: %s', async (name, code) => {
      const names = language === 'js' ? [camelCaseName(name)] : [name]
      expect(names.some((known) => new RegExp(`\\b${known}\\b`).test(code))).toBe(true)
      const answer = await full.run(language, code)
      expect(answer).toEqual({ ok: true, text: expect.any(String) })
    })
  })
}
