// The annotations of the uwsgi table, run by the Lua that they are for.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import lua from '../../../bindings/lua/index.ts'
import type { ApiEntry } from '../../../host/api/kinds.ts'
import { renderLuaAnnotations } from '../../../host/api/render/annotations-lua.ts'
import { apiTable } from '../../../host/api/table/index.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'
import { writeGuest } from './guest-file.ts'

const annotations = renderLuaAnnotations()
const functionNames = (apiTable as readonly ApiEntry[]).flatMap((entry) =>
  entry.shape === 'function' ? [entry.name, ...(entry.aliases ?? []), ...(entry.luaAliases ?? [])] : [],
)

describe('the annotations of the uwsgi table', () => {
  let harness: PluginHarness
  beforeAll(async () => {
    harness = await PluginHarness.boot(lua)
    await harness.mount(
      writeGuest(
        'app.lua',
        `return function(env)
  local names = {}
  for name, value in pairs(assert(load(env.input:read(), '=uwsgi.lua', 't', {}))()) do
    if type(value) == 'function' then names[#names + 1] = name end
  end
  table.sort(names)
  return 200, {}, table.concat(names, ' ')
end`,
      ),
    )
  })
  afterAll(() => harness.close())

  it('are Lua, and name every function and every other name of one', async () => {
    const { text } = await harness.request({ method: 'POST', body: annotations })
    expect(text.split(' ')).toEqual(functionNames.sort())
  })

  it('say of each result of a function what it is', () => {
    expect(annotations).toMatch(/---@return integer\n---@return integer\nfunction uwsgi\.mem\(\) end/)
    expect(annotations).toMatch(/---@return uwsgi\.Worker\[\]\nfunction uwsgi\.workers\(\) end/)
    expect(annotations).toContain('---@class uwsgi.Worker\n---@field id integer\n')
    expect(annotations).toMatch(/---@return string\|nil\nfunction uwsgi\.cache_get\(key, cache\) end/)
  })
})
