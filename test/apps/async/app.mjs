// Pages that wait, for test/system/async.test.ts: app.py and app.lua have the same ones, and answer the same.
// What happens when is noted in the queue. `at` is the address of a server of the test's own, which decides how long a page
// waits.
import uwsgi from 'uwsgi'

const { promises } = uwsgi
let active = 0
/** Requests that have not been collected yet. */
let held = 0
const collected = new FinalizationRegistry(() => {
  held -= 1
})

const note = (text) => uwsgi.queuePush(text)

const connected = async (at) => {
  const fd = await promises.asyncConnect(at)
  uwsgi.waitFdWrite(fd, 60)
  await uwsgi.suspend()
  return fd
}

const readable = async (fd, timeout = 60) => {
  uwsgi.waitFdRead(fd, timeout)
  await uwsgi.suspend()
  return uwsgi.readyFd()
}

const assert = (truth) => {
  if (!truth) throw new Error('not as it should be')
}

/** What the other side says next. */
const received = async (fd) => {
  assert((await readable(fd)) === fd)
  return String((await promises.recv(fd, 65536)) ?? '')
}

/** Resolves when the test's server says so: it is told the name first. */
const keptBy = async (at, name) => {
  const fd = await connected(at)
  await promises.send(fd, name)
  const text = await received(fd)
  uwsgi.close(fd)
  return text
}

const seen = (key) => uwsgi.cacheExists(key) === true

const saying = async (call, ...args) => {
  try {
    return String(await call(...args))
  } catch (error) {
    return error.message
  }
}

const slow = async (value) => {
  await uwsgi.suspend()
  return value
}

const pages = {
  journal() {
    const texts = []
    for (let text = uwsgi.queuePull(); text !== undefined; text = uwsgi.queuePull()) texts.push(String(text))
    return texts.join('\n')
  },
  set: ({ key }) => void uwsgi.cacheUpdate(key, '1'),
  cached: ({ key }) => String(uwsgi.cacheGet(key)),
  async turns({ name, times, after }) {
    while (after !== undefined && !seen(after)) await uwsgi.suspend()
    for (let turn = 1; turn <= Number(times); turn += 1) {
      note(`${name}${turn}`)
      uwsgi.cacheUpdate(`${name}${turn}`, '1')
      await uwsgi.suspend()
    }
  },
  async sleep({ seconds }) {
    uwsgi.asyncSleep(Number(seconds))
    await uwsgi.suspend()
    return String(uwsgi.readyFd())
  },
  async 'sleep-until'({ key }) {
    note('sleeps')
    while (!seen(key)) {
      uwsgi.asyncSleep(0.01)
      await uwsgi.suspend()
    }
  },
  async hold({ at, name, deadline }) {
    if (deadline !== undefined) uwsgi.setUserHarakiri(Number(deadline))
    note(`${name} begins`)
    const text = await keptBy(at, name)
    note(`${name} goes on`)
    return text
  },
  async any({ at }) {
    const left = new Map()
    const fds = []
    for (let index = 0; index < 3; index += 1) {
      const fd = await connected(at)
      left.set(fd, index)
      fds.push(fd)
      await promises.send(fd, String(index))
    }
    const order = []
    while (left.size > 0) {
      for (const fd of left.keys()) uwsgi.waitFdRead(fd, 60)
      await uwsgi.suspend()
      const fd = uwsgi.readyFd()
      order.push(`${left.get(fd)}${await promises.recv(fd, 10)}`)
      left.delete(fd)
      await promises.send(fd, 'got')
    }
    for (const fd of fds) uwsgi.close(fd)
    return order.join(' ')
  },
  async timeout({ at }) {
    const fd = await connected(at)
    const late = await readable(fd, 0.05)
    uwsgi.waitFdWrite(fd, 60)
    await uwsgi.suspend()
    const isReady = uwsgi.readyFd() === fd
    uwsgi.close(fd)
    return `${late} ${isReady}`
  },
  async refused({ at }) {
    const fd = await promises.asyncConnect(at)
    uwsgi.waitFdWrite(fd, 60)
    await uwsgi.suspend()
    const answer = `${uwsgi.readyFd() === fd} ${await promises.isConnected(fd)}`
    uwsgi.close(fd)
    return answer
  },
  async errors({ at }) {
    const fd = await connected(at)
    uwsgi.waitFdRead(fd, 0.01)
    const answers = [await saying(uwsgi.waitFdRead, fd), await saying(uwsgi.waitFdWrite, 77)]
    await uwsgi.suspend()
    answers.push(await saying(promises.recv, 78, 10), String(await promises.isConnected(79)))
    answers.push(await saying(uwsgi.waitFdRead, fd, -1))
    uwsgi.close(fd)
    return answers.join('\n').replaceAll(String(fd), 'FD')
  },
  async talk({ at, bytes }) {
    const fd = await connected(at)
    await promises.send(fd, 'x'.repeat(Number(bytes)))
    let count = 0
    while (count < Number(bytes)) {
      assert((await readable(fd)) === fd)
      count += (await promises.recv(fd, 65536)).length
    }
    uwsgi.close(fd)
    return `${count} ${await promises.isConnected(fd)}`
  },
  async connect({ at, name }) {
    const fd = await promises.connect(at, 60)
    await promises.send(fd, name)
    const text = String(await promises.recv(fd, 4096))
    await promises.close(fd)
    return text
  },
  async 'client-body'({ length: wanted }) {
    const client = uwsgi.connectionFd()
    let length = 0
    while (length < Number(wanted)) {
      assert((await readable(client)) === client)
      length += (await promises.recv(65536)).length
      note(`got ${length}`)
    }
    return String(length)
  },
  async 'client-leaves'() {
    const client = uwsgi.connectionFd()
    note('waits for the client')
    const ready = await readable(client)
    note(`left ${ready === client} ${await promises.isConnected(client)}`)
  },
  async abandoned({ at }) {
    note('begins')
    await keptBy(at, 'abandoned')
    note(`goes on ${await promises.isConnected(uwsgi.connectionFd())}`)
  },
  async lock({ at, name }) {
    note(`${name} wants`)
    await promises.lock(1)
    note(`${name} has`)
    await keptBy(at, name)
    note(`${name} frees`)
    uwsgi.unlock(1)
  },
  async count() {
    await promises.lock(1)
    const count = Number(uwsgi.cacheGet('count') ?? 0)
    await uwsgi.suspend()
    uwsgi.cacheUpdate('count', String(count + 1))
    uwsgi.unlock(1)
    return String(uwsgi.workerId())
  },
  async 'signal-wait'() {
    note('waits for the signal')
    await promises.signalWait(22)
    return String(uwsgi.signalReceived())
  },
  signal: () => void uwsgi.signal(22),
  rpc: async ({ node, function: name, text }) => String(await promises.rpc(node, name, text)),
  call: async ({ function: name, text }) => String(await promises.call(name, text)),
  async 'remote-cache'({ node, text }) {
    await promises.cacheUpdate('far', text, 0, `@${node}`)
    return String(await promises.cacheGet('far', `@${node}`))
  },
  async 'raise-later'({ at }) {
    await keptBy(at, 'raising')
    throw new Error('js raises later')
  },
  async 'raise-soon'() {
    await uwsgi.suspend()
    throw new Error('js raises soon')
  },
  /** How many requests are being served, and how many the interpreter holds. */
  remains() {
    // Enough for its collector to begin, which tells in a later turn.
    for (let count = 0; count < 100_000; count += 1) {
      const circle = {}
      circle.circle = circle
    }
    return `${active} ${held}`
  },
  async nested() {
    const numbers = []
    async function* generated() {
      for (const number of [1, 2]) {
        await uwsgi.suspend()
        yield number
      }
    }
    for await (const number of generated()) numbers.push(number)
    const object = {
      get three() {
        return slow(3)
      },
      // biome-ignore lint/suspicious/noThenProperty: one that can be awaited is what is tried here.
      then: (resolve) => slow(4).then(resolve),
    }
    numbers.push(await object.three, await object)
    numbers.push(await (async () => await (async () => await slow(5))())())
    numbers.push(...(await Promise.all([slow(6), slow(7)])))
    numbers.push(await new Promise((resolve) => uwsgi.suspend().then(() => resolve(8))))
    numbers.push(await new Function('slow', 'return slow(9)')(slow))
    try {
      await slow(0)
      throw new Error('raised')
    } catch {
      numbers.push(await slow(10))
    }
    return numbers.join(' ')
  },
  async leak({ at }) {
    await connected(at)
    await connected(at)
  },
  async own({ at }) {
    const fd = await connected(at)
    await promises.send(fd, 'own')
    note(`fd ${fd}`)
    const text = await received(fd)
    uwsgi.close(fd)
    return text
  },
  async use({ fd }) {
    const number = Number(fd)
    const answers = [
      await saying(promises.recv, number, 10),
      await saying(promises.send, number, 'stolen'),
      await saying(uwsgi.waitFdRead, number),
    ]
    await promises.close(number)
    return [...answers, await promises.isConnected(number)].join('\n')
  },
  spin() {
    note('spins')
    for (;;);
  },
  worker: () => String(uwsgi.workerId()),
  open: async ({ at }) => `${await saying(promises.asyncConnect, at)}\n${await saying(promises.connect, at, 3)}`,
  large({ pieces }) {
    const text = 'x'.repeat(65536 * Number(pieces))
    note(`made ${pieces}`)
    return text
  },
}

