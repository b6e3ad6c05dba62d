import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { renderPluginFilesDoc } from '../../../host/plugin/plugin-files-doc.ts'
import { GuestPlugins, guestLanguages } from '../../support/guest-plugins.ts'

const page = readFileSync(new URL('../../../docs/plugin-files.md', import.meta.url), 'utf8')

test('docs/plugin-files.md is what the tables say (npm run gen writes it)', () => {
  expect(page).toBe(renderPluginFilesDoc())
})

test.each(guestLanguages)('its example in %s works', async (language) => {
  const source = page.split(`\`\`\`${language}\n`)[1]?.split('```')[0] ?? ''
  using guests = await GuestPlugins.boot(language)
  const plugin = await guests.load(guests.write({ lua: source, python: source }), { 'hello-greeting': 'good day' })
  expect(plugin).toMatchObject({ name: 'hello', modifier1: 250 })
  expect(await guests.ask(plugin, { path: '/bob' })).toMatchObject({ status: '200 OK', text: 'good day, /bob' })
})
