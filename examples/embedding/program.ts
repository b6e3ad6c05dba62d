// A Node program whose rules are written in three other languages: they call its functions, it calls theirs, and all of
// them have one cache and one set of signals. Start: `node examples/embedding/program.ts`

import { fileURLToPath } from 'node:url'
import { createHost } from 'polywsgi'

const utf8 = new TextDecoder()

await using host = await createHost({
  cwd: fileURLToPath(new URL('.', import.meta.url)),
  mounts: { '/': 'shop.js', '/price': 'price.py', '/tax': 'tax.lua' },
  workers: 2,
  cache: 100,
})

// What only this program knows. Guests call it by name: uwsgi.call('list_price', item).
const listPrices = new Map([
  ['tea', '2'],
  ['cake', '3.2'],
])
host.registerRpc('list_price', async (item) => listPrices.get(utf8.decode(item)) ?? '')

// A web-standard request: JavaScript answers it, by way of Python, this program and Lua.
const ask = async (item: string): Promise<string> => (await (await host.fetch(`http://localhost/${item}`)).text()).trim()
console.log(await ask('tea'))

// The same rule, called from here.
console.log(`price of cake: ${utf8.decode(await host.rpc('price', 'cake'))}`)

// Guests raise signals that this program hears.
const missed = new Promise<number>((resolve) => host.onSignal(1, resolve))
console.log(await ask('coffee'))
console.log(`signal ${await missed}: somebody asked for what we do not have`)

// And it raises signals that guests handle: every worker reads the new rate and says so.
const changed = new Set<string>()
const allChanged = new Promise<void>((resolve) => {
  host.registerRpc('rate_changed', (worker) => {
    if (changed.add(utf8.decode(worker)).size === 2) resolve()
    return ''
  })
})
host.cache()?.set('rate', '1.5')
host.signal(2)
await allChanged
console.log(`with the new rate: ${await ask('tea')}`)

// What guests have counted, and what the server has.
console.log(`prices asked for: ${host.cache()?.increment('asked', 0)}`)
const { workers, caches } = host.stats()
console.log(`${workers.length} workers, ${caches[0]?.items} items in their cache`)

// Loads the guests anew, worker by worker: the rate is again what tax.lua says, the cache is still there.
await host.reload()
console.log(`after a reload: ${await ask('tea')}`)