uwsgi.registerRpc(
  'js_slow',
  async (text) => {
    await uwsgi.suspend()
    uwsgi.asyncSleep(0.01)
    await uwsgi.suspend()
    return `js:${text}`
  },
  1,
)
uwsgi.registerSignal(22, 'worker', () => {})

const bodies = {
  async *stream({ pieces }) {
    const piece = new Uint8Array(65536).fill(120)
    for (let count = 0; count < Number(pieces); count += 1) yield piece
    note(`streamed ${pieces}`)
  },
  /** Waits for what was registered before each chunk: here a chunk alone waits for nothing. */
  async *steps({ at }) {
    const encoder = new TextEncoder()
    const fd = await connected(at)
    for (const number of [1, 2]) {
      await promises.send(fd, String(number))
      uwsgi.waitFdRead(fd, 60)
      yield encoder.encode(`${number} `)
      await uwsgi.suspend()
      yield encoder.encode(`${uwsgi.readyFd() === fd} ${await promises.recv(fd, 10)} `)
    }
    uwsgi.close(fd)
  },
}

const streamOf = (pieces) =>
  new ReadableStream({
    async pull(controller) {
      const { value, done } = await pieces.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })

const serve = async (request) => {
  const url = new URL(request.url)
  const name = url.pathname.split('/').at(-1)
  const args = Object.fromEntries(url.searchParams)
  const headers = { 'Content-Type': 'text/plain' }
  if (name in bodies) return new Response(streamOf(bodies[name](args)), { headers })
  if (name === 'body') {
    note('reads')
    return new Response(String((await request.arrayBuffer()).byteLength), { headers })
  }
  return new Response((await pages[name](args)) ?? 'done', { headers })
}

export default {
  async fetch(request) {
    active += 1
    held += 1
    collected.register(request)
    try {
      return await serve(request)
    } finally {
      active -= 1
    }
  },
}
